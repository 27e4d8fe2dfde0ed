"""The product's ledger against verify_ledger.py, which was written from docs/ledger-format.md alone:
the document's example, then an export of the real program; whole, it is accepted, and every
alteration is found.

usage: ledger.py [FOLDER OF BUILT PROGRAMS]
"""

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from stdnum.cn import uscc

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from verify_ledger import canonical, own_sm3  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
VERIFY = ROOT / "tools/verify_ledger.py"
CHANGED_BYTES = 60
# Characters that JSON, CSV and encodings stumble over.
NAMES = ['衡东"甲"食品店', "反斜\\杠商行", "斜/杠，逗号,商行", "𠮷野家🍜面馆", "衡山（集团）有限公司", "カ\u3099与ガ商行"]
HEADER = [
    "统一社会信用代码", "主体身份代码", "企业名称（字号名称）", "企业类型大类（中文）", "登记状态（中文）",
    "住所（登记、个体户经营场所）", "法定代表人(经营者姓名)", "注册资本(资金数额)", "成立日期", "核准日期（登记、吊销、注销日期）",
]


def entities(count):
    chance = random.Random(count)
    for number in range(count):
        body = "91999901" + "".join(chance.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=9))
        yield [
            body + uscc.calc_check_digit(body), "Z{:08}".format(number), "{}{}".format(NAMES[number % len(NAMES)], number),
            "有限责任公司", "存续", "衡东路{}号".format(number), "王小{}".format(number), "50", "2020-03-01", "2026-11-20",
        ]


def verify(export, *against, after=None):
    """The exit code and the words of verify_ledger.py."""
    command = [sys.executable, VERIFY, export] + [part for head in against for part in ("--against", head)]
    command += ["--after", after] if after else []
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    return done.returncode, done.stdout


def accepted(export, *against):
    code, words = verify(export, *against)
    assert code == 0, words


def found(what, export, lines, *against):
    """Writes an altered export and expects that it is found out."""
    export.write_bytes(b"".join(lines))
    code, words = verify(export, *against)
    assert code == 1, "{} was not found (exit code {}):\n{}".format(what, code, words)


def rewritten(lines, at):
    """The ledger with one record changed and every hash from there on made to fit."""
    lines = list(lines)
    for number in range(at, len(lines)):
        record = json.loads(lines[number])
        previous = json.loads(lines[number - 1])["hash"] if number else "0" * 64
        if number == at:
            record["source_unit" if "source_unit" in record else "object"] += "X"
        del record["hash"]
        record["hash"] = own_sm3(bytes.fromhex(previous) + canonical(record).encode()).hex()
        lines[number] = canonical(record).encode() + b"\n"
    return lines


def alterations(folder, export, head):
    """Every alteration of section 7 that is in the ledger itself."""
    altered = folder / "altered.jsonl"
    lines = export.read_bytes().splitlines(keepends=True)
    whole = b"".join(lines)
    chance = random.Random(7)
    for _ in range(CHANGED_BYTES):
        at = chance.randrange(len(whole))
        changed = bytes([whole[at] ^ (1 << chance.randrange(8))])
        found("a changed byte at {}".format(at), altered, [whole[:at], changed, whole[at + 1:]])
    middle = len(lines) // 2
    found("a removed record", altered, lines[:middle] + lines[middle + 1:])
    found("a repeated record", altered, lines[:middle] + lines[middle - 1:])
    found("two exchanged records", altered, lines[:middle] + [lines[middle + 1], lines[middle]] + lines[middle + 2:])
    found("other spacing", altered, lines[:-1] + [lines[-1].replace(b'"seq":', b'"seq": ')])
    found("a removed tail", altered, lines[:-1], head)
    forged = rewritten(lines, middle)
    found("a rewritten tail", altered, forged, head)
    accepted(altered)  # without an earlier head nobody can tell: the document says so


def document_example(folder):
    text = (ROOT / "docs/ledger-format.md").read_text(encoding="utf-8")
    export, head = folder / "example.jsonl", folder / "example.json"
    export.write_text(text.split("```jsonl\n")[1].split("```")[0], encoding="utf-8")
    head.write_text(text.split("```json\n")[1].split("```")[0], encoding="utf-8")
    accepted(export, head)
    alterations(folder, export, head)


def product(folder, built):
    """Two editions of a registry's dump through the real program: the second supersedes."""
    def xinheng(*arguments):
        environment = dict(os.environ, XINHENG_DATABASE="sqlite:{}".format(folder / "xinheng.db"))
        command = [built / "xinheng"] + list(arguments)
        return subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, check=True).stdout

    def hand_in(name, rows):
        with open(folder / name, "w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([HEADER] + rows)
        summary = json.loads(xinheng("import", name, "--json"))["files"][0]
        assert summary["accepted"] == summary["rows"] == len(rows), summary

    rows = list(entities(300))
    hand_in("first.csv", rows)
    early = folder / "early.json"
    early.write_bytes(xinheng("ledger", "head", "--json"))
    hand_in("second.csv", [row[:4] + ["注销"] + row[5:9] + ["2026-11-23"] for row in rows[:100]])
    head = folder / "head.json"
    head.write_bytes(xinheng("ledger", "head", "--json"))
    export = folder / "export.jsonl"
    xinheng("ledger", "export", "export.jsonl")
    accepted(export, early, head)
    records = [json.loads(line) for line in export.read_bytes().splitlines()]
    assert any(record["supersedes"] for record in records), "the second edition supersedes the first"
    assert any(record["personal"] for record in records), "legal representatives are committed to"
    alterations(folder, export, head)
    return len(records), audit_log(folder, xinheng)


def audit_log(folder, xinheng):
    """Two exports of the audit log, the second of what came after the first: each act here is on it."""
    first, second = folder / "first-audit.jsonl", folder / "second-audit.jsonl"
    earlier, head = folder / "first-audit.json", folder / "second-audit.json"
    for number in range(8):
        xinheng("audit", "export", "copy-{}.jsonl".format(number))
    earlier.write_bytes(xinheng("audit", "export", first.name, "--json"))
    for number in range(8):
        xinheng("audit", "export", "copy-{}.jsonl".format(number))
    head.write_bytes(xinheng("audit", "export", second.name, "--after", earlier.name, "--json"))
    accepted(first, earlier)
    code, words = verify(second, head, after=earlier)
    assert code == 0 and "第 10 条至第 18 条" in words, words
    assert verify(second, head)[0] == 1, "the second begins where the first ends"
    alterations(folder, first, earlier)
    xinheng("audit", "verify", "--against", earlier.name, "--against", head.name)
    return json.loads(head.read_bytes())["head"]["seq"]


def main():
    built = Path(sys.argv[1] if len(sys.argv) > 1 else "target/debug").resolve()
    with tempfile.TemporaryDirectory() as folder:
        document_example(Path(folder))
        records, lines = product(Path(folder), built)
    print("  台账：格式文档的例子与程序导出的 {} 条、审计日志 {} 条通过独立核验，改动、截尾、改写均被发现".format(records, lines))


if __name__ == "__main__":
    main()
