#!/usr/bin/env python3
"""核验抽查摇号证书（公开部分）：python3 verify_draw.py 证书.json … [--freeze-hash 校验值] [--names 名单.json]

Checks draw certificates (protocol XD1) offline, with nothing but Python's standard library (3.8 or later). It was written
from docs/draw.md and shares no code with the product, so that whoever watches a draw need not trust the product.

Exit codes: 0 everything holds; 1 something does not; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import re
import struct
import sys

SHOWN = 20  # faults of one certificate printed in full; the rest are counted


# ── SM3 (GB/T 32905-2016) ──────────────────────────────────────────────────────────────────────

def rotate(word, count):
    """Rotates a word of 32 bits to the left."""
    count %= 32
    return ((word << count) | (word >> (32 - count))) & 0xFFFFFFFF


INITIAL = (0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E)
ROUND_CONSTANTS = [rotate(0x79CC4519 if j < 16 else 0x7A879D8A, j) for j in range(64)]


def compress(state, block):
    """The compression function CF: one block of 64 bytes into the state."""
    w = list(struct.unpack(">16I", block))
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ rotate(w[j - 3], 15)
        w.append(x ^ rotate(x, 15) ^ rotate(x, 23) ^ rotate(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        ss1 = rotate((rotate(a, 12) + e + ROUND_CONSTANTS[j]) & 0xFFFFFFFF, 7)
        ss2 = ss1 ^ rotate(a, 12)
        if j < 16:
            ff, gg = a ^ b ^ c, e ^ f ^ g
        else:
            ff, gg = (a & b) | (a & c) | (b & c), (e & f) | (~e & g)
        tt1 = (ff + d + ss2 + (w[j] ^ w[j + 4])) & 0xFFFFFFFF
        tt2 = (gg + h + ss1 + w[j]) & 0xFFFFFFFF
        a, b, c, d = tt1, a, rotate(b, 9), c
        e, f, g, h = tt2 ^ rotate(tt2, 9) ^ rotate(tt2, 17), e, rotate(f, 19), g
    return tuple(old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h)))


def own_sm3(data):
    """SM3 written out here, for machines whose Python does not have it."""
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + struct.pack(">Q", 8 * len(data))
    state = INITIAL
    for start in range(0, len(padded), 64):
        state = compress(state, padded[start:start + 64])
    return struct.pack(">8I", *state)


def library_sm3(data):
    """SM3 of the OpenSSL that Python was built with: the same, a hundred times as fast."""
    return hashlib.new("sm3", data).digest()


# The two examples in the standard's annex A.
VECTORS = [
    (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
    (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
]


def right(sm3):
    """Whether a function gives the standard's examples."""
    try:
        return all(sm3(data).hex() == digest for data, digest in VECTORS)
    except ValueError:  # this OpenSSL has no SM3
        return False


# ── XD1: the bytes ─────────────────────────────────────────────────────────────────────────────

sm3 = library_sm3 if right(library_sm3) else own_sm3


def H(*fields):
    """SM3 over the fields in order, each as a 4-byte big-endian length and its bytes; text is UTF-8."""
    parts = [field.encode("utf-8") if isinstance(field, str) else field for field in fields]
    return sm3(b"".join(struct.pack(">I", len(part)) + part for part in parts))


def lines(rows):
    """Rows of columns as one field: columns apart by TAB, each row ended by LF."""
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def list_hash(pairs):
    return H("XD1 list", lines(pairs))


def freeze_hash(certificate, listed):
    entropy = certificate["entropy"]
    strata = [(one["stratum"], one["candidates"], one["quota"]) for one in certificate["strata"]]
    return H(
        "XD1 freeze", certificate["draw"], certificate["plan"], certificate["frozen_at"], listed,
        bytes.fromhex(certificate["secret_commitment"]), bytes.fromhex(certificate["key_commitment"]), lines(strata),
        entropy["source"], entropy["format"], entropy["due"], bytes.fromhex(certificate["inspectors_hash"]),
        certificate["follows"] or "",
    )


def ranking(seed, pairs):
    """The blinds of each stratum in the order of their tickets."""
    tickets = {}
    for stratum, blind in pairs:
        tickets.setdefault(stratum, []).append((H("XD1 ticket", seed, stratum, bytes.fromhex(blind)), blind))
    return {stratum: [blind for _, blind in sorted(ranked)] for stratum, ranked in tickets.items()}


def certificate_hash(certificate, frozen, seed, picks):
    return H(
        "XD1 certificate", frozen, seed, certificate["sealed_at"], lines(picks),
        bytes.fromhex(certificate["names_hash"]), bytes.fromhex(certificate["matches_hash"]),
    )


def names_hash(nonce, names):
    return H("XD1 names", nonce, lines((name,) for name in sorted(names)))


# ── The form of the public view ────────────────────────────────────────────────────────────────
# A form is an object's members ("?" marks one that may be absent), a list of one form, or a leaf: what it must be, in
# words, and a test.

def leaf(words, pattern):
    expression = re.compile(pattern)
    return words, lambda value: isinstance(value, str) and expression.fullmatch(value) is not None


def nullable(form):
    """A form, or null."""
    return {"null": form}


def is_time(value):
    pattern = r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+08:00"
    try:
        return re.fullmatch(pattern, value) is not None and datetime.datetime.fromisoformat(value) is not None
    except (TypeError, ValueError):
        return False


TEXT = leaf("一行非空的文字", r"[^\x00-\x1f\x7f\ud800-\udfff]+")
DIGEST = leaf("64 位小写十六进制", r"[0-9a-f]{64}")
STRATUM = leaf("组号，如 \"1\"", r"[1-9][0-9]{0,5}")
CODE = leaf("18 位统一社会信用代码", r"[0-9A-HJ-NP-RT-UWXY]{18}")
TIME = ("时刻，如 2026-11-24T09:00:00+08:00", is_time)
COUNT = ("整数", lambda value: type(value) is int and 0 <= value < 2**53)  # in Python, True is an int too
PAIR = {"stratum": STRATUM, "blind": DIGEST}
FROZEN = {
    "protocol": ("\"XD1\"", lambda value: value == "XD1"),
    "state": ("frozen、sealed 或 void", lambda value: value in ("frozen", "sealed", "void")),
    "draw": TEXT,
    "plan": TEXT,
    "follows": nullable(TEXT),
    "frozen_at": TIME,
    "candidates": [PAIR],
    "strata": [{"stratum": STRATUM, "candidates": COUNT, "quota": COUNT}],
    "list_hash": DIGEST,
    "secret_commitment": DIGEST,
    "key_commitment": DIGEST,
    "entropy": {"source": TEXT, "format": TEXT, "due": TIME},
    "inspectors_hash": DIGEST,
    "freeze_hash": DIGEST,
    "witness": nullable({"where": TEXT, "at": TIME}),
    "ledger?": {"seq": COUNT, "hash": DIGEST},
}
FORMS = {
    "frozen": FROZEN,
    "sealed": dict(
        FROZEN,
        entropy=dict(FROZEN["entropy"], value=TEXT),
        # Only what outsiders saw before the entropy existed can be sealed.
        witness=FROZEN["witness"]["null"],
        secret=DIGEST,
        seed=DIGEST,
        sealed_at=TIME,
        picks=[PAIR],
        names_hash=DIGEST,
        matches_hash=DIGEST,
        certificate_hash=DIGEST,
        **{"replacements?": [{"stratum": STRATUM, "removed": DIGEST, "taken": DIGEST, "reason": TEXT, "at": TIME}]}
    ),
    "void": dict(FROZEN, secret=DIGEST, void_reason=TEXT),
}
NAMES = {"nonce": DIGEST, "names": [CODE]}


def shown(value):
    """A value as it stands in a sentence."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 90 else text[:90] + "…"


def misfits(path, value, form):
    """A sentence for each place where a value has not the form."""
    if isinstance(form, tuple):
        words, test = form
        if not test(value):
            yield "字段 {}：写的是 {}，应为{}".format(path, shown(value), words)
    elif isinstance(form, list):
        if not isinstance(value, list):
            yield "字段 {}：写的是 {}，应为列表".format(path, shown(value))
        else:
            for place, inner in enumerate(value):
                yield from misfits("{}[{}]".format(path, place), inner, form[0])
    elif "null" in form:
        if value is not None:
            yield from misfits(path, value, form["null"])
    elif not isinstance(value, dict):
        yield "{}：写的是 {}，应为对象 {{…}}".format("字段 " + path if path else "证书", shown(value))
    else:
        known = {name.rstrip("?"): inner for name, inner in form.items()}
        for name in sorted(value.keys() - known.keys()):
            yield "字段 {}：不认识，应当没有这个字段".format((path + "." if path else "") + name)
        for name, inner in known.items():
            place = (path + "." if path else "") + name
            if name in value:
                yield from misfits(place, value[name], inner)
            elif name + "?" not in form:
                yield "字段 {}：缺少".format(place)


def unique(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError("字段 {} 重复出现".format(shown(next(name for name in names if names.count(name) > 1))))
    return members


def no_fraction(text):
    raise ValueError("{} 不是整数".format(text[:20]))


def whole(text):
    if len(text) > 20:
        raise ValueError("{}… 太大".format(text[:20]))
    return int(text)


def read(text):
    """The value of a JSON text in which no member stands twice and every number is whole."""
    hooks = dict(object_pairs_hook=unique, parse_int=whole, parse_float=no_fraction, parse_constant=no_fraction)
    try:
        return json.loads(text, **hooks)
    except RecursionError:
        raise ValueError("读不懂：括号套得太深") from None
    except json.JSONDecodeError as error:
        raise ValueError("读不懂：不是 JSON（第 {} 行第 {} 列）".format(error.lineno, error.colno)) from None
    except ValueError as error:
        raise ValueError("读不懂：{}".format(error)) from None


# ── The checks ─────────────────────────────────────────────────────────────────────────────────

def value_fits(form, value):
    """Whether an entropy value has the shape of its format: {…} stands for some text, the rest for itself."""
    parts = re.split(r"\{[^{}]*\}", form)
    return len(parts) == 1 or re.fullmatch(".+".join(map(re.escape, parts)), value) is not None


class Verification:
    """What recomputing one certificate showed: steps in order, each with its faults."""

    def __init__(self, text, published=None, names=None):
        self.steps = []  # (what holds when there is no fault, faults)
        self.unproven = []
        self.recomputed = {}
        self.certificate = {}
        self.published = published or {}
        try:
            self.step("格式：字段齐全，没有不认识或重复的字段")
            self.certificate = read(text)
            state = self.certificate.get("state") if isinstance(self.certificate, dict) else None
            form = FORMS.get(state if isinstance(state, str) else None, FROZEN)
            for sentence in misfits("", self.certificate, form):
                self.fault(sentence)
        except ValueError as error:
            self.fault(str(error))
        if self.holds():
            self.frozen()
            if self.certificate["state"] == "sealed":
                self.sealed(names)
            elif self.certificate["state"] == "void":
                self.void()
            for field, expected in self.published.items():
                self.step("{} 与别处公布的一致".format(field))
                self.same(field, self.certificate.get(field), expected)

    def holds(self):
        return not any(faults for _, faults in self.steps)

    def faults(self):
        return [fault for _, faults in self.steps for fault in faults]

    def step(self, holds):
        self.steps.append((holds, []))

    def fault(self, sentence):
        self.steps[-1][1].append(sentence)

    def same(self, field, found, expected):
        """Holds what the certificate says in a field against what it must say."""
        if isinstance(expected, bytes):
            expected = expected.hex()
        if found != expected:
            self.fault("字段 {}：写的是 {}，应为 {}".format(field, shown(found), shown(expected)))

    def ordered(self, *fields, strictly=False):
        """Times that must not go backwards: pairs of a field's name and its value."""
        for (earlier, before), (later, after) in zip(fields, fields[1:]):
            # All times are written alike in one zone, so that their texts compare as they do.
            if after < before or strictly and after == before:
                self.fault("字段 {}：写的是 {}，应{}于 {}（{}）".format(later, after, "晚" if strictly else "不早", earlier, before))

    def frozen(self):
        certificate = self.certificate
        pairs = [(one["stratum"], one["blind"]) for one in certificate["candidates"]]

        self.step("候选名单：{} 个代号按序排列，没有重复，校验值相符".format(len(pairs)))
        for place, (before, after) in enumerate(zip(pairs, pairs[1:]), start=1):
            if "\t".join(before) >= "\t".join(after):
                self.fault("字段 candidates[{}]：写的是 {}，应排在 {} 之后（按字节排序，不重复）".format(place, after, before))
        seen = {}
        for stratum, blind in pairs:
            if seen.setdefault(blind, stratum) != stratum:
                self.fault("字段 candidates：代号 {} 同时在第 {} 组和第 {} 组，应只在一组".format(blind, seen[blind], stratum))
        self.recomputed["list_hash"] = listed = list_hash(pairs)
        self.same("list_hash", certificate["list_hash"], listed)

        strata = certificate["strata"]
        self.step("分组：{} 组，候选数与名单相符，名额至少 1 个而少于候选数".format(len(strata)))
        self.same("strata", [one["stratum"] for one in strata], [str(number) for number in range(1, len(strata) + 1)])
        counts = {}
        for stratum, _ in pairs:
            counts[stratum] = counts.get(stratum, 0) + 1
        for stratum in sorted(counts.keys() - {one["stratum"] for one in strata}):
            self.fault("字段 candidates：有候选在第 {} 组，而 strata 没有这一组".format(stratum))
        if not strata:
            self.fault("字段 strata：写的是 []，应至少有一组")
        for place, one in enumerate(strata):
            self.same("strata[{}].candidates".format(place), one["candidates"], counts.get(one["stratum"], 0))
            if not 1 <= one["quota"] < one["candidates"]:
                self.fault(
                    "字段 strata[{}].quota：写的是 {}，应至少为 1 而小于候选数 {}".format(place, one["quota"], one["candidates"])
                )

        self.step("冻结：名单、名额、密值的校验值、随机来源与时间都在冻结校验值之内")
        self.recomputed["freeze_hash"] = freeze_hash(certificate, listed)
        self.same("freeze_hash", certificate["freeze_hash"], self.recomputed["freeze_hash"])
        if certificate["follows"] == certificate["draw"]:
            self.fault("字段 follows：写的是 {}，应为另一次抽查".format(shown(certificate["follows"])))

        frozen, due = ("frozen_at", certificate["frozen_at"]), ("entropy.due", certificate["entropy"]["due"])
        witness = certificate["witness"]
        self.step("时间：先冻结，{}随机来源后产生".format("再公布，" if witness else ""))
        self.ordered(frozen, due)
        if witness:
            seen_at = ("witness.at", witness["at"])
            self.ordered(frozen, seen_at)
            # A draw may be void for the very reason that it was published too late.
            if certificate["state"] != "void":
                self.ordered(seen_at, due, strictly=True)
            self.unproven.append("见证一项（{} 于 {} 公布冻结校验值）是否属实：请到该处核对".format(witness["where"], witness["at"]))
        else:
            self.unproven.append("冻结校验值曾在局外公布：证书没有见证一项")
        self.unproven.append("代号对应的企业是否正确、名单是否齐全：须看审计查阅的部分")
        self.unproven.append("key_commitment 与 inspectors_hash：须有抽查密钥与执法检查人员名录才能重算")
        if "freeze_hash" not in self.published:
            self.unproven.append("整张证书未被重新编造：请用 --freeze-hash 与当时公布的冻结校验值比对")
        self.unproven.append("证书之外的说明（{}台账位置）不在任何校验值之内：以台账为准".format(
            {"sealed": "替换的事由与时间、", "void": "作废事由、"}.get(certificate["state"], "")
        ))

    def secret(self):
        self.step("密值：公开的密值正是冻结时存下校验值的那一个")
        secret = bytes.fromhex(self.certificate["secret"])
        self.same("secret_commitment", self.certificate["secret_commitment"], H("XD1 secret", secret))
        return secret

    def void(self):
        self.secret()
        self.step("作废：没有种子，也没有抽中的企业")

    def sealed(self, names):
        certificate = self.certificate
        secret = self.secret()
        entropy = certificate["entropy"]

        self.step("随机来源：{}：{}，合于冻结时写明的格式".format(entropy["source"], entropy["value"]))
        if not value_fits(entropy["format"], entropy["value"]):
            self.fault("字段 entropy.value：写的是 {}，应合于格式 {}".format(shown(entropy["value"]), shown(entropy["format"])))
        self.ordered(("entropy.due", entropy["due"]), ("sealed_at", certificate["sealed_at"]))
        self.unproven.append("“{}”确是{}当时公布的结果：请与官方公告核对".format(entropy["value"], entropy["source"]))

        self.step("种子：由冻结校验值、密值和随机来源算出")
        seed = H("XD1 seed", self.recomputed["freeze_hash"], secret, entropy["value"])
        self.recomputed["seed"] = seed
        self.same("seed", certificate["seed"], seed)

        ranked = ranking(seed, [(one["stratum"], one["blind"]) for one in certificate["candidates"]])
        picks = [
            (one["stratum"], blind) for one in certificate["strata"] for blind in ranked.get(one["stratum"], [])[:one["quota"]]
        ]
        self.recomputed["picks"] = picks
        self.step("抽中：各组签号最小的共 {} 家，重算结果相同".format(len(picks)))
        found = [(one["stratum"], one["blind"]) for one in certificate["picks"]]
        self.same("picks 的个数", len(found), len(picks))
        for place, (one, expected) in enumerate(zip(found, picks)):
            self.same("picks[{}]".format(place), list(one), list(expected))

        self.step("证书校验值：抽中结果、封存时间、名单与配对的校验值都在其内")
        self.recomputed["certificate_hash"] = certificate_hash(certificate, self.recomputed["freeze_hash"], seed, picks)
        self.same("certificate_hash", certificate["certificate_hash"], self.recomputed["certificate_hash"])

        self.replacements(ranked, {blind for _, blind in picks})
        if names is None:
            self.unproven.append("names_hash 与 matches_hash：须有随名单公布的随机数才能重算（名单可用 --names 核对）")
        else:
            self.names(names, len(picks))
            self.unproven.append("matches_hash：须看审计查阅的部分")
        if "certificate_hash" not in self.published:
            self.unproven.append("封存之后的内容未被重新编造：请用 --certificate-hash 与当时公布的证书校验值比对")

    def replacements(self, ranked, standing):
        replacements = self.certificate.get("replacements", [])
        if not replacements:
            return
        self.step("替换：{} 次，每次都是同组签号的下一家".format(len(replacements)))
        waiting = {stratum: [blind for blind in blinds if blind not in standing] for stratum, blinds in ranked.items()}
        group = {blind: stratum for stratum, blinds in ranked.items() for blind in blinds}
        earlier = ("sealed_at", self.certificate["sealed_at"])
        for place, one in enumerate(replacements):
            field = "replacements[{}].".format(place)
            self.ordered(earlier, (field + "at", one["at"]))
            earlier = (field + "at", one["at"])
            if one["removed"] not in standing or group.get(one["removed"]) != one["stratum"]:
                self.fault("字段 {}removed：写的是 {}，应为第 {} 组抽中且未被替换的一家".format(field, one["removed"], one["stratum"]))
            next_ones = waiting.get(one["stratum"], [])
            if not next_ones:
                self.fault("字段 {}taken：写的是 {}，而第 {} 组已没有可以递补的候选".format(field, one["taken"], one["stratum"]))
                continue
            taken = next_ones.pop(0)
            self.same(field + "taken", one["taken"], taken)
            standing.discard(one["removed"])
            standing.add(taken)

    def names(self, names, expected):
        self.step("名单：公布的 {} 家正是封存时写入校验值的名单".format(len(names["names"])))
        self.same("names 的个数", len(names["names"]), expected)
        if len(set(names["names"])) != len(names["names"]):
            self.fault("名单里有重复的统一社会信用代码")
        self.recomputed["names_hash"] = names_hash(bytes.fromhex(names["nonce"]), names["names"])
        self.same("names_hash", self.certificate["names_hash"], self.recomputed["names_hash"])

    def summary(self):
        """One JSON object for programs."""
        def plain(value):
            if isinstance(value, bytes):
                return value.hex()
            return [{"stratum": stratum, "blind": blind} for stratum, blind in value]

        draw = self.certificate.get("draw") if isinstance(self.certificate, dict) else None
        recomputed = {name: plain(value) for name, value in self.recomputed.items()}
        return dict(draw=draw, ok=self.holds(), **recomputed)


# ── Command line ───────────────────────────────────────────────────────────────────────────────

def texts(file):
    """The certificates of a file, or of lines of JSON, with the name of each."""
    if file == "-" or file.endswith(".jsonl"):
        with sys.stdin.buffer if file == "-" else open(file, "rb") as source:
            for number, line in enumerate(source, start=1):
                if line.strip():
                    yield "{} 第 {} 行".format("标准输入" if file == "-" else file, number), line
    else:
        with open(file, "rb") as source:
            yield file, source.read()


def decoded(data):
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ""  # which is no JSON either


def tell(name, verification):
    """Prints what one certificate shows."""
    print("{}：".format(name))
    for holds, faults in verification.steps:
        if not faults:
            print("  ✓ {}".format(holds))
        for fault in faults[:SHOWN]:
            print("  × {}".format(fault))
        if len(faults) > SHOWN:
            print("  × 另有 {} 处".format(len(faults) - SHOWN))
    if verification.holds():
        print("  结论：通过。公开部分可以重算的，重算结果都相同")
        for sentence in verification.unproven:
            print("  ！不能证明：{}".format(sentence))
    else:
        print("  结论：不通过，共 {} 处".format(len(verification.faults())))


def digest(text):
    if not DIGEST[1](text):
        raise argparse.ArgumentTypeError("应为{}".format(DIGEST[0]))
    return text


def read_names(file):
    with open(file, "rb") as source:
        names = read(decoded(source.read()))
    for sentence in misfits("", names, NAMES):
        raise ValueError(sentence)
    return names


def main():
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a console without Chinese shows "?" and goes on
    parser = argparse.ArgumentParser(description="核验抽查摇号证书（格式见 docs/draw.md）")
    parser.add_argument("files", nargs="+", metavar="证书.json", help="一张证书；.jsonl 文件或 - （标准输入）每行一张")
    parser.add_argument("--freeze-hash", type=digest, metavar="校验值", help="当时在局外公布的冻结校验值")
    parser.add_argument("--certificate-hash", type=digest, metavar="校验值", help="另行公布的证书校验值")
    parser.add_argument("--names", metavar="名单.json", help='公布的名单：{"nonce": "…", "names": ["统一社会信用代码", …]}')
    parser.add_argument("--json", action="store_true", help="每张证书输出一行 JSON，供程序比对")
    arguments = parser.parse_args()
    published = {"freeze_hash": arguments.freeze_hash, "certificate_hash": arguments.certificate_hash}
    published = {field: value for field, value in published.items() if value}
    try:
        names = read_names(arguments.names) if arguments.names else None
    except (OSError, ValueError) as error:
        parser.error("读不出名单 {}：{}".format(arguments.names, error))

    holds = True
    for file in arguments.files:
        try:
            for name, data in texts(file):
                verification = Verification(decoded(data), published, names)
                holds = holds and verification.holds()
                if arguments.json:
                    print(json.dumps(verification.summary(), ensure_ascii=False))
                else:
                    tell(name, verification)
        except OSError as error:
            holds = False
            print("读不出 {}：{}".format(file, error.strerror), file=sys.stderr)
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
