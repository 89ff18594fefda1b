"""The corpus, which lies in one file a target: an input a line, what is not plain text as \\xNN.

    python3 fuzz/corpus.py unpack <target> <folder>     a file an input, as the fuzzer wants them
    python3 fuzz/corpus.py pack <target> <folder>       the other way round: what is in the folder, and no more
    python3 fuzz/corpus.py add <target> <file>...       inputs that found something
"""

import re
import sys
from hashlib import sha1
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def main() -> None:
    match sys.argv[1:]:
        case ["unpack", target, folder]:
            for data in read(target):
                (Path(folder) / sha1(data).hexdigest()).write_bytes(data)
        case ["pack", target, folder]:
            write(target, {path.read_bytes() for path in Path(folder).iterdir()})
        case ["add", target, *files]:
            write(target, read(target) | {Path(file).read_bytes() for file in files})
        case _:
            sys.exit(__doc__)


def read(target: str) -> set[bytes]:
    path = CORPUS / f"{target}.txt"
    return {unescape(line) for line in path.read_text("ascii").splitlines()} if path.exists() else set()


def write(target: str, inputs: set[bytes]) -> None:
    lines = sorted(inputs, key=lambda data: (len(data), data))
    (CORPUS / f"{target}.txt").write_text("".join(escape(line) + "\n" for line in lines), "ascii")


def escape(data: bytes) -> str:
    is_plain = lambda byte: 0x20 <= byte < 0x7F and byte != ord("\\")
    return "".join(chr(byte) if is_plain(byte) else f"\\x{byte:02x}" for byte in data)


def unescape(line: str) -> bytes:
    return re.sub(rb"\\x(..)", lambda match: bytes([int(match[1], 16)]), line.encode("ascii"))


if __name__ == "__main__":
    main()
