"""SM3 three times: the product's, Python's own (when its OpenSSL has it), and verify_ledger.py's;
the standard's examples, then 1,000 random inputs.

usage: sm3.py [FOLDER OF BUILT PROGRAMS]
"""

import random
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from verify_ledger import VECTORS, library_sm3, own_sm3, right  # noqa: E402


def main():
    built = Path(sys.argv[1] if len(sys.argv) > 1 else "target/debug")
    chance = random.Random(32905)
    # Every length around the edges of a block of 64 bytes, then longer ones.
    lengths = list(range(200)) + [chance.randrange(5000) for _ in range(800)]
    inputs = [data for data, _ in VECTORS] + [chance.randbytes(length) for length in lengths]
    answers = subprocess.run(
        [built / "examples/sm3"],
        input="".join(data.hex() + "\n" for data in inputs),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.split()
    assert len(answers) == len(inputs), "{} answers to {} inputs".format(len(answers), len(inputs))
    assert answers[:2] == [digest for _, digest in VECTORS], "the standard's examples: {}".format(answers[:2])
    assert right(own_sm3), "verify_ledger.py does not give the standard's examples"
    library = right(library_sm3)
    for data, answer in zip(inputs, answers):
        assert answer == own_sm3(data).hex(), "verify_ledger.py differs on {}".format(data.hex())
        assert not library or answer == library_sm3(data).hex(), "OpenSSL differs on {}".format(data.hex())
    others = "核验脚本与 OpenSSL" if library else "核验脚本（本机的 OpenSSL 没有 SM3）"
    print("  SM3：标准的 2 个示例与 {} 个随机输入，与{}一致".format(len(lengths), others))


if __name__ == "__main__":
    main()
