"""Behind nginx, HAProxy and Varnish: bodies, upstream keep-alive, what they tell, and that requests stay as many."""

import json
import os
import threading

import pytest

from corpus import read_cases
from harness import Server, read_response, request_bytes, wait_until
from reverse_proxies import MARK, Proxy, program

KINDS = {"nginx": "nginx", "haproxy": "haproxy", "varnish": "varnishd"}
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    if program(KINDS[request.param]) is None:
        pytest.skip(f"{request.param} is not installed; script/bootstrap does that")
    return request.param


@pytest.fixture(scope="module")
def echo():
    with Server("echo:app", "--body-timeout", "1", "--access-logfile", "-", "--access-logformat", "%(r)s") as server:
        yield server


@pytest.fixture(scope="module")
def to_echo(kind, echo, tmp_path_factory):
    with Proxy(kind, tmp_path_factory.mktemp(kind), echo.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def to_environ(kind, tmp_path_factory):
    with Server("environ:app", "--workers", "1") as server:
        with Proxy(kind, tmp_path_factory.mktemp(kind), server.port) as proxy:
            yield proxy


@pytest.fixture(scope="module")
def to_reader(kind, tmp_path_factory):
    with Server("reader:app") as server:
        with Proxy(kind, tmp_path_factory.mktemp(kind), server.port) as proxy:
            yield proxy


def environ_on(sock, path="/", headers=None):
    sock.sendall(request_bytes(path, headers))
    answer = read_response(sock)
    assert answer.status == 200, answer
    return json.loads(answer.body)


def post(sock, body, chunked=False):
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(body)
    head = b"POST /?mode=back&max=20000000 HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n"
    if chunked:
        pieces = [body[i : i + 50_000] for i in range(0, len(body), 50_000)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    sender = threading.Thread(target=sock.sendall, args=(head + body,))
    sender.start()
    answer = read_response(sock)
    sender.join()
    return answer


def test_requests_pass(to_environ):
    with to_environ.connect() as sock:
        env = environ_on(sock, "/a%20b?x=1", {"Host": "example.org"})
        assert (env["REQUEST_METHOD"], env["PATH_INFO"], env["QUERY_STRING"]) == ("GET", "/a b", "x=1")
        assert env["HTTP_HOST"] == "example.org"


def test_connections_to_the_server_are_used_again(to_environ):
    ports = set()
    for _ in range(2):
        with to_environ.connect() as sock:
            ports |= {environ_on(sock)["REMOTE_PORT"] for _ in range(10)}
    assert len(ports) < 4


def test_what_the_proxy_tells_is_believed(to_environ):
    with to_environ.connect("127.0.0.3") as sock:
        env = environ_on(sock, headers={"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "ftp"})
        assert env["wsgi.url_scheme"] == "https"
        assert env["REMOTE_ADDR"] == "127.0.0.1"
        assert [address.strip() for address in env["HTTP_X_FORWARDED_FOR"].split(",")] == ["203.0.113.9", "127.0.0.3"]


def test_the_proxy_alone_names_the_script(kind, to_environ):
    with to_environ.connect() as sock:
        assert environ_on(sock, "/evil/x", {"SCRIPT_NAME": "/evil"})["SCRIPT_NAME"] == ""
        env = environ_on(sock, "/shop/cart", {"SCRIPT_NAME": "/evil"})
        named = ("/shop", "/cart") if kind == "nginx" else ("", "/shop/cart")  # the others are not told to
        assert (env["SCRIPT_NAME"], env["PATH_INFO"]) == named


@pytest.mark.parametrize("chunked", [False, True])
def test_ten_megabytes_there_and_back(to_reader, chunked):
    """Not with an app that answers while it reads: nginx sends no more of a request once the answer has begun."""
    body = os.urandom(10_000_000)
    with to_reader.connect() as sock:
        for sent in (body, b"small", b""):
            answer = post(sock, sent, chunked)
            assert answer.status == 200
            assert answer.body == sent


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("trusted", [False, True])
def test_haproxy_tells_the_client_by_the_proxy_protocol(tmp_path, version, trusted):
    if program("haproxy") is None:
        pytest.skip("haproxy is not installed; script/bootstrap does that")
    options = ["--proxy-protocol", version, "--forwarded-allow-ips", "*" if trusted else "127.0.0.1"]
    with Server("environ:app", *options) as server:
        with Proxy("haproxy", tmp_path, server.port, "send-proxy" if version == "v1" else "send-proxy-v2") as proxy:
            with proxy.connect("127.0.0.3") as sock:
                port = sock.getsockname()[1]
                for _ in range(3):
                    env = environ_on(sock)
                    assert (env["REMOTE_ADDR"], env["REMOTE_PORT"]) == ("127.0.0.3", str(port))
                    assert env["wsgi.url_scheme"] == ("https" if trusted else "http")


# ---- The count rule: what the proxy takes for one request is one for the server, too.

VECTORS = [
    ("both lengths", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 36\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("both lengths, the other order", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n22\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n\r\n0\r\n\r\n"),
    ("two lengths", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 34\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a signed length", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +34\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a blank before the colon", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 34\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("an odd coding", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 34\r\nTransfer-Encoding: xchunked\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a coding behind a vertical tab", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 39\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a folded coding", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 39\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a bare LF in the head", b"POST / HTTP/1.1\r\nHost: x\r\nX: y\nContent-Length: 34\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a bare CR in the head", b"POST / HTTP/1.1\r\nHost: x\r\nX: y\rContent-Length: 34\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a bare LF in a chunk's line", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;x\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("an underscore for a dash", b"POST / HTTP/1.1\r\nHost: x\r\nContent_Length: 34\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a body on GET", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 34\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("Connection names the length", b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Content-Length\r\nContent-Length: 34\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("an expectation that is not met", b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 34\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("an upgrade", b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a chunked body on 1.0", b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n22\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n\r\n0\r\n\r\n"),
    ("a trailer that frames", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 34\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("HEAD with a body", b"HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"),
]


def receive_to_end(sock):
    received = b""
    try:
        while data := sock.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def answers_from_upstream(proxy, bytes_sent):
    """How many of them the client of one connection gets, and how many requests failed half-way to the server."""
    with proxy.connect() as sock:
        try:
            sock.sendall(bytes_sent + LAST)
        except (ConnectionResetError, BrokenPipeError):
            pass
        received = receive_to_end(sock).lower()
    failed = received.count(b"\r\n" + MARK + b" failed")
    return received.count(b"\r\n" + MARK) - failed, failed


def requests_until_now(proxy, server, begin, number):
    """What the server has logged behind `begin`, up to a request that is sent now."""
    mark = b"GET /until-now-%d HTTP/1.1\n" % number
    with proxy.connect() as sock:
        sock.sendall(request_bytes(f"/until-now-{number}", {"Connection": "close"}))
        assert read_response(sock).status == 200
    log = wait_until(lambda: mark in server.stdout_bytes()[begin:] and server.stdout_bytes()[begin:], what=f"{mark!r}")
    return log[: log.index(mark)]


# nginx passes it on and answers without a head, as is right, so without the mark.
WITHOUT_A_HEAD = "HTTP/0.9"


def check_counts(proxy, server, cases):
    for number, (name, bytes_sent) in enumerate(cases):
        if name.startswith(WITHOUT_A_HEAD):
            continue
        begin = len(server.stdout_bytes())
        answers, failed = answers_from_upstream(proxy, bytes_sent)
        seen = requests_until_now(proxy, server, begin, number)
        assert answers <= seen.count(b"\n") <= answers + failed, f"{name}: {answers} answers, {failed} failed; the server saw {seen!r}"


def test_the_server_sees_as_many_requests_as_the_proxy(to_echo, echo):
    check_counts(to_echo, echo, VECTORS)


@pytest.mark.parametrize("name", sorted({case.name.partition(": ")[0] for case in read_cases()}))
def test_the_same_of_each_case_of_the_corpus(to_echo, echo, name):
    cases = (case.name.partition(": ") + (case.sent,) for case in read_cases())
    check_counts(to_echo, echo, [(case, sent) for file, _, case, sent in cases if file == name])
