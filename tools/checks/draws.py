"""Draw certificates: the worked examples, the schema, verify_draw.py, and the verifier of the public page, each made from
docs/draw.md, against each other; whole, a certificate is accepted, and every alteration is found or named as one that
no hash covers.

usage: draws.py [FOLDER OF BUILT PROGRAMS]
"""

import copy
import io
import itertools
import json
import random
import re
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs/draw-examples"
sys.path[:0] = [str(ROOT / "tools"), str(EXAMPLES)]
import make  # noqa: E402
from verify_draw import Verification, decoded, own_sm3, read, right, tell  # noqa: E402

RANDOM = 1000
# What docs/draw.md says that no hash of the protocol covers.
UNCOVERED = {"witness.where", "witness.at", "void_reason", "replacements.reason", "replacements.at", "ledger.seq", "ledger.hash"}
# The table of the design's sealed example.
SEALED = {
    "list_hash": "11cc329d3538359fd8a19d1d91f7a7542842a07423226cb1ba65cb842e2cc653",
    "freeze_hash": "009c196f30385f2f869a843cd38f1d02373556457fdd56ecc807683d2715e619",
    "seed": "d2fc90a38938d1d59d8377efeccbae677aca62988ebe95e882a6d99b4aabbf02",
    "names_hash": "c468eab64c0ece6f2171851e10792061c03e7854a9c32ac48e9a1018810ea6cd",
    "certificate_hash": "9eb312e0a1d226d4fd0d7a6a0f1bb00d63fbf3ff584e9be5714d46c5e5a18326",
}
SCHEMA = Draft202012Validator(json.loads((ROOT / "docs/draw-certificate.schema.json").read_text(encoding="utf-8")))


def faults(certificate, **published):
    return Verification(json.dumps(certificate, ensure_ascii=False), published).faults()


def leaves(value, path=()):
    """The path of every value that is neither object nor list."""
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, path + (key,))
    else:
        yield path


def objects(value, path=()):
    if isinstance(value, dict):
        yield path
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from objects(inner, path + (key,))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def other(value):
    """Another value of the same form: the alteration that is hardest to see."""
    if value is None:
        return "2026-0000"
    if isinstance(value, int):
        return value + 1
    if value in ("frozen", "sealed", "void"):
        return "void" if value != "void" else "frozen"
    if re.fullmatch("[0-9a-f]{64}", value):
        return ("1" if value[0] == "0" else "0") + value[1:]
    if re.fullmatch("[0-9]+", value):
        return str(int(value) + 1)
    time = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:)(\d\d)(\+08:00)", value)
    return "{}{:02}{}".format(time[1], (int(time[2]) + 1) % 60, time[3]) if time else value + "1"


def altered(certificate, path):
    changed = copy.deepcopy(certificate)
    at(changed, path[:-1])[path[-1]] = other(at(certificate, path))
    return changed


def examples():
    """The examples as they stand, accepted by all, and as make.py makes them anew."""
    for name, value in make.examples():
        committed = (EXAMPLES / name).read_text(encoding="utf-8")
        assert json.loads(committed) == json.loads(json.dumps(value)), "{} is not what make.py makes".format(name)
        if name.count(".") == 1:
            SCHEMA.validate(value)
            verification = Verification(committed)
            assert verification.holds(), verification.faults()
            for field, digest in verification.recomputed.items():
                if isinstance(digest, bytes):
                    assert digest.hex() == value[field], "{}: {}".format(name, field)
            yield value
    sealed = json.loads((EXAMPLES / "sealed.json").read_text(encoding="utf-8"))
    assert SEALED.items() <= sealed.items()
    matched, names = (json.loads((EXAMPLES / name).read_text()) for name in ("matched.json", "matched.names.json"))
    assert Verification(json.dumps(matched), names=names).holds()
    names["names"][0] = names["names"][1]
    assert not Verification(json.dumps(matched), names=names).holds()


def alterations(certificates):
    """Every leaf changed, every member left out, one put in: found, or named as covered by nothing."""
    count = 0
    for certificate in certificates:
        published = {"freeze_hash": certificate["freeze_hash"]}
        for path in leaves(certificate):
            count += 1
            name = ".".join(key for key in path if isinstance(key, str))
            if name not in UNCOVERED:
                assert faults(altered(certificate, path), **published), "{} altered was not found".format(path)
        for path in objects(certificate):
            for key in at(certificate, path):
                count += 1
                lacking = copy.deepcopy(certificate)
                del at(lacking, path)[key]
                optional = not path and key in ("ledger", "replacements")
                assert bool(faults(lacking)) != optional, "without {} {}".format(path, key)
                assert SCHEMA.is_valid(lacking) == optional, "without {} {}".format(path, key)
            more = copy.deepcopy(certificate)
            at(more, path)["note"] = "1"
            assert faults(more) and not SCHEMA.is_valid(more), "an unknown member in {}".format(path)
    for name in ("witness.at", "void_reason", "replacements.reason", "ledger.seq"):
        found = [one for one in certificates for path in leaves(one) if ".".join(filter(lambda key: isinstance(key, str), path)) == name]
        assert found, "no example has {}".format(name)
    return count


def broken(certificate):
    """Variants that the schema must refuse, and the verifier with it."""
    for path, value in [
        (("protocol",), "XD2"), (("state",), "open"), (("state",), []), (("draw",), ""), (("draw",), 7), (("plan",), "a\nb"),
        (("frozen_at",), "2026-11-24 09:00:00"), (("frozen_at",), "2026-11-24T09:00:00Z"), (("frozen_at",), "2026-11-24T09:00:00+08:00\n"),
        (("candidates",), []), (("candidates",), {}), (("candidates", 0), "1"), (("candidates", 0, "stratum"), "01"),
        (("candidates", 0, "blind"), "A" * 64), (("candidates", 0, "blind"), "a" * 63), (("candidates", 0, "blind"), "a" * 64 + "\n"),
        (("strata",), []), (("strata", 0, "quota"), 0), (("strata", 0, "quota"), -1), (("strata", 0, "quota"), "1"),
        (("strata", 0, "quota"), 1.5), (("strata", 0, "quota"), True), (("strata", 0, "candidates"), 2**60), (("entropy",), None), (("entropy", "value"), ""),
        (("witness",), None), (("follows",), 3), (("picks",), []), (("secret",), None), (("replacements",), None),
    ]:
        variant = copy.deepcopy(certificate)
        at(variant, path[:-1])[path[-1]] = value
        assert not SCHEMA.is_valid(variant), "the schema accepts {} {!r}".format(path, value)
        assert faults(variant), "the verifier accepts {} {!r}".format(path, value)


def rewritten(sealed):
    """A whole other draw in the clothes of this one holds by itself; only the hash seen elsewhere tells."""
    forged = make.Draw(*make.keys("forged"), make.DESIGN, {"1": 1, "2": 2}).seal().certificate
    assert not faults(forged)
    assert faults(forged, freeze_hash=sealed["freeze_hash"])
    # Only what comes after the seal exchanged, with a certificate hash that fits.
    late = make.design()
    late.nonce = bytes(32)
    late = late.seal().certificate
    assert not faults(late, freeze_hash=sealed["freeze_hash"])
    assert faults(late, certificate_hash=sealed["certificate_hash"])


def malformed(certificate):
    """Whatever the input, an answer and never a traceback."""
    text = json.dumps(certificate, ensure_ascii=False, indent=1).encode()
    chance = random.Random(1)
    inputs = [b"", b"\xff", b"null", b"[]", b'"x"', b"1", b"{}", b"[" * 100000, b'{"state":{}}', b'{"a":1,"a":1}', b"1e999", b"NaN", b"9" * 9999]
    inputs += [text.replace(b'"protocol"', b'"plan": "x", "protocol"'), text.replace(b'"quota": 1', b'"quota": 1.0'), text + b"x"]
    inputs += [text.replace(b"2026-0001", rb"\ud800"), text.replace(b'"reason": "', b'"reason": "\x00')]
    for _ in range(400):
        place = chance.randrange(len(text))
        inputs.append(text[:place] + bytes([chance.randrange(256)]) + text[place + chance.randrange(3):])
        inputs.append(text[:place])
    for data in inputs:
        verification = Verification(decoded(data))
        with redirect_stdout(io.StringIO()):
            tell("x", verification)
        if not verification.holds():
            assert all(verification.faults())
            continue
        changed = read(decoded(data))
        differing = [path for path in leaves(certificate) if at(changed, path) != at(certificate, path)]
        assert all(".".join(key for key in path if isinstance(key, str)) in UNCOVERED for path in differing), data
    return len(inputs)


def answers(command, texts):
    done = subprocess.run(command, input="".join(text + "\n" for text in texts), stdout=subprocess.PIPE, encoding="utf-8", cwd=ROOT)
    return [json.loads(line) for line in done.stdout.splitlines()]


def programs(built, texts):
    """What the built program says of each text."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "{}.json".format(place) for place in range(len(texts))]
        for file, text in zip(files, texts):
            file.write_text(text, encoding="utf-8")
        done = subprocess.run([Path(built) / "xinheng", "verify", "--json", *files], stdout=subprocess.PIPE, encoding="utf-8")
        return json.loads(done.stdout)


def three_ways(built):
    """Random certificates and one alteration of each: generator, script and page say the same."""
    chance = random.Random(20261124)
    certificates = [make.random_draw(chance).certificate for _ in range(RANDOM)]
    changed = [altered(one, chance.choice(list(leaves(one)))) for one in certificates]
    texts = [json.dumps(one, ensure_ascii=chance.random() < 0.5) for one in certificates + changed]
    script = answers([sys.executable, "tools/verify_draw.py", "-", "--json"], texts)
    page = answers(["node", "crates/web/tests/verify_certificates.mjs"], texts)
    assert len(script) == len(page) == len(texts)
    for text, one, two in zip(texts, script, page):
        sentences = two.pop("faults")
        assert one == two, "script and page differ on {}\n{}\n{}\n{}".format(text, one, two, sentences)
    for text, one, two in zip(texts, script, programs(built, texts) if built else script):
        assert one["ok"] == two["ok"], "the program differs on {}\n{}\n{}".format(text, one, two)
    for certificate, one in zip(certificates, script):
        assert one["ok"] and all(certificate[field] == one[field] for field in one.keys() - {"ok"})
    for certificate in certificates[:50]:
        SCHEMA.validate(certificate)
    return sum(not one["ok"] for one in script[RANDOM:])


def matchings():
    """Flow against trying everything, on directories small enough for that."""
    def staffable(visits, inspectors, capacity):
        if not visits:
            return True
        able = [one for one in inspectors if capacity[one.id] and visits[0] not in one.recusals]
        return any(
            staffable(visits[1:], inspectors, {id: room - (id in (lead.id, second.id)) for id, room in capacity.items()})
            for lead in able if lead.leads for second in able if second is not lead
        )

    chance = random.Random(2)
    found = set()
    for _ in range(400):
        candidates = [bytes([number] * 32).hex() for number in range(chance.randrange(2, 6))]
        inspectors = [
            make.Inspector(str(id), ["lead"] if chance.random() < 0.5 else [], chance.randrange(4),
                           [one for one in candidates if chance.random() < 0.2])
            for id in range(chance.randrange(2, 6))
        ]
        capacity = {one.id: one.capacity for one in inspectors}
        full = make.full_matching(candidates, inspectors, capacity)
        assert full == staffable(candidates, inspectors, capacity)
        half = len(candidates) // 2 or 1
        strata = {"1": candidates[:half], "2": candidates[half:]}
        quotas = {name: chance.randrange(len(blinds) + 1) for name, blinds in strata.items()}
        outcomes = itertools.product(*(itertools.combinations(strata[name], quotas[name]) for name in strata))
        always = all(staffable(list(sum(outcome, ())), inspectors, capacity) for outcome in outcomes)
        assert make.enough_for_any_outcome(strata, quotas, inspectors) == always
        found.add((full, always))
    assert found >= {(True, True), (False, False), (False, True)}
    visits = json.loads((EXAMPLES / "matched.auditor.json").read_text(encoding="utf-8"))["visits"]
    assert any(visit["passed_over"] for visit in visits), "the example shows a team passed over"


def main():
    assert right(own_sm3), "verify_draw.py's own SM3"
    certificates = list(examples())
    by_state = {one["state"]: one for one in certificates}
    changes = alterations(certificates)
    sealed = certificates[1]
    broken(make.three_strata().certificate)
    rewritten(sealed)
    inputs = malformed(make.three_strata().certificate)
    matchings()
    built = sys.argv[1] if len(sys.argv) > 1 else None
    found = three_ways(built)
    assert len(by_state) == 3
    print("  摇号证书：{} 个例子逐字节相符，{} 处改动与 {} 种坏文件均得到应有的回答；".format(len(certificates), changes, inputs))
    print("  随机证书 {} 张及其改动（{} 张被发现），{}结果相同".format(RANDOM, found, "Python、网页与 xinheng verify 三种核验程序" if built else "Python 与网页两种核验程序"))


if __name__ == "__main__":
    main()
