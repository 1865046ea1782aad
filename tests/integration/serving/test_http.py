"""HTTP/1.1 as a client sees it: keep-alive, pipelining, bodies both ways, refusals, deadlines."""

import json
import os
import re
import socket
import threading
import time

import pytest

from harness import SANITIZED, Server, read_end, read_response

HOST = b"Host: x\r\n"


@pytest.fixture(scope="module")
def echo():
    with Server("echo:app", "--workers", "2") as server:
        yield server


@pytest.fixture(scope="module")
def respond():
    with Server("respond:app", "--workers", "1") as server:
        yield server


def exchange(server, request):
    """One connection: all that comes back until the server closes it, or has been silent for a second."""
    with server.connect(timeout=1) as sock:
        sock.sendall(request)
        received = b""
        try:
            while data := sock.recv(65536):
                received += data
        except TimeoutError:
            pass
        return received


def status_of(answer):
    assert answer.startswith(b"HTTP/1.1 "), answer
    return int(answer[9:12])


def test_a_connection_serves_many_requests(echo):
    with echo.connect() as sock:
        for i in range(20):
            body = b"body %d" % i
            sock.sendall(b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            status, headers, received = read_response(sock)
            assert (status, received) == (200, body)
            assert "connection" not in headers


def test_pipelined_requests_are_answered_in_order(echo):
    requests = b"".join(
        b"POST /%d HTTP/1.1\r\n" % i + HOST + b"Content-Length: %d\r\n\r\n%d" % (len(str(i)), i) for i in range(100)
    )
    with echo.connect() as sock:
        sock.sendall(requests)
        for i in range(100):
            assert read_response(sock)[2] == b"%d" % i


def test_a_request_that_comes_byte_by_byte(echo):
    request = b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n"
    with echo.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(request)):
            sock.sendall(request[i : i + 1])
        assert read_response(sock)[2] == b"abcde"


def test_chunked_in_with_a_request_behind_it(echo):
    with echo.connect() as sock:
        sock.sendall(
            b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nworld"
        )
        assert read_response(sock)[2] == b"hello"
        assert read_response(sock)[2] == b"world"


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 1 << 20, 5_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_of_any_size_come_back_whole(echo, size, chunked):
    body = os.urandom(size)
    if chunked:
        pieces = [body[i : i + 10_000] for i in range(0, size, 10_000)]
        framing = b"Transfer-Encoding: chunked\r\n\r\n"
        sent = b"".join(b"%x\r\n" % len(p) + p + b"\r\n" for p in pieces) + b"0\r\n\r\n"
    else:
        framing = b"Content-Length: %d\r\n\r\n" % size
        sent = body
    with echo.connect(timeout=20) as sock:
        sender = threading.Thread(target=sock.sendall, args=(b"POST / HTTP/1.1\r\n" + HOST + framing + sent,))
        sender.start()
        status, headers, received = read_response(sock)
        sender.join()
        assert status == 200
        assert received == body
        sock.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\nok")
        assert read_response(sock)[2] == b"ok"


def test_head_has_no_body_and_the_connection_stays_in_step(echo):
    with echo.connect() as sock:
        sock.sendall(b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\nPOST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\nx")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert read_response(sock)[2] == b"x"


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body(respond, status):
    with respond.connect() as sock:
        for _ in range(2):
            sock.sendall(b"GET /?status=%d&body=nothing HTTP/1.1\r\n" % status + HOST + b"\r\n")
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += sock.recv(1)
            assert b"HTTP/1.1 %d " % status in head
            assert b"Transfer-Encoding" not in head


def test_http_1_0_closes_unless_asked(echo):
    answer = exchange(echo, b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi")
    assert answer.endswith(b"hi")
    assert b"Connection: close" in answer
    with echo.connect() as sock:
        for _ in range(2):
            sock.sendall(b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi")
            status, headers, body = read_response(sock)
            assert body == b"hi"
            assert headers["connection"].lower() == "keep-alive"


def test_a_stream_is_not_chunked_for_http_1_0():
    with Server("stream:app") as server:
        answer = exchange(server, b"GET /?n=3&ms=1 HTTP/1.0\r\n\r\n")
        assert b"Transfer-Encoding" not in answer
        assert answer.split(b"\r\n\r\n", 1)[1].count(b"\n") == 3


def test_connection_close_is_honoured(echo):
    answer = exchange(echo, b"GET / HTTP/1.1\r\n" + HOST + b"Connection: foo, CLOSE\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"Connection: close" in answer


def test_a_line_end_behind_the_last_body_is_no_reset(echo):
    """Some clients send one that belongs to nothing (RFC 9112, 2.2)."""
    with echo.connect() as sock:
        sock.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello")
        assert read_response(sock).body == b"hello"
        assert read_end(sock) == b""
        for _ in range(3):
            sock.sendall(b"\r\n")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_absolute_form_takes_precedence_over_host():
    with Server("environ:app") as server:
        answer = exchange(server, b"GET http://example.org:81/a%20b?q=1 HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n")
        assert b'"PATH_INFO": "/a b"' in answer or b'"PATH_INFO":"/a b"' in answer
        assert b"example.org:81" in answer
        assert b'"other"' not in answer


def test_views_into_the_head_survive_a_growing_buffer():
    long_a, long_b = b"a" * 7000, b"b" * 7000
    with Server("environ:app") as server:
        with server.connect() as sock:
            sock.sendall(
                b"GET /first HTTP/1.1\r\n" + HOST + b"\r\n"
                b"POST /second HTTP/1.1\r\n" + HOST + b"X-A: " + long_a + b"\r\nX-B: " + long_b + b"\r\n"
                b"Content-Length: 30000\r\n\r\n"
            )
            assert b"/first" in read_response(sock)[2]
            for _ in range(30):
                sock.sendall(b"x" * 1000)
            body = read_response(sock)[2]
            assert b"/second" in body and long_a in body and long_b in body


def test_views_into_the_head_survive_a_buffer_that_grows_while_the_app_reads():
    """A trailer section is kept whole until it is complete, and comes while the app is reading."""
    with Server("echo:app") as server, server.connect() as sock:
        content_type = b"x/" + b"t" * 4000
        trailers = b"".join(b"T-%d: " % i + b"v" * 8000 + b"\r\n" for i in range(7))
        sock.sendall(
            b"POST / HTTP/1.1\r\n" + HOST + b"Content-Type: " + content_type + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"186a0\r\n" + b"x" * 100_000 + b"\r\n0\r\n"
        )
        for i in range(0, len(trailers), 5000):
            sock.sendall(trailers[i : i + 5000])
        sock.sendall(b"\r\n")
        status, headers, body = read_response(sock)
        assert (status, len(body)) == (200, 100_000)
        assert headers["content-type"].encode() == content_type


def test_100_continue_comes_when_the_app_reads(echo):
    with echo.connect() as sock:
        sock.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"abc")
        assert read_response(sock)[2] == b"abc"
        sock.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\nx")
        assert read_response(sock)[2] == b"x"


def test_no_100_continue_where_the_body_is_there_already(echo):
    answer = exchange(
        echo, b"POST / HTTP/1.1\r\n" + HOST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"
    )
    assert b"100 Continue" not in answer
    assert answer.endswith(b"abc")


def test_no_100_continue_for_a_large_body_that_the_app_does_not_read():
    """Where it would have to be read from the client."""
    with Server("hello:app", "--spool-limit", "0") as server:
        answer = exchange(server, b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"Connection: close" in answer


def test_a_client_that_keeps_its_small_body_to_itself_holds_nobody_up():
    with Server("echo:app", "--workers", "1") as server, server.connect() as sock:
        sock.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert server.get("/").status == 200
        sock.sendall(b"hello")
        assert read_response(sock)[2] == b"hello"


def test_a_client_that_stalls_the_app_does_not_cost_the_worker():
    """The worker gives the client up before its master gives the worker up."""
    with Server("echo:app", "--workers", "1", "--timeout", "2", "--spool-limit", "0") as server:
        worker = server.worker_pids()
        with server.connect(timeout=10) as sock:
            sock.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 200000\r\n\r\n" + b"x" * 100000)
            read_end(sock)
        assert server.worker_pids() == worker
    with Server("stream:app", "--workers", "1", "--timeout", "2", "--spool-limit", "0") as server:
        worker = server.worker_pids()
        with server.connect(timeout=10) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall(b"GET /?n=1000000&ms=0 HTTP/1.1\r\n" + HOST + b"\r\n")
            assert server.get("/?n=1&ms=0").status == 200
        assert server.worker_pids() == worker


def test_a_timeout_of_0_is_for_ever():
    off = [part for name in ("header", "body", "write") for part in (f"--{name}-timeout", "0")]
    with Server("echo:app", *off) as server, server.connect() as sock:
        for part in (b"POST / HT", b"TP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\n12", b"34"):
            time.sleep(0.1)  # the deadline that must not pass has no event to wait for
            sock.sendall(part)
        assert read_response(sock)[2] == b"1234"


@pytest.mark.parametrize(
    "request_bytes, status",
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n folded: 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /#x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"brew / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nExpect: the-unexpected\r\nContent-Length: 1\r\n\r\nx", 417),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: 1\r\n" * 101 + b"\r\n", 431),
    ],
    ids=lambda value: value[:40].decode("latin1") if isinstance(value, bytes) else str(value),
)
def test_refusals_can_be_read_by_the_client(echo, request_bytes, status):
    answer = exchange(echo, request_bytes)
    assert status_of(answer) == status
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    "fields, status", [(b"", 400), (HOST + b"X\r\n", 400), (HOST + b"Expect: x\r\n", 417), (HOST + b"Upgrade: " + b"x" * 9000, 431)]
)
def test_a_refusal_of_head_has_no_body(echo, fields, status):
    answer = exchange(echo, b"HEAD / HTTP/1.1\r\n" + fields + b"\r\n")
    assert status_of(answer) == status
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nContent-Length: " in head and body == b""


def test_nothing_after_a_refusal_is_served(echo):
    answer = exchange(echo, b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_refusal_while_the_client_is_still_sending_is_no_reset():
    with Server("echo:app", "--limit-request-body", "1000") as server:
        answer = exchange(server, b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 500000\r\n\r\n" + b"x" * 500000)
        assert status_of(answer) == 413
        answer = exchange(
            server, b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 500000\r\n\r\n"
        )
        assert status_of(answer) == 413
        answer = exchange(
            server, b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n"
        )
        assert status_of(answer) == 413


JSON = b"Accept: application/json, text/plain, */*\r\n"


@pytest.mark.parametrize(
    "app, request_head, status, title",
    [
        ("echo:app", b"GET / HTTP/1.1\r\n" + HOST + HOST + JSON, 400, "Bad Request"),
        ("echo:app", b"GET / HTTP/1.1\r\nnonsense\r\n" + JSON, 400, "Bad Request"),
        ("echo:app", b"POST / HTTP/1.1\r\n" + HOST + JSON + b"Content-Length: 2000\r\n", 413, "Content Too Large"),
        ("faults:app", b"GET /throw HTTP/1.1\r\n" + HOST + JSON, 500, "Internal Server Error"),
    ],
)
def test_errors_of_the_servers_own_are_json_for_those_who_ask_for_it(app, request_head, status, title):
    with Server(app, "--limit-request-body", "1000") as server, server.connect() as sock:
        sock.sendall(request_head + b"\r\n")
        answer = read_response(sock)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
        page = json.loads(answer.body)
        assert re.fullmatch("[0-9a-f]{32}", page.pop("request_id"))
        assert page == {"type": "about:blank", "title": title, "status": status}


def test_a_body_that_is_too_large_while_the_app_reads_it_is_json_too():
    with Server("reader:app", "--limit-request-body", "100000", "--body-buffer", "1000") as server:
        with server.connect() as sock:
            sock.sendall(b"POST /?mode=count HTTP/1.1\r\n" + HOST + JSON + b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(3):
                sock.sendall(b"c350\r\n" + b"x" * 50000 + b"\r\n")
            answer = read_response(sock)
            assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")


def test_limits_follow_the_settings():
    with Server("echo:app", "--limit-request-line", "100", "--limit-request-fields", "5") as server:
        assert status_of(exchange(server, b"GET /" + b"a" * 100 + b" HTTP/1.1\r\n" + HOST + b"\r\n")) == 414
        assert status_of(exchange(server, b"GET / HTTP/1.1\r\n" + HOST + b"A: 1\r\n" * 5 + b"\r\n")) == 431
        assert status_of(exchange(server, b"GET / HTTP/1.1\r\n" + HOST + b"A: 1\r\n" * 4 + b"\r\n")) == 200


def test_deadlines_answer_408_or_close_silently():
    with Server("echo:app", "--header-timeout", "0.4", "--body-timeout", "0.4", "--keep-alive", "0.4") as server:
        silent = server.connect(timeout=5)
        half_head = server.connect(timeout=5)
        half_head.sendall(b"GET / HT")
        half_body = server.connect(timeout=5)
        half_body.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nabc")
        idle = server.connect(timeout=5)
        idle.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert read_response(idle)[0] == 200
        line_end = server.connect(timeout=5)
        line_end.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\na\r\n")
        assert read_response(line_end)[0] == 200
        assert silent.recv(100) == b""
        assert line_end.recv(100) == b""
        assert half_head.recv(1000).startswith(b"HTTP/1.1 408 ")
        assert half_body.recv(1000).startswith(b"HTTP/1.1 408 ")
        assert idle.recv(100) == b""
        for sock in (silent, half_head, half_body, idle, line_end):
            sock.close()


def test_one_byte_a_time_does_not_prolong_the_head_s_deadline():
    with Server("echo:app", "--header-timeout", "0.6") as server, server.connect(timeout=0.1) as sock:
        began = time.monotonic()
        answer = b""
        while not answer and time.monotonic() - began < 5:  # far beyond the deadline, also where all is slow
            sock.sendall(b"G")
            try:
                answer = sock.recv(1000)
            except TimeoutError:
                pass
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_large_body_that_stalls_inside_the_app_times_out():
    with Server("echo:app", "--body-timeout", "0.5") as server, server.connect(timeout=5) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 200000\r\n\r\n" + b"x" * 100000)
        received = b""
        while data := sock.recv(65536):
            received += data
        assert len(received) < 200000
        assert server.get("/").status == 200


def test_a_client_that_leaves_mid_way_costs_only_its_own_request(echo):
    for part in (b"GET", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\n" + b"x" * 80000):
        for _ in range(5):
            with echo.connect() as sock:
                sock.sendall(part)
    assert echo.get("/").status == 200


def test_a_slow_reader_costs_no_worker_time():
    with Server("faults:app", "--workers", "1") as server:
        with server.connect() as sock:
            sock.sendall(b"GET /big?bytes=20000000 HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
            assert server.get("/").status == 200  # long before the reader is given up
            total = 0
            while data := sock.recv(1 << 20):
                total += len(data)
            assert total > 20_000_000


def test_pipelined_requests_of_a_client_that_does_not_read_are_held_back():
    with Server("faults:app", "--workers", "1") as server, server.connect() as sock:
        request = b"GET /big?bytes=1000000 HTTP/1.1\r\n" + HOST + b"\r\n"
        sock.sendall(request * 50)
        assert server.get("/").status == 200
        worker = server.worker_pids()[0]
        with open(f"/proc/{worker}/status") as status:
            resident_kb = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        if not SANITIZED:
            assert resident_kb < 30_000
        for _ in range(50):
            status, _, body = read_response(sock)
            assert status == 200 and len(body) == 1_000_000


def test_response_rules(respond):
    answer = exchange(respond, b"GET /?body=12345&length=3 HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n123")
    for field in (b"Date: ", b"Server: cppcorn"):
        assert field in answer


def test_the_keep_alive_setting_0_closes_after_each_response():
    with Server("hello:app", "--keep-alive", "0") as server:
        answer = exchange(server, b"GET / HTTP/1.1\r\n" + HOST + b"\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert answer.count(b"HTTP/1.1 200") == 1
        assert b"Connection: close" in answer


def test_an_app_that_leaves_the_body_unread_keeps_the_connection_in_step():
    with Server("hello:app", "--workers", "1", "--spool-limit", "0") as server:
        with server.connect() as sock:
            for size in (10, 70_000, 200_000):
                sock.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)
                assert read_response(sock)[2] == b"Hello, world!\n"
        # Too much to read for nothing: the client gets its answer, and then the connection ends.
        with server.connect() as sock:
            sock.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 900000\r\n\r\n" + b"x" * 900000)
            assert read_response(sock)[0] == 200
            assert read_end(sock) == b""


def test_worker_connections_bounds_what_a_worker_takes():
    with Server("hello:app", "--workers", "1", "--worker-connections", "3") as server:
        held = []
        for _ in range(3):
            sock = server.connect()
            sock.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
            assert read_response(sock)[0] == 200
            sock.sendall(b"GET / HT")  # who is in the middle of something is not closed for a newcomer
            held.append(sock)
        with server.connect(timeout=5) as waiting:
            waiting.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
            waiting.settimeout(0.3)
            with pytest.raises(TimeoutError):
                waiting.recv(100)
            held.pop().close()
            waiting.settimeout(5)
            assert read_response(waiting)[0] == 200
        for sock in held:
            sock.close()


# ---- Methods and versions that the parser does not know


@pytest.fixture(scope="module")
def environ():
    with Server("environ:app", "--workers", "1") as server:
        yield server


def request_method(server, method, version="HTTP/1.1"):
    answer = exchange(server, f"{method} / {version}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    return json.loads(answer.partition(b"\r\n\r\n")[2])["REQUEST_METHOD"] if status_of(answer) == 200 else status_of(answer)


@pytest.mark.parametrize("method", ["QUERY", "BAN", "VERSION-CONTROL", "ABC#123", "GETT"])
def test_any_method_that_looks_like_one_reaches_the_app(environ, method):
    assert request_method(environ, method) == method


@pytest.mark.parametrize("method", ["query", "QU", "GET_PARAMETER", "A" * 21, "CONNECT"])
def test_other_methods_do_not(environ, method):
    assert request_method(environ, method) == 501


def test_any_method_but_connect_may_be_permitted():
    with Server("environ:app", "--permit-unconventional-http-method") as server:
        for method in ("query", "Q", "GET_PARAMETER", "A" * 21, "!#$%&'*+-.^_`|~"):
            assert request_method(server, method) == method
        assert request_method(server, "CONNECT") == 501


@pytest.mark.parametrize("method", ["GET", "QUERY"])
def test_a_later_minor_version_is_taken_as_1_1(environ, method):
    assert request_method(environ, method, "HTTP/1.2") == method


# ---- Statuses with rules of their own


def test_a_205_is_empty_and_the_connection_goes_on(respond):
    with respond.connect() as sock:
        for query in ("body=hello", "body=hello&pieces=2", "body=hello&length=5"):
            sock.sendall(b"GET /?status=205&" + query.encode() + b" HTTP/1.1\r\n" + HOST + b"\r\n")
            answer = read_response(sock)
            assert (answer.status, answer.headers.get("content-length"), answer.body) == (205, "0", b"")


def test_a_426_says_what_to_upgrade_to(respond):
    with respond.connect() as sock:
        sock.sendall(b"GET /?status=426&name=Upgrade&value=TLS/1.2 HTTP/1.1\r\n" + HOST + b"\r\n")
        answer = read_response(sock)
        assert (answer.status, answer.headers["upgrade"], answer.headers["connection"]) == (426, "TLS/1.2", "upgrade")
        sock.sendall(b"GET /?status=200&name=Upgrade&value=TLS/1.2 HTTP/1.1\r\n" + HOST + b"\r\n")
        assert "upgrade" not in read_response(sock).headers
