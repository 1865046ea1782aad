"""Whoever ends a connection, and whatever its client sends meanwhile: the client reads the whole answer."""

import socket
import threading
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from harness import Server, read_response, request_bytes
from reverse_proxies import Proxy, program

LINE_LIMIT = 8000  # of a piece, so that it fits into a request line
BUFFERED = b"x" * 65536  # of a body, by which time the app is called
SIZES = {"1 KB": 1_000, "200 KB": 200_000, "20 MB": 20_000_000}


def answer_of(size, status=200, declared=True):
    """A path that the app `respond` answers with so many bytes; without their count where it is not `declared`."""
    piece = next(each for each in range(LINE_LIMIT, 0, -1) if size % each == 0)
    length = f"&length={size}" if declared else ""
    return f"/?status={status}&pieces={size // piece}&body={'x' * piece}{length}"


# ---- Whose end it is: by the server's settings, and what the client asks with.


def http_1_0(path):
    return f"GET {path} HTTP/1.0\r\n\r\n".encode()


def close(path):
    return request_bytes(path, {"Connection": "close"})


ENDS = {
    "HTTP/1.0": ("usual", lambda size: http_1_0(answer_of(size))),
    "HTTP/1.0, until the end": ("usual", lambda size: http_1_0(answer_of(size, declared=False))),
    "close": ("usual", lambda size: close(answer_of(size))),
    "close, in chunks": ("usual", lambda size: close(answer_of(size, declared=False))),
    "no keep-alive": ("no keep-alive", lambda size: request_bytes(answer_of(size))),
    "early 401": ("usual", lambda size: request_bytes(answer_of(size, 401), {"Content-Length": 10**12}, "POST") + BUFFERED),
}
SETTINGS = {"usual": [], "no keep-alive": ["--keep-alive", "0"]}


@pytest.fixture(scope="module")
def servers():
    """Each started when it is first wanted."""
    started = {}

    def server(name):
        if name not in started:
            started[name] = Server("respond:app", "--workers", "1", *SETTINGS[name])
            started[name].__enter__()
        return started[name]

    yield server
    for each in started.values():
        each.__exit__(None, None, None)


# ---- What the client does from the moment that the answer has begun.


@contextmanager
def nothing(_):
    yield


@contextmanager
def line_end(sock):
    sock.sendall(b"\r\n")
    yield


@contextmanager
def next_request(sock):
    sock.sendall(request_bytes("/next"))
    yield


@contextmanager
def endless_upload(sock):
    done = threading.Event()

    def send():
        try:
            while not done.is_set():
                sock.sendall(b"x" * 100_000)
        except OSError:
            pass

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        done.set()
        sock.close()  # which ends a send that waits, too, once the sender's time is over
        sender.join()


def read_to_end(sock):
    """Head and body of one answer, or more where more come."""
    received = bytearray()
    while data := sock.recv(1 << 20):
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    return bytes(head), body


@pytest.mark.parametrize("meanwhile", [nothing, line_end, next_request, endless_upload], ids=lambda each: each.__name__)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("end", ENDS)
def test_the_whole_answer_is_read(servers, end, size, meanwhile):
    settings, request = ENDS[end]
    with servers(settings).connect() as sock:
        sock.sendall(request(SIZES[size]))
        sock.recv(1, socket.MSG_PEEK)  # the answer has begun; up to all of it is on its way
        with meanwhile(sock):
            head, body = read_to_end(sock)  # fails on a reset
        if b"chunked" in head:
            assert len(body) > SIZES[size] and body.endswith(b"0\r\n\r\n")
        else:
            assert len(body) == SIZES[size]


# ---- Refused uploads, straight and through proxies. These send on for a while before they look for an answer.


class Way(NamedTuple):
    program: str
    options: str = ""
    prefix: str = ""  # of the path: nginx speaks HTTP/1.0 below /shop


WAYS = {
    "direct": Way(""),
    "nginx that buffers": Way("nginx", "proxy_request_buffering on;"),
    "nginx that does not": Way("nginx", "proxy_request_buffering off;"),
    "nginx, with HTTP/1.0": Way("nginx", "proxy_request_buffering on;", "/shop"),
    "haproxy": Way("haproxy"),
}
UPLOADS = {"5 MB": 5_000_000, "30 MB": 30_000_000}


@pytest.fixture(scope="module")
def refusing():
    with Server("respond:app", "--workers", "2", "--limit-request-body", "6000000") as server:
        yield server


@pytest.fixture(scope="module", params=WAYS)
def way(request, refusing, tmp_path_factory):
    """The way, and what connects by it."""
    chosen = WAYS[request.param]
    if not chosen.program:
        yield chosen, refusing.connect
        return
    if program(chosen.program) is None:
        pytest.skip(f"{chosen.program} is not installed; script/bootstrap does that")
    with Proxy(chosen.program, tmp_path_factory.mktemp("proxy"), refusing.port, chosen.options) as proxy:
        yield chosen, proxy.connect


@pytest.mark.parametrize("upload", UPLOADS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("repeat", range(3))
def test_a_refused_upload_gets_its_answer(way, upload, size, repeat):
    """5 MB are refused by the app, which reads none of it, and 30 MB by the server's limit."""
    chosen, connect = way
    path = chosen.prefix + answer_of(SIZES[size], 401)
    with connect() as sock:
        sender = threading.Thread(target=upload_all, args=(sock, path, UPLOADS[upload]))
        sender.start()
        answer = read_response(sock)
        if upload == "5 MB":
            assert (answer.status, len(answer.body)) == (401, SIZES[size])
        else:
            assert answer.status == 413
        sender.join()


def upload_all(sock, path, size):
    try:
        sock.sendall(request_bytes(path, {"Content-Length": size}, "POST"))
        for _ in range(size // 100_000):
            sock.sendall(b"x" * 100_000)
    except OSError:
        pass  # the answer is what counts
