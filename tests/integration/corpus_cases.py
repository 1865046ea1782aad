"""The requests of tests/corpus/http, as tests/corpus/README.md describes them: names and bytes only."""

import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "corpus" / "http"
ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|([rnt\\])|([0-9]+)\(([^)]*)\))", re.DOTALL)
LETTERS = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}


def unescape(text):
    def replace(match):
        code, letter, count, repeated = match.groups()
        if code:
            return bytes([int(code, 16)])
        return LETTERS[letter] if letter else unescape(repeated) * int(count)

    return ESCAPE.sub(replace, text)


def cases(name):
    """Pairs of a case's name and the bytes that are sent."""
    found = []
    for line in (FOLDER / f"{name}.txt").read_bytes().splitlines():
        keyword, _, value = line.partition(b": ")
        if keyword == b"case":
            found.append((value.decode(), b""))
        elif keyword == b"send":
            found[-1] = (found[-1][0], found[-1][1] + unescape(value))
    return found


def names():
    return sorted(path.stem for path in FOLDER.glob("*.txt"))
