"""What the bridge keeps from one request to the next, because most are much alike, does not show in the next."""

import json
import random
import socket

import pytest
from harness import read_response
from python_server import PythonServer

NAMES = ("X-One", "x-one", "X-Two", "Accept", "Cookie", "User-Agent", "X-Three")
VALUES = ("", "a", "b", "a" * 256, "b" * 256, "a" * 257, "b" * 257, "schön", "sch\xc3\xb6n")
TARGETS = ("/", "/a", "/b", "/a?x=1", "/a?x=2", "/a%20b", "/%C3%A9", "/%C3%A9?")
STATUSES = ("200 OK", "200 Fine", "201 Created", "404 Schön", "404 Sch\xc3\xb6n", "500")
FIELDS = ("X-Field", "x-field", "Server-Timing", "Content-Type", "Vary")
OTHERS = ("HTTP_HOST", "HTTP_X_REQUEST_ID")  # the server names each request
FAULTS = (("X-Field", "a\nb"), ("", "a"), ("X Field", "a"), ("Content-Length", "x"), ("Content-Length", "9" * 30), ("Content-Length", ""))


@pytest.fixture(scope="module")
def server():
    with PythonServer("as_told:app") as running:
        yield running


def ask(sock, target, sent, status="200 OK", fields=()):
    body = json.dumps({"status": status, "fields": fields}).encode()
    lines = [f"POST {target} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in sent]
    sock.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
    return read_response(sock)


def expected_variables(sock, target, sent):
    path, _, query = target.partition("?")
    path = path.replace("%20", " ").replace("%C3%A9", "\xc3\xa9")
    variables = {"RAW_URI": target, "REQUEST_URI": target, "PATH_INFO": path, "QUERY_STRING": query}
    variables["REMOTE_PORT"] = str(sock.getsockname()[1])
    for name, value in sent:
        name = "HTTP_" + name.upper().replace("-", "_")
        between = "; " if name == "HTTP_COOKIE" else ","
        variables[name] = variables[name] + between + value if name in variables else value
    return variables


def test_each_environ_is_its_requests(server):
    draw = random.Random(1)
    with server.connect() as first, server.connect() as second:
        for _ in range(400):
            sock = draw.choice((first, second))
            sent = [(draw.choice(NAMES), draw.choice(VALUES)) for _ in range(draw.randrange(5))]
            target = draw.choice(TARGETS)
            environ = json.loads(ask(sock, target, sent).body)
            found = {name: value for name, value in environ.items() if name.startswith("HTTP_") and name not in OTHERS}
            found |= {name: environ[name] for name in ("RAW_URI", "REQUEST_URI", "PATH_INFO", "QUERY_STRING", "REMOTE_PORT")}
            assert found == expected_variables(sock, target, sent)


def test_names_without_end(server):
    with server.connect() as sock:
        for at in range(0, 900, 30):
            sent = [(f"X-Name-{number}", "x" * (number % 3)) for number in range(at, at + 30)]
            sent += [("X-Name-0", "again"), ("X-Last", "1"), ("x-last", "2")]
            environ = json.loads(ask(sock, "/", sent).body)
            found = {name: value for name, value in environ.items() if name.startswith("HTTP_X_") and name not in OTHERS}
            assert found == {name: value for name, value in expected_variables(sock, "/", sent).items() if name[:7] == "HTTP_X_"}


def test_each_response_is_what_the_app_says(server):
    draw = random.Random(2)
    with server.connect() as sock:
        for _ in range(400):
            status = draw.choice(STATUSES)
            fields = [(draw.choice(FIELDS), draw.choice(VALUES)) for _ in range(draw.randrange(4))]
            is_faulty = draw.random() < 0.2
            if is_faulty:
                fields.insert(draw.randrange(len(fields) + 1), draw.choice(FAULTS))
            response = ask(sock, "/", (), status, fields)
            if is_faulty:
                assert response.status == 500 and b"RAW_URI" not in response.body, fields
                continue
            expected = {}
            for name, value in fields:
                name = name.lower()
                expected[name] = f"{expected[name]}, {value}" if name in expected else value
            found = {name: value for name, value in response.headers.items() if name in expected}
            assert (response.status, found) == (int(status[:3]), expected)


def test_a_length_is_one_responses(server):
    """A second one is refused, and none is taken for the next response's."""
    told = [("Content-Length", "10")]
    with server.connect() as sock:
        for fields, status in ((told, 200), (told * 2, 500), (told, 200), ([("X", "1"), *told], 200), ([], 200), ([], 200)):
            response = ask(sock, "/", (), fields=fields)
            assert response.status == status
            assert status == 500 or (len(response.body) == 10) == (fields != [])


def test_the_reason_is_the_responses(server):
    with server.connect() as sock:
        for status in ("200 OK", "200 OK", "200 Fine", "404 Fine", "404", "200 OK"):
            sent = json.dumps({"status": status, "fields": []})
            sock.sendall(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len(sent)}\r\n\r\n{sent}".encode())
            line = sock.recv(1 << 16, socket.MSG_PEEK).split(b"\r\n")[0]
            assert line.decode() == f"HTTP/1.1 {status if status != '404' else '404 Not Found'}"
            read_response(sock)
