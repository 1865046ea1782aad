"""Behind nginx, HAProxy and Varnish: bodies, upstream keep-alive, what they tell, and that requests stay as many."""

import json
import os
import re
import threading
from typing import NamedTuple

import pytest

from corpus import read_cases
from harness import Server, read_response, request_bytes, wait_until
from proxy_exceptions import ANSWERED_WITHOUT_A_HEAD, PASSED_ON_OTHERWISE, STOPPED_BY_THE_PROXY
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
    with Server("echo:app", "--body-timeout", "1", "--access-logfile", "-", "--access-logformat", "%(s)s %(r)s") as server:
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


# ---- The count rule: of what the client sends, the app sees just as many requests.


class Told(NamedTuple):
    """A request in the server's access log."""

    status: int
    method: str
    target: str

    @property
    def is_the_apps(self):
        """The echo app answers nothing but 200, and the server by itself never does."""
        return self.status == 200


def told(line):
    status, _, request = re.sub(rb"\\(.)", rb"\1", line).decode("latin-1").partition(" ")
    method, _, rest = request.partition(" ")
    return Told(int(status), method, rest.partition(" ")[0])


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
            sock.sendall(bytes_sent)
        except (ConnectionResetError, BrokenPipeError):
            pass
        received = receive_to_end(sock).lower()
    failed = received.count(b"\r\n" + MARK + b" failed")
    return received.count(b"\r\n" + MARK) - failed, failed


def requests_until_now(proxy, server, begin, number):
    """What the server has logged behind `begin`, up to a request that is sent now."""
    mark = b"200 GET /until-now-%d HTTP/1.1\n" % number
    with proxy.connect() as sock:
        sock.sendall(request_bytes(f"/until-now-{number}", {"Connection": "close"}))
        assert read_response(sock).status == 200
    log = wait_until(lambda: mark in server.stdout_bytes()[begin:] and server.stdout_bytes()[begin:], what=f"{mark!r}")
    return [told(line) for line in log[: log.index(mark)].splitlines()]


def as_seen(request):
    """Proxies take the authority out of an absolute target."""
    method, target = request
    return method, re.sub("^[a-z]+://[^/?]*/?", "/", target)


class Sent:
    """A case of the corpus as it goes through a proxy, with a last request behind it where the connection goes on."""

    def __init__(self, case):
        self.keywords = {keyword for keyword, _ in case.expected}
        goes_on = not self.keywords & {"last", "more"}
        self.bytes = case.sent + (LAST if goes_on else b"")
        whole = [value.decode("latin-1").split(" ", 2) for keyword, value in case.expected if keyword in ("accept", "last")]
        self.requests = [as_seen(request[:2]) for request in whole]
        if self.is_valid and goes_on:
            self.requests.append(("GET", "/last"))

    @property
    def is_valid(self):
        return "refuse" not in self.keywords

    def can_be_seen(self, requests):
        """Whether these are requests that the client meant, in its order, each once: not those within a body."""
        at, text = 0, self.bytes.decode("latin-1")
        for method, target in requests:
            at = text.find(target, at) + len(target)
            if at < len(target) or target == "/smuggled":
                return False
        return True


def check_count(proxy, server, case, number):
    begin = len(server.stdout_bytes())
    sent = Sent(case)
    answers, failed = answers_from_upstream(proxy, sent.bytes)
    seen = requests_until_now(proxy, server, begin, number)
    served = [as_seen((request.method, request.target)) for request in seen if request.is_the_apps]
    what = f"{case.name}: sent {sent.requests}, {answers} answers, {failed} failed; the server saw {seen}"
    if case.name not in ANSWERED_WITHOUT_A_HEAD.get(proxy.kind, {}):
        assert answers <= len(seen) <= answers + failed, what
    if case.name in PASSED_ON_OTHERWISE.get(proxy.kind, {}):
        return
    if sent.is_valid and case.name not in STOPPED_BY_THE_PROXY.get(proxy.kind, {}):
        assert served == sent.requests, what
    else:
        assert sent.can_be_seen(served), what
        assert not sent.is_valid or len(served) < len(sent.requests), f"{what}; it needs no exception"


FILES = sorted({case.name.partition(": ")[0] for case in read_cases()})


@pytest.mark.parametrize("name", FILES)
def test_the_app_sees_as_many_requests_as_the_client_sent(to_echo, echo, name):
    for number, case in enumerate(read_cases()):
        if case.name.startswith(f"{name}: "):
            check_count(to_echo, echo, case, number)


def test_each_exception_is_a_case():
    names = {case.name for case in read_cases()}
    for exceptions in (STOPPED_BY_THE_PROXY, PASSED_ON_OTHERWISE, ANSWERED_WITHOUT_A_HEAD):
        for kind, cases in exceptions.items():
            assert kind in KINDS and cases.keys() <= names, cases.keys() - names
