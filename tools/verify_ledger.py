#!/usr/bin/env python3
"""核验信衡台账或审计日志的导出文件：python3 verify_ledger.py 台账.jsonl [--after 账头.json] [--against 回执.json …]

Checks an export of Xinheng's ledger or audit log offline, with nothing but Python's standard library (3.8 or
later). It was written from docs/ledger-format.md and shares no code with the product, so that an
auditor need not trust the product: section numbers below are those of that document.

Exit codes: 0 everything holds; 1 something does not; 2 wrong usage or an unreadable file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import struct
import sys

SHOWN = 20  # findings printed in full; the rest are counted


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


# ── The form of a record (sections 1 and 2) ────────────────────────────────────────────────────

def is_text(value):
    return isinstance(value, str)


def is_integer(value):
    return type(value) is int and -2**63 <= value < 2**63  # in Python, True is an int too


def is_seq(value):
    return is_integer(value) and value >= 1


def matches(pattern):
    expression = re.compile(pattern, re.ASCII)
    return lambda value: is_text(value) and expression.fullmatch(value) is not None


def is_null(value):
    return value is None


def either(*tests):
    return lambda value: any(test(value) for test in tests)


def maps_to(test):
    return lambda value: isinstance(value, dict) and all(test(inner) for inner in value.values())


is_day = matches(r"\d{4}-\d{2}-\d{2}")
is_hash = matches(r"[0-9a-f]{64}")

MOMENT = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z"
is_plain = either(is_text, is_integer, lambda value: isinstance(value, bool))

LEDGER = {
    "document_number": either(is_text, is_null),
    "enterprise": either(matches(r"[0-9A-HJ-NP-RT-UWXY]{18}"), is_null),
    "hash": is_hash,
    "id": matches(r"(0|[1-9]\d*)\.[1-9]\d*\.(0|[1-9]\d*)"),
    "kind": is_text,
    "occurred_on": is_day,
    "payload": maps_to(is_plain),
    "personal": maps_to(is_hash),
    "received_at": matches(MOMENT),
    "seq": is_seq,
    "source_unit": is_text,
    "supersedes": either(is_seq, is_null),
    "version": either(is_day, is_null),
    "withdrawn": lambda value: isinstance(value, bool),
}

# Section 9.
AUDIT = {
    "account": is_text,
    "at": matches(MOMENT),
    "detail": maps_to(is_plain),
    "event": is_text,
    "hash": is_hash,
    "object": is_text,
    "outcome": matches("done|refused"),
    "request": is_text,
    "roles": is_text,
    "seq": is_seq,
    "source": is_text,
    "staff": either(is_integer, is_null),
    "unit": is_text,
}


def canonical(value):
    """The one spelling of a value: keys in code-point order, no white space, few escapes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def no_fraction(text):
    raise ValueError("不是整数：" + text)


def read_record(line, fields):
    """The record of a line of the export, with just these fields; ValueError says what is wrong with it."""
    if not line.endswith(b"\n"):
        raise ValueError("行末没有换行，文件可能不完整")
    try:
        text = line[:-1].decode("utf-8")
        record = json.loads(text, parse_float=no_fraction, parse_constant=no_fraction)
    except (ValueError, RecursionError) as error:
        raise ValueError("不是一行 JSON（{}）".format(error))
    if not isinstance(record, dict) or record.keys() != fields.keys():
        raise ValueError("字段与格式不符")
    for name, test in fields.items():
        if not test(record[name]):
            raise ValueError("字段 {} 的值不合格式".format(name))
    if canonical(record) != text:
        raise ValueError("不是规范写法（键序、空白、转义或重复的键）")
    return record


def fields_of(line):
    """The fields of the chain that the first line of an export is of: the audit log's lines have an account."""
    return AUDIT if line.startswith(b'{"account":') else LEDGER


# ── The chain (section 3) and the export (section 5) ───────────────────────────────────────────

class Chain:
    """What reading an export found."""

    def __init__(self, wanted, after):
        self.findings = []
        self.fields = LEDGER
        self.seq = after["seq"]  # the newest record's place …
        self.hash = after["hash"]  # … and hash; None where the line cannot be read
        self.wanted = wanted  # places whose hashes are kept, to be compared
        self.first = self.seq
        self.kept = {self.seq: self.hash}

    def title(self):
        return "审计日志" if self.fields is AUDIT else "台账"

    def find(self, number, finding):
        self.findings.append("第 {} 行：{}".format(number, finding))

    def read(self, lines, sm3):
        """Checks every line. After a fault it goes on from what the line says of itself, so that
        one fault is one finding."""
        for number, line in enumerate(lines, start=1):
            if number == 1:
                self.fields = fields_of(line)
            try:
                record = read_record(line, self.fields)
                self.check(number, record, sm3)
                self.seq, self.hash = record["seq"], record["hash"]
            except ValueError as error:
                self.find(number, error)
                self.seq, self.hash = self.seq + 1, None
            if self.seq in self.wanted:
                self.kept[self.seq] = self.hash
            if number % 100000 == 0:
                print("已核验 {} 条…".format(number), file=sys.stderr)

    def check(self, number, record, sm3):
        """The place of a record and its link to the one before."""
        if record["seq"] != self.seq + 1:
            self.find(number, "序号应为 {}，实为 {}：有记录缺失、多出或换位".format(self.seq + 1, record["seq"]))
        if (record.get("supersedes") or 0) >= record["seq"]:
            self.find(number, "它所取代的记录（{}）不在它之前".format(record["supersedes"]))
        if self.hash is None:
            return  # the line before cannot be read, which is a finding already
        content = {name: value for name, value in record.items() if name != "hash"}
        expected = sm3(bytes.fromhex(self.hash) + canonical(content).encode("utf-8")).hex()
        if record["hash"] != expected:
            self.find(number, "哈希与内容不符，这一条被改动，或前一条不是原来的（应为 {}，实为 {}）".format(expected, record["hash"]))

    def compare(self, name, head):
        """Holds an earlier head against the export (section 6)."""
        seq, then = head["seq"], head["hash"]
        if seq < self.first:
            self.findings.append("{}：第 {} 条在 --after 的账头之前，不在这个文件里，无法比对".format(name, seq))
        elif seq > self.seq:
            self.findings.append("{}：当时{}已有 {} 条，现在只有 {} 条：末尾被截去".format(name, self.title(), seq, self.seq))
        elif self.kept.get(seq) != then:
            now = self.kept.get(seq) or "读不出"
            self.findings.append(
                "{}：第 {} 条当时的哈希是 {}，现在是 {}：这一条或更早的记录被改写".format(name, seq, then, now)
            )


def read_head(name):
    """The head in a file: the output of `ledger head --json`, or a receipt with a member `head`."""
    with open(name, encoding="utf-8-sig") as file:
        document = json.load(file)
    head = document.get("head", document) if isinstance(document, dict) else None
    if not isinstance(head, dict) or not is_integer(head.get("seq")) or head["seq"] < 0 or not is_hash(head.get("hash")):
        raise ValueError("应有 seq（序号）与 hash（64 位小写十六进制）")
    return head


# ── Command line ───────────────────────────────────────────────────────────────────────────────

def refuse(sentence):
    """Ends with exit code 2."""
    print(sentence, file=sys.stderr)
    sys.exit(2)


def self_test():
    """Shows which implementations of SM3 give the standard's examples."""
    own, library = right(own_sm3), right(library_sm3)
    print("本程序的 SM3：{}".format("与标准示例一致" if own else "与标准示例不符"))
    print("OpenSSL 的 SM3：{}".format("与标准示例一致" if library else "没有，将使用本程序的"))
    return 0 if own else 1


def main():
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a console without Chinese shows "?" and goes on
    parser = argparse.ArgumentParser(description="核验信衡台账或审计日志的导出文件（格式见 docs/ledger-format.md）")
    parser.add_argument(
        "export", nargs="?", metavar="台账.jsonl", help="xinheng ledger export 或 xinheng audit export 导出的文件"
    )
    parser.add_argument("--after", metavar="账头.json", help="导出时的 --after：文件从这个账头之后开始")
    parser.add_argument(
        "--against", action="append", default=[], metavar="回执.json", help="早先的账头或回执，可重复；用来发现截尾与改写"
    )
    parser.add_argument("--self-test", action="store_true", help="用标准的示例检验 SM3，然后结束")
    arguments = parser.parse_args()
    if arguments.self_test:
        sys.exit(self_test())
    if arguments.export is None:
        parser.error("请给出导出文件")
    if arguments.export.endswith(".zst"):
        refuse("文件是压缩的，请先解压：zstd -d {}".format(arguments.export))

    def earlier(name):
        try:
            return read_head(name)
        except (OSError, ValueError) as error:
            refuse("读不出账头或回执 {}：{}".format(name, error))

    heads = [(name, earlier(name)) for name in arguments.against]
    after = earlier(arguments.after) if arguments.after else {"seq": 0, "hash": "0" * 64}
    chain = Chain({head["seq"] for _, head in heads}, after)
    try:
        with open(arguments.export, "rb") as lines:
            chain.read(lines, library_sm3 if right(library_sm3) else own_sm3)
    except OSError as error:
        refuse("读不出 {}：{}".format(arguments.export, error.strerror))
    for name, head in heads:
        chain.compare(name, head)

    print("{}：第 {} 条至第 {} 条".format(chain.title(), after["seq"] + 1, chain.seq))
    print("账头：{}".format(canonical({"hash": chain.hash, "seq": chain.seq})))
    for finding in chain.findings[:SHOWN]:
        print("× {}".format(finding))
    if len(chain.findings) > SHOWN:
        print("× 另有 {} 处".format(len(chain.findings) - SHOWN))
    if chain.findings:
        print("结论：不通过，共 {} 处".format(len(chain.findings)))
        sys.exit(1)
    print("结论：通过。序号连续，每条的写法规范，哈希逐条相连{}".format("，与早先的 {} 个账头一致".format(len(heads)) if heads else ""))
    if not heads:
        print("提示：末尾是否被截去或整体重写，只有与早先的回执比对才能发现（--against）")


if __name__ == "__main__":
    main()
