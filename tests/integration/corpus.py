"""Reads tests/corpus; its README tells the format."""

import re
import socket
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parents[1] / "corpus/http"
ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|([1-9][0-9]*)\(([^)]*)\)|([rnt\\]))")
PLAIN = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}


class Case(NamedTuple):
    name: str  # "file: case"
    sent: bytes
    expected: list  # of (keyword, value)


def unescaped(text):
    def replacement(match):
        code, count, repeated, plain = match.groups()
        if code:
            return bytes([int(code, 16)])
        return PLAIN[plain] if plain else unescaped(repeated) * int(count)

    return ESCAPE.sub(replacement, text)


def read_cases():
    cases = []
    for path in sorted(FOLDER.glob("*.txt")):
        for line in path.read_bytes().splitlines():
            keyword, _, value = line.partition(b": ")
            if keyword == b"case":
                cases.append(Case(f"{path.stem}: {value.decode()}", b"", []))
            elif keyword == b"send":
                cases[-1] = cases[-1]._replace(sent=cases[-1].sent + unescaped(value))
            elif line and not line.startswith(b"#"):
                cases[-1].expected.append((keyword.decode(), unescaped(value)))
    return cases


def answers_to(sock, sent):
    """All that comes back until the other end has closed. The client has nothing more to say."""
    received = b""
    try:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        while data := sock.recv(65536):
            received += data
    except ConnectionError:
        pass  # it may have refused the rest
    return received
