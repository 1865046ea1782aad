"""wsgi.input gives what io.BytesIO would, whatever is read and however the body arrives."""

import io
import json
import random
import sys

import pytest
from harness import read_response
from python_server import APPS, PythonServer

sys.path.insert(0, APPS)
from wsgi_cases import read_in_steps  # noqa: E402

REQUESTS = 60


@pytest.fixture(scope="module")
def server():
    # Nothing is gathered: the app's reads meet the pieces as they arrive.
    with PythonServer("wsgi_cases:app", "--spool-limit", "0", "--body-buffer", "0") as running:
        yield running


def some_body(chance):
    longest = chance.choice((1, 10, 100, 9_000))
    lines = ["x" * chance.randrange(longest) for _ in range(chance.randrange(1, 40))]
    return "\n".join(lines).encode()


def some_steps(chance, size):
    def step():
        name = chance.choice(("read", "read", "readline", "readline", "readlines"))
        limit = chance.choice((-1, 0, 1, 2, chance.randrange(size + 2), 8192, 1 << 40))
        return f"{name}:{limit}"

    return ",".join([step() for _ in range(chance.randrange(1, 12))] + [chance.choice(("iter", "read", "readlines"))])


def chunks(chance, body):
    most = chance.choice((1, 7, 100, 8192, 100_000)) if len(body) < 3_000 else chance.choice((500, 8192, 100_000))
    at = 0
    while at < len(body):
        piece = body[at : at + chance.randint(1, most)]
        at += len(piece)
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


@pytest.mark.parametrize("part", range(4))
def test_reads_of_all_kinds(server, part):
    chance = random.Random(part)
    with server.connect() as sock:
        for number in range(REQUESTS):
            body = some_body(chance)
            steps = some_steps(chance, len(body))
            sock.sendall(b"POST /body_sizes?%s HTTP/1.1\r\nHost: a\r\n" % steps.encode())
            if chance.random() < 0.2:
                sock.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            else:
                pieces = list(chunks(chance, body))
                split = chance.randrange(len(pieces))  # so that the head may come alone
                sock.sendall(b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(pieces[:split]))
                sock.sendall(b"".join(pieces[split:]))
            got = json.loads(read_response(sock).body)
            assert got == read_in_steps(io.BytesIO(body), steps), (part, number, steps, body)
