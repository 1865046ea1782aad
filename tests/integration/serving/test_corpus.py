"""The corpus (tests/corpus), sent to the real server: what comes back is what each case says, and refusals are proper answers."""

import io
import re
import socket
from typing import NamedTuple

import pytest

from corpus import read_cases
from harness import SLOWNESS, Server


class Answer(NamedTuple):
    status: int
    headers: dict  # names in small letters
    body: bytes


def answers_to(server, pieces):
    """All that comes back on one connection until the server ends it. The client has nothing more to say."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10 * SLOWNESS) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for piece in pieces:
                sock.sendall(piece)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it may have refused the rest already
        received = b""
        while data := sock.recv(65536):
            received += data
    return received


def parse(received, methods):
    """The answers in what was received, which must be whole. `methods` are those of the requests."""
    stream, answers, methods = io.BytesIO(received), [], iter(methods)
    while line := stream.readline():
        assert re.fullmatch(rb"HTTP/1\.1 [1-5][0-9][0-9] [^\r\n]*\r\n", line), line
        headers = {}
        while (field := stream.readline()) != b"\r\n":
            assert field.endswith(b"\r\n"), field
            name, _, value = field[:-2].decode().partition(": ")
            assert name.lower() not in headers, field
            headers[name.lower()] = value
        status = int(line[9:12])
        if status == 100:
            continue
        answers.append(Answer(status, headers, read_body(stream, headers, next(methods, "GET"))))
    return answers


def read_body(stream, headers, method):
    if method == "HEAD":
        return b""
    if "content-length" in headers:
        body = stream.read(int(headers["content-length"]))
        assert len(body) == int(headers["content-length"])
        return body
    if headers.get("transfer-encoding") != "chunked":
        return stream.read()
    body = b""
    while size := int(stream.readline(), 16):
        body += stream.read(size)
        assert stream.read(2) == b"\r\n"
    assert stream.read(2) == b"\r\n"
    return body


def check_refusal(answer, status):
    assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert 0 < len(answer.body) < 512


def check_case(server, case, pieces):
    requests = [value.split(b" ", 2) for keyword, value in case.expected if keyword in ("accept", "last")]
    methods = [request[0].decode() for request in requests]
    received = parse(answers_to(server, pieces), methods)
    for (keyword, value), answer in zip(case.expected, received):
        if keyword == "refuse":
            check_refusal(answer, int(value))
            continue
        body = (value.split(b" ", 2) + [b""])[2]
        assert (answer.status, answer.body) == (200, body if value[:5] != b"HEAD " else b"")
        assert keyword == "accept" or answer.headers["connection"] == "close"
    answered = [keyword for keyword, _ in case.expected if keyword != "more"]
    assert len(received) == len(answered)


def ways_to_send(case):
    """Whole and in halves. A client that has asked for the end and sends on may find a reset: so whole only, then."""
    half = len(case.sent) // 2
    ends = any(keyword == "last" for keyword, _ in case.expected)
    return [[case.sent]] if ends else [[case.sent], [case.sent[:half], case.sent[half:]]]


def test_every_case_is_answered_as_it_says():
    with Server("echo:app", "--access-logfile", "-", "--access-logformat", "%(s)s %(r)s") as server:
        cases = read_cases()
        assert len(cases) > 200
        understood = []
        for case in cases:
            for pieces in ways_to_send(case):
                try:
                    check_case(server, case, pieces)
                except (AssertionError, OSError) as error:
                    raise AssertionError(f"{case.name}: {error}") from error
                requests = [value for keyword, value in case.expected if keyword in ("accept", "last")]
                understood += [b" ".join(request.split(b" ")[:2]) for request in requests]
        logged = server.wait_for(lambda: served(server, len(understood)))
    assert logged == understood


def served(server, count):
    """Method and target of the requests that the app has answered, from the access log; None before there are as many."""
    lines = [line for line in server.stdout_bytes().splitlines() if line.startswith(b"200 ")]
    if len(lines) < count:
        return None
    return [re.sub(rb"\\(.)", rb"\1", line[4:].rpartition(b" ")[0]) for line in lines]


@pytest.mark.parametrize("accept, html", [("text/html,*/*;q=0.8", True), ("*/*", False), ("", False)])
def test_a_refusal_is_html_for_those_who_ask_for_it(accept, html):
    head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + (f"Accept: {accept}\r\n" if accept else "")
    with Server("echo:app") as server:
        (answer,) = parse(answers_to(server, [head.encode() + b"\r\nx\r\n"]), [])
    assert answer.status == 400
    assert answer.headers["connection"] == "close"
    assert answer.headers["content-type"].startswith("text/html" if html else "text/plain")
    assert answer.body.startswith(b"<!DOCTYPE html>" if html else b"400 Bad Request")
    assert len(answer.body) < 512
