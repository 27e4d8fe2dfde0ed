"""Our credit codes against python-stdnum, on 100,000 random and mutated codes.

usage: credit_codes.py [FOLDER OF BUILT PROGRAMS]
"""

import random
import subprocess
import sys
from pathlib import Path

from stdnum.cn import uscc

COUNT = 100_000
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
DIGITS = "0123456789"
EVERY_LETTER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def valid(chance):
    """A code of the right form with its check character; one in five begins with a letter."""
    first = ALPHABET if chance.random() < 0.2 else DIGITS
    head = "".join(chance.choices(first, k=2)) + "".join(chance.choices(DIGITS, k=6))
    body = head + "".join(chance.choices(ALPHABET, k=9))
    return body + uscc.calc_check_digit(body)


def swap(chance, code):
    at = chance.randrange(17)
    return code[:at] + code[at + 1] + code[at] + code[at + 2:]


def replace(chance, code, characters):
    at = chance.randrange(18)
    return code[:at] + chance.choice(characters) + code[at + 1:]


def shorten(chance, code):
    at = chance.randrange(18)
    return code[:at] + code[at + 1:]


def lengthen(chance, code):
    at = chance.randrange(19)
    return code[:at] + chance.choice(ALPHABET) + code[at:]


def candidate(chance):
    """A code as it is, or as people spoil it."""
    code = valid(chance)
    return chance.choice([
        lambda: code,
        lambda: code.lower(),
        lambda: "  " + code + " ",
        lambda: swap(chance, code),
        lambda: replace(chance, code, ALPHABET),
        lambda: replace(chance, code, EVERY_LETTER),
        lambda: shorten(chance, code),
        lambda: lengthen(chance, code),
        lambda: "".join(chance.choices(ALPHABET, k=18)),
    ])()


def expected(text):
    """stdnum's answer. It refuses letters in places 1 and 2, which GB 32100-2015 allows (the
    villages' N2, say): there only its alphabet and check character are asked."""
    code = uscc.compact(text)
    if len(code) == 18 and not code[:2].isdigit():
        right = all(character in ALPHABET for character in code) and code[2:8].isdigit()
        return right and uscc.calc_check_digit(code[:17]) == code[17], True
    return uscc.is_valid(text), False


def main():
    built = Path(sys.argv[1] if len(sys.argv) > 1 else "target/debug")
    chance = random.Random(32100)
    codes = [candidate(chance) for _ in range(COUNT)]
    answers = subprocess.run(
        [built / "examples/credit_codes"], input="\n".join(codes) + "\n", stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split()
    assert len(answers) == COUNT, "{} answers to {} codes".format(len(answers), COUNT)
    counts = {}
    for code, answer in zip(codes, answers):
        right, lettered = expected(code)
        assert answer == ("ok" if right else "no"), "{!r}: stdnum says {}, we say {}".format(code, right, answer)
        counts[lettered, right] = counts.get((lettered, right), 0) + 1
    assert all(counts.get((lettered, right), 0) > 1000 for lettered in (False, True) for right in (False, True)), counts
    print("  {} 个信用代码与 python-stdnum 一致：有效 {}，无效 {}；".format(COUNT, counts[False, True], counts[False, False]), end="")
    print("其中首两位有字母的另按其字符集与校验位比对：有效 {}，无效 {}".format(counts[True, True], counts[True, False]))


if __name__ == "__main__":
    main()
