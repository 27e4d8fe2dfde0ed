// Recomputes a draw certificate (抽查摇号证书, protocol XD1) on the visitor's own machine. Written from docs/draw.md alone,
// so that it shows what the certificate says and not what our server says. `verifyCertificate` is pure and needs only
// `sm3.digest`; below it are the worker, in which the page runs it so that a million candidates do not hold the page up,
// and the page's part.
"use strict";

(function () {
  // ── Bytes ──────────────────────────────────────────────────────────────────────────────────────

  const utf8 = new TextEncoder();
  const SHOWN = 20; // faults of one step in full; the rest are counted

  const nibble = (code) => (code < 58 ? code - 48 : code - 87);

  /** Writes the bytes of a hex text to a place. */
  function write(hex, into, at) {
    for (let one = 0; one < hex.length; one += 2) {
      into[at + one / 2] = 16 * nibble(hex.charCodeAt(one)) + nibble(hex.charCodeAt(one + 1));
    }
    return into;
  }

  /** The bytes of a hex text, as a field. */
  const bytes = (hex) => write(hex, new Uint8Array(hex.length / 2), 0);

  /** The fields in order, each as a 4-byte big-endian length and its bytes; text is UTF-8. */
  function framed(fields) {
    const parts = fields.map((field) => (typeof field === "string" ? utf8.encode(field) : field));
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + 4 + part.length, 0));
    const view = new DataView(whole.buffer);
    let at = 0;
    for (const part of parts) {
      view.setUint32(at, part.length);
      whole.set(part, at + 4);
      at += 4 + part.length;
    }
    return whole;
  }

  /** SM3, in hex, over the fields. */
  const H = (...fields) => globalThis.sm3.digest(framed(fields));

  /** Rows of columns as one field: columns apart by TAB, each row ended by LF. */
  const lines = (rows) => rows.map((row) => row.join("\t") + "\n").join("");

  // ── The form of the public view ────────────────────────────────────────────────────────────────
  // A form is an object's members ("?" marks one that may be absent), a list of one form, Nullable, or a Leaf: what it
  // must be, in words, and a test.

  class Leaf {
    constructor(words, test) { Object.assign(this, { words, test }); }
  }
  class Nullable {
    constructor(form) { this.form = form; }
  }
  const text = (words, pattern) => new Leaf(words, (value) => typeof value === "string" && pattern.test(value));

  function isTime(value) {
    if (typeof value !== "string" || !/^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/.test(value)) return false;
    const wall = value.slice(0, 19) + "Z";
    // A day that does not exist either is no date or comes back as another.
    const moment = new Date(wall);
    return !Number.isNaN(moment.getTime()) && moment.toISOString() === wall.replace("Z", ".000Z");
  }

  const TEXT = text("一行非空的文字", /^[^\u0000-\u001f\u007f\p{Cs}]+$/u);
  const DIGEST = text("64 位小写十六进制", /^[0-9a-f]{64}$/);
  const STRATUM = text("组号，如 \"1\"", /^[1-9]\d{0,5}$/);
  const CODE = text("18 位统一社会信用代码", /^[0-9A-HJ-NP-RT-UWXY]{18}$/);
  const TIME = new Leaf("时刻，如 2026-11-24T09:00:00+08:00", isTime);
  const COUNT = new Leaf("整数", (value) => Number.isSafeInteger(value) && value >= 0);
  const PAIR = { stratum: STRATUM, blind: DIGEST };
  const WITNESS = { where: TEXT, at: TIME };
  const ENTROPY = { source: TEXT, format: TEXT, due: TIME };
  const FROZEN = {
    protocol: new Leaf("\"XD1\"", (value) => value === "XD1"),
    state: new Leaf("frozen、sealed 或 void", (value) => ["frozen", "sealed", "void"].includes(value)),
    draw: TEXT, plan: TEXT, follows: new Nullable(TEXT), frozen_at: TIME,
    candidates: [PAIR],
    strata: [{ stratum: STRATUM, candidates: COUNT, quota: COUNT }],
    list_hash: DIGEST, secret_commitment: DIGEST, key_commitment: DIGEST,
    entropy: ENTROPY, inspectors_hash: DIGEST, freeze_hash: DIGEST,
    witness: new Nullable(WITNESS),
    "ledger?": { seq: COUNT, hash: DIGEST },
  };
  const FORMS = {
    frozen: FROZEN,
    sealed: Object.assign({}, FROZEN, {
      entropy: Object.assign({}, ENTROPY, { value: TEXT }),
      // Only what outsiders saw before the entropy existed can be sealed.
      witness: WITNESS,
      secret: DIGEST, seed: DIGEST, sealed_at: TIME, picks: [PAIR],
      names_hash: DIGEST, matches_hash: DIGEST, certificate_hash: DIGEST,
      "replacements?": [{ stratum: STRATUM, removed: DIGEST, taken: DIGEST, reason: TEXT, at: TIME }],
    }),
    void: Object.assign({}, FROZEN, { secret: DIGEST, void_reason: TEXT }),
  };
  const NAMES = { nonce: DIGEST, names: [CODE] };

  const has = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

  /** A value as it stands in a sentence. */
  function shown(value) {
    const written = JSON.stringify(value);
    return written === undefined || written.length <= 90 ? String(written) : written.slice(0, 90) + "…";
  }

  /** Tells `found` a sentence for each place where a value has not the form. */
  function misfits(path, value, form, found) {
    const inside = (name) => (path ? path + "." : "") + name;
    const wrong = (words) => found(`字段 ${path || "（整张证书）"}：写的是 ${shown(value)}，应为${words}`);
    if (form instanceof Leaf) {
      if (!form.test(value)) wrong(form.words);
    } else if (form instanceof Nullable) {
      if (value !== null) misfits(path, value, form.form, found);
    } else if (Array.isArray(form)) {
      if (Array.isArray(value)) value.forEach((one, place) => misfits(`${path}[${place}]`, one, form[0], found));
      else wrong("列表");
    } else if (isObject(value)) {
      for (const name of Object.keys(value)) {
        if (!has(form, name) && !has(form, name + "?")) found(`字段 ${inside(name)}：不认识，应当没有这个字段`);
      }
      for (const member of Object.keys(form)) {
        const name = member.replace("?", "");
        if (has(value, name)) misfits(inside(name), value[name], form[member], found);
        else if (name === member) found(`字段 ${inside(name)}：缺少`);
      }
    } else wrong("对象 {…}");
  }

  const membersIn = (value) => (typeof value !== "object" || value === null ? 0
    : Object.values(value).reduce((sum, one) => sum + membersIn(one), Array.isArray(value) ? 0 : Object.keys(value).length));

  /** The value of a JSON text in which no member stands twice and every number is whole; throws a sentence. */
  function read(written) {
    let value, members;
    try {
      value = JSON.parse(written.replace(/^\ufeff/, ""));
      members = membersIn(value);
    } catch {
      throw new Error("读不懂：不是 JSON");
    }
    // JSON.parse keeps the last of two members of one name in silence: the text then has more names than the value.
    const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[-\d][-+.\deE]*/g;
    let names = 0;
    for (let token = tokens.exec(written); token; token = tokens.exec(written)) {
      if (token[1]) names += 1;
      else if (token[0][0] !== "\"" && /[.eE]/.test(token[0])) throw new Error(`读不懂：${token[0].slice(0, 20)} 不是整数`);
    }
    if (names !== members) throw new Error("读不懂：有字段重复出现");
    return value;
  }

  // ── The checks ─────────────────────────────────────────────────────────────────────────────────

  /** Whether an entropy value has the shape of its format: {…} stands for some text, the rest for itself. */
  function valueFits(format, value) {
    const parts = format.split(/\{[^{}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return parts.length === 1 || new RegExp(`^${parts.join(".+")}$`, "su").test(value);
  }

  /** The steps of one verification, each with its faults. */
  class Steps {
    constructor() { this.steps = []; }
    /** Begins a step: what it looks at, and what holds when there is no fault. */
    step(title, holds) { this.steps.push({ title, holds, faults: [] }); }
    fault(sentence, found, expected) { this.steps[this.steps.length - 1].faults.push({ sentence, found, expected }); }
    /** Holds what the certificate says in a field against what it must say. */
    same(field, found, expected) {
      const step = this.steps[this.steps.length - 1];
      if (found !== expected) this.fault(`字段 ${field}：写的是 ${shown(found)}，应为 ${shown(expected)}`, found, expected);
      else if (DIGEST.test(found)) Object.assign(step, { found, expected });
    }
    /** Times that must not go backwards, all written alike in one zone, so that their texts compare as they do. */
    ordered(earlier, before, later, after, strictly) {
      if (after > before || (after === before && !strictly)) return;
      this.fault(`字段 ${later}：写的是 ${after}，应${strictly ? "晚" : "不早"}于 ${earlier}（${before}）`, after, before);
    }
    get ok() { return this.steps.every((step) => step.faults.length === 0); }
    told() {
      return this.steps.map(({ title, holds, faults, found, expected }) => {
        if (!faults.length) return { title, detail: holds, ok: true, found, expected };
        const more = faults.length > SHOWN ? `；另有 ${faults.length - SHOWN} 处` : "";
        const detail = faults.slice(0, SHOWN).map((fault) => fault.sentence).join("；") + more;
        return { title, detail, ok: false, found: faults[0].found, expected: faults[0].expected };
      });
    }
  }

  function checkFrozen(certificate, check, recomputed, unproven) {
    const { draw, plan, follows, frozen_at: frozenAt, candidates, strata, witness } = certificate;
    const { source, format, due } = certificate.entropy;
    const list = candidates.map(({ stratum, blind }) => stratum + "\t" + blind);
    check.step("候选名单", `${list.length} 个代号按序排列，没有重复，校验值相符`);
    const groups = new Map();
    candidates.forEach(({ stratum, blind }, place) => {
      if (place && list[place - 1] >= list[place]) check.fault(`字段 candidates[${place}]：写的是 ${shown(candidates[place])}，应排在前一个之后（按字节排序，不重复）`);
      const other = groups.get(blind);
      if (other !== undefined && other !== stratum) check.fault(`字段 candidates：代号 ${blind} 同时在第 ${other} 组和第 ${stratum} 组，应只在一组`);
      groups.set(blind, stratum);
    });
    recomputed.list_hash = H("XD1 list", list.map((line) => line + "\n").join(""));
    check.same("list_hash", certificate.list_hash, recomputed.list_hash);

    check.step("分组与名额", `${strata.length} 组，候选数与名单相符，名额至少 1 个而少于候选数`);
    if (!strata.length) check.fault("字段 strata：写的是 []，应至少有一组");
    const counts = new Map();
    candidates.forEach(({ stratum }) => counts.set(stratum, (counts.get(stratum) || 0) + 1));
    strata.forEach(({ stratum, candidates: stated, quota }, place) => {
      check.same(`strata[${place}].stratum`, stratum, String(place + 1));
      check.same(`strata[${place}].candidates`, stated, counts.get(stratum) || 0);
      if (quota < 1 || quota >= stated) check.fault(`字段 strata[${place}].quota：写的是 ${quota}，应至少为 1 而小于候选数 ${stated}`);
    });
    counts.forEach((_, stratum) => {
      if (!strata.some((one) => one.stratum === stratum)) check.fault(`字段 candidates：有候选在第 ${stratum} 组，而 strata 没有这一组`);
    });

    check.step("冻结校验值", "名单、名额、密值的校验值、随机来源与时间都在其内，重算结果相同");
    recomputed.freeze_hash = H(
      "XD1 freeze", draw, plan, frozenAt, bytes(recomputed.list_hash),
      bytes(certificate.secret_commitment), bytes(certificate.key_commitment),
      lines(strata.map(({ stratum, candidates: stated, quota }) => [stratum, stated, quota])),
      source, format, due, bytes(certificate.inspectors_hash), follows || "",
    );
    check.same("freeze_hash", certificate.freeze_hash, recomputed.freeze_hash);
    if (follows === draw) check.fault(`字段 follows：写的是 ${shown(follows)}，应为另一次抽查`);

    check.step("时间先后", `先冻结，${witness ? "再公布，" : ""}随机来源后产生`);
    check.ordered("frozen_at", frozenAt, "entropy.due", due);
    if (witness) {
      const { where, at } = witness;
      check.ordered("frozen_at", frozenAt, "witness.at", at);
      // A draw may be void for the very reason that it was published too late.
      if (certificate.state !== "void") check.ordered("witness.at", at, "entropy.due", due, true);
      unproven.push(`见证一项（${where} 于 ${at} 公布冻结校验值）是否属实：请到该处核对`);
    } else unproven.push("冻结校验值曾在局外公布：证书没有见证一项");
    unproven.push("代号对应的企业是否正确、名单是否齐全：须看审计查阅的部分");
    unproven.push("抽查密钥的校验值与执法检查人员名录的校验值：须看审计查阅的部分");
    const apart = { frozen: "", sealed: "替换的事由与时间、", void: "作废事由、" }[certificate.state];
    unproven.push(`证书之外的说明（${apart}台账位置）不在任何校验值之内：以台账为准`);
  }

  /** The blinds of each stratum in the order of their tickets. */
  function ranking(seed, candidates, progress) {
    const groups = new Map();
    candidates.forEach(({ stratum, blind }, place) => {
      if (place % 10000 === 0) progress(place, candidates.length);
      if (!groups.has(stratum)) groups.set(stratum, { field: framed(["XD1 ticket", bytes(seed), stratum, new Uint8Array(32)]), tickets: [] });
      // Of what a ticket hashes only the end differs within a stratum.
      const { field, tickets } = groups.get(stratum);
      tickets.push(globalThis.sm3.digest(write(blind, field, field.length - 32)) + blind);
    });
    const ranked = new Map();
    groups.forEach(({ tickets }, stratum) => ranked.set(stratum, tickets.sort().map((one) => one.slice(64))));
    return ranked;
  }

  function checkSealed(certificate, check, recomputed, unproven, names, progress) {
    const { strata, candidates } = certificate;
    const { source, format, due, value } = certificate.entropy;
    check.step("随机来源", `${source}：${value}，合于冻结时写明的格式`);
    if (!valueFits(format, value)) check.fault(`字段 entropy.value：写的是 ${shown(value)}，应合于格式 ${shown(format)}`);
    check.ordered("entropy.due", due, "sealed_at", certificate.sealed_at);
    unproven.push(`“${value}”确是${source}当时公布的结果：请与官方公告核对`);

    check.step("种子", "由冻结校验值、密值和随机来源算出，重算结果相同");
    recomputed.seed = H("XD1 seed", bytes(recomputed.freeze_hash), bytes(certificate.secret), value);
    check.same("seed", certificate.seed, recomputed.seed);

    const ranked = ranking(recomputed.seed, candidates, progress);
    const picks = [].concat(...strata.map(({ stratum, quota }) => (ranked.get(stratum) || []).slice(0, quota).map((blind) => ({ stratum, blind }))));
    recomputed.picks = picks;
    check.step("抽中的企业", `各组签号最小的共 ${picks.length} 家，重算结果相同`);
    check.same("picks 的个数", certificate.picks.length, picks.length);
    picks.forEach(({ stratum, blind }, place) => {
      const found = certificate.picks[place];
      if (found && (found.stratum !== stratum || found.blind !== blind)) check.same(`picks[${place}]`, `${found.stratum} ${found.blind}`, `${stratum} ${blind}`);
    });

    check.step("证书校验值", "抽中结果、封存时间、名单与配对的校验值都在其内，重算结果相同");
    recomputed.certificate_hash = H(
      "XD1 certificate", bytes(recomputed.freeze_hash), bytes(recomputed.seed), certificate.sealed_at,
      lines(picks.map(({ stratum, blind }) => [stratum, blind])), bytes(certificate.names_hash), bytes(certificate.matches_hash),
    );
    check.same("certificate_hash", certificate.certificate_hash, recomputed.certificate_hash);

    checkReplacements(certificate, check, ranked, new Set(picks.map((one) => one.blind)));
    if (names) {
      check.step("公布的名单", `${names.names.length} 家，正是封存时写入校验值的名单`);
      check.same("names 的个数", names.names.length, picks.length);
      if (new Set(names.names).size !== names.names.length) check.fault("名单里有重复的统一社会信用代码");
      recomputed.names_hash = H("XD1 names", bytes(names.nonce), lines(names.names.slice().sort().map((name) => [name])));
      check.same("names_hash", certificate.names_hash, recomputed.names_hash);
    } else unproven.push("名单的校验值：须有随名单公布的随机数才能重算");
    unproven.push("配对的校验值：须看审计查阅的部分");
    unproven.push("封存之后的内容未被重新编造：请与另行保存的证书校验值比对");
  }

  function checkReplacements(certificate, check, ranked, standing) {
    const replacements = certificate.replacements || [];
    if (!replacements.length) return;
    check.step("替换", `${replacements.length} 次，每次都是同组签号的下一家`);
    const waiting = new Map();
    ranked.forEach((blinds, stratum) => waiting.set(stratum, blinds.filter((blind) => !standing.has(blind)).values()));
    const group = new Map(certificate.candidates.map(({ stratum, blind }) => [blind, stratum]));
    let earlier = ["sealed_at", certificate.sealed_at];
    replacements.forEach(({ stratum, removed, taken, at }, place) => {
      const field = (name) => `replacements[${place}].${name}`;
      check.ordered(...earlier, field("at"), at);
      earlier = [field("at"), at];
      if (!standing.has(removed) || group.get(removed) !== stratum) {
        check.fault(`字段 ${field("removed")}：写的是 ${shown(removed)}，应为第 ${stratum} 组抽中且未被替换的一家`);
      }
      const next = waiting.has(stratum) ? waiting.get(stratum).next() : { done: true };
      if (next.done) {
        check.fault(`字段 ${field("taken")}：写的是 ${shown(taken)}，而第 ${stratum} 组已没有可以递补的候选`);
        return;
      }
      check.same(field("taken"), taken, next.value);
      standing.delete(removed);
      standing.add(next.value);
    });
  }

  /**
   * What recomputing a certificate shows: steps in order, `ok` when all hold, what cannot be proven, and the recomputed
   * values. `freezeHash` is one seen elsewhere, `names` the published list ({nonce, names}).
   */
  globalThis.verifyCertificate = function verifyCertificate(written, { freezeHash, names, progress = () => {} } = {}) {
    const check = new Steps();
    const recomputed = {}, unproven = [];
    check.step("格式", "字段齐全，没有不认识或重复的字段");
    try {
      const certificate = read(written);
      const form = isObject(certificate) && typeof certificate.state === "string" && has(FORMS, certificate.state) ? FORMS[certificate.state] : FROZEN;
      misfits("", certificate, form, (sentence) => check.fault(sentence));
      if (names) misfits("names", names, NAMES, (sentence) => check.fault(sentence));
      if (check.ok) {
        checkFrozen(certificate, check, recomputed, unproven);
        if (freezeHash) {
          check.step("与别处看到的冻结校验值比对", "与您填写的一致");
          check.same("freeze_hash", certificate.freeze_hash, freezeHash);
        } else unproven.push("整张证书未被重新编造：请填写当时在局外公布的冻结校验值，再核验一次");
        if (certificate.state !== "frozen") {
          check.step("密值", "公开的密值正是冻结时存下校验值的那一个");
          check.same("secret_commitment", certificate.secret_commitment, H("XD1 secret", bytes(certificate.secret)));
        }
        if (certificate.state === "sealed") checkSealed(certificate, check, recomputed, unproven, names, progress);
        if (certificate.state === "void") check.step("作废", "没有种子，也没有抽中的企业");
      }
    } catch (error) {
      check.fault(error.message);
    }
    return { steps: check.told(), ok: check.ok, unproven, recomputed };
  };

  // ── The worker ─────────────────────────────────────────────────────────────────────────────────

  if (globalThis.importScripts) {
    globalThis.onmessage = async ({ data: { sm3, file, address, freezeHash } }) => {
      // Fetched with the first message, before any certificate, so that a file can be checked offline later.
      if (!globalThis.sm3) globalThis.importScripts(sm3);
      if (!file && !address) return;
      try {
        const answer = file || await fetch(address, { credentials: "same-origin" });
        if (!file && !answer.ok) throw new Error(`没有取到证书（${answer.status}），请稍后再试`);
        const progress = (done, total) => globalThis.postMessage({ done, total });
        globalThis.postMessage({ result: globalThis.verifyCertificate(await answer.text(), { freezeHash, progress }) });
      } catch (error) {
        globalThis.postMessage({ failure: error.message });
      }
    };
  }

  // ── The page ───────────────────────────────────────────────────────────────────────────────────

  function element(name, classes, words, ...children) {
    const made = document.createElement(name);
    if (classes) made.className = classes;
    if (words) made.textContent = words;
    made.append(...children);
    return made;
  }

  function stepElement({ title, detail, ok, found, expected }) {
    const verdict = element("span", ok ? "tag good" : "tag bad", ok ? "✓ 相符" : "✗ 不符");
    const body = element("div", "", "", element("strong", "", title), " ", verdict, element("p", "hash", detail));
    if (found !== undefined && expected !== undefined) {
      const row = (name, value) => element("div", "wide", "", element("dt", "", name), element("dd", "", "", element("code", "hash", String(value))));
      body.append(element("details", "", "", element("summary", "", "看数值"), element("dl", "facts", "", row("证书所写", found), row("应为", expected))));
    }
    return element("li", ok ? "done" : "", "", body);
  }

  function show(place, { steps, ok, unproven }) {
    const wrong = steps.filter((step) => !step.ok).length;
    const verdict = ok
      ? element("div", "notice good", "", element("h3", "", "核验通过"), element("p", "", "证书里可以重算的，都在您的设备上重算过，结果相同。"))
      : element("div", "notice bad", "", element("h3", "", "核验不通过"), element("p", "", `有 ${wrong} 步不符，见下。请保存证书文件，向本局或其上级反映。`));
    place.replaceChildren(verdict, element("ol", "steps", "", ...steps.map(stepElement)));
    if (ok) place.append(element("div", "notice due", "", element("h3", "", "以下各项不能由证书证明"), element("ul", "", "", ...unproven.map((one) => element("li", "", one)))));
  }

  function wire(section, script) {
    const part = (name) => section.querySelector(`[data-part=${name}]`);
    const [controls, file, freezeHash, button, bar, results] = ["controls", "file", "freeze-hash", "check", "progress", "results"].map(part);
    const { certificate, sm3 } = section.dataset;
    const worker = new Worker(script);
    worker.postMessage({ sm3 });
    const fail = (words) => results.replaceChildren(element("p", "notice bad", words));

    worker.onmessage = ({ data: { done, total, result, failure } }) => {
      if (total !== undefined) {
        Object.assign(bar, { max: total, value: done });
        return;
      }
      bar.hidden = true;
      button.disabled = false;
      if (failure) fail(`没有核验：${failure}`);
      else show(results, result);
    };
    worker.onerror = () => {
      bar.hidden = true;
      button.disabled = false;
      fail("没有核验：核验程序没有取到。请检查网络，刷新本页后再试。");
    };
    button.addEventListener("click", () => {
      const seen = freezeHash.value.replace(/\s/g, "").toLowerCase();
      if (seen && !DIGEST.test(seen)) {
        fail("没有核验：“别处看到的冻结校验值”应为 64 位十六进制（数字与 a 至 f）。请核对，或留空。");
        freezeHash.focus();
        return;
      }
      if (!file.files.length && !certificate) {
        fail("没有核验：请先选择证书文件。");
        file.focus();
        return;
      }
      button.disabled = true;
      bar.hidden = false;
      bar.removeAttribute("value");
      results.replaceChildren(element("p", "quiet", "正在重算……"));
      worker.postMessage({ sm3, file: file.files[0], address: certificate, freezeHash: seen || undefined });
    });
    controls.hidden = false;
  }

  if (globalThis.document) {
    const script = document.currentScript.src;
    const start = () => document.querySelectorAll("[data-certificate-check]").forEach((section) => wire(section, script));
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
    else start();
  }
})();
