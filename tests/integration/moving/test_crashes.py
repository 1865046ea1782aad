"""A worker that comes to an end takes the request that was in its app along, which is answered all the same, and
nothing else: whatever its other connections were in the middle of goes on, at another worker or at the one in its
place."""

import os
import re
import signal
import socket
from pathlib import Path

import pytest

from harness import (
    SANITIZED,
    Server,
    has_ipv6,
    is_alive,
    read_end,
    read_response,
    request_bytes,
    wait_until,
)
from unfinished import GET, KINDS, Kind, Lingering, OneWorker, Stopped, make_file, understudies

TIMEOUT = ("--timeout", "1")

# How it ends: what the app does, options, and the answer.
CAUSES = {
    "SIGSEGV": ("segv", (), 500),
    "SIGBUS": ("bus", (), 500),
    "abort": ("abort", (), 500),
    "_exit": ("exit", (), 500),
    "exit": ("exit_in_order", (), 500),
    "uncaught exception": ("throw", (), 500),
    "stack overflow": ("overflow", (), 500),
    "smashed heap": ("heap", (), 500),
    "overrun": ("spin", TIMEOUT, 504),
    "overrun, asleep": ("wait", TIMEOUT, 504),
    "deaf": ("deaf", TIMEOUT, 504),
    "SIGKILL": ("wait", (), 500),
}
# A sanitizer tells of the one before it happens, and takes what is in use at the other for leaks.
only_plain = pytest.mark.skipif(SANITIZED, reason="a sanitizer has its say before")
ALL = [pytest.param(name, id=name, marks=only_plain if name in ("smashed heap", "exit") else ()) for name in CAUSES]
FEW = ["SIGSEGV", "SIGKILL", "overrun"]


def asks(server, path, sock, method="GET"):
    """Sends a request in which the worker ends, and sees to its end where that comes from outside."""
    ends = server.count_log("collapse: ends")
    sock.sendall(request_bytes(path, method=method))
    server.wait_log("collapse: ends", count=ends + 1)


def kills_if_asked(server, cause, worker):
    if cause == "SIGKILL":
        os.kill(worker, signal.SIGKILL)


def lines(log):
    """The paths and statuses of an access log, in its order."""
    pattern = re.compile(r'"\w+ ([^ ?"]*)[^"]*" (\d+) ')
    found = [pattern.search(line) for line in log.read_text().splitlines()]
    return [(match[1], int(match[2])) if match else ("?", "?") for match in found]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("cause", ALL)
def test_the_request_in_the_app_is_answered_and_all_others_go_on(cause, workers, tmp_path):
    how, options, status = CAUSES[cause]
    file = make_file(tmp_path)
    log = tmp_path / "access.log"
    args = ("--workers", workers, "--access-logfile", log, "--graceful-timeout", "3", *options)
    with Server("collapse:app", *args, wait=workers, env={"COLLAPSE_FILE": str(file)}) as server:
        # Nobody lingers for as long as an overrun takes to be noticed.
        kinds = [kind for kind in KINDS if kind is not Lingering or not options]
        clients = [kind(file) for kind in kinds for _ in range(2)]
        with OneWorker(server, workers) as victim:
            socks = [client.open(server.port) for client in clients]
            for client, sock in zip(clients, socks):
                client.begin(sock)
            in_app = server.connect(timeout=30)
            assert Kind.ask(in_app) == victim.pid
        asks(server, f"/end?how={how}", in_app)
        kills_if_asked(server, cause, victim.pid)
        response = read_response(in_app)
        assert response.status == status
        assert response.headers["connection"] == "close"
        title = {500: "500 Internal Server Error", 504: "504 Gateway Timeout"}[status]
        assert re.fullmatch(rf"{title}\nRequest id: [0-9a-f]{{32}}\n", response.text)
        assert read_end(in_app) == b""
        # Those who linger first: they may be silent for five seconds.
        for client, sock in sorted(zip(clients, socks), key=lambda each: not isinstance(each[0], Lingering)):
            client.end(sock)
            sock.close()
        server.wait_for(lambda: not is_alive(victim.pid), what="its end")
        server.wait_workers(workers)
        server.stop()
        answered = lines(log)
        assert answered.count(("/file", 200)) == 2
        assert answered.count(("/big", 200)) == 4
        assert answered.count(("/echo", 200)) == 2 * 4
        assert answered.count(("/echo", 400)) == 2 * kinds.count(Lingering)
        assert answered.count(("/end", status)) == 1
        assert "?" not in {status for _, status in answered}


MOST_MEMORY = 256 << 20


@pytest.fixture
def memory_group():
    """A control group in which there is little memory."""
    for parent, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
        group = Path(parent) / f"cppcorn-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if (group / limit).exists():
                (group / limit).write_text(str(MOST_MEMORY))
                yield group
                wait_until(lambda: (group / "cgroup.procs").read_text() == "", what="the end of its processes")
                return
        finally:
            group.rmdir()
    pytest.skip("no control group can be made here that bounds memory")


@only_plain
@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_when_the_kernel_kills_it_for_lack_of_memory(workers, memory_group, tmp_path):
    file = make_file(tmp_path)
    wrapper = ["sh", "-c", f'echo $$ >{memory_group}/cgroup.procs && exec "$@"', "sh"]
    args = ("--workers", workers)
    with Server("collapse:app", *args, wait=workers, wrapper=wrapper, env={"COLLAPSE_FILE": str(file)}) as server:
        clients = [kind(file) for kind in KINDS]
        with OneWorker(server, workers) as victim:
            socks = [client.open(server.port) for client in clients]
            for client, sock in zip(clients, socks):
                client.begin(sock)
            in_app = server.connect(timeout=30)
            assert Kind.ask(in_app) == victim.pid
        asks(server, "/end?how=memory", in_app)
        assert read_response(in_app).status == 500
        # Those who linger first: they may be silent for five seconds.
        for client, sock in sorted(zip(clients, socks), key=lambda each: not isinstance(each[0], Lingering)):
            client.end(sock)
            sock.close()
        server.wait_log(r"was sent SIGKILL.*Perhaps out of memory\?")
        assert not is_alive(victim.pid)


# ---- What the client in the app reads


@pytest.mark.parametrize("cause", FEW)
def test_the_answer_to_a_head_request_has_no_body(cause):
    how, options, status = CAUSES[cause]
    with Server("collapse:app", "--graceful-timeout", "3", *options) as server:
        (worker,) = server.wait_workers(1)
        sock = server.connect(timeout=30)
        asks(server, f"/end?how={how}", sock, method="HEAD")
        kills_if_asked(server, cause, worker)
        response = read_response(sock, "HEAD")
        assert response.status == status
        assert int(response.headers["content-length"]) > 0
        assert read_end(sock) == b""


@pytest.mark.parametrize("cause", ALL)
def test_a_request_that_came_first_on_its_connection_is_answered(cause):
    how, options, status = CAUSES[cause]
    with Server("collapse:app", "--workers", "2", "--graceful-timeout", "3", *options, wait=2) as server:
        with OneWorker(server, 2) as victim:
            sock = server.connect(timeout=30)
            asks(server, f"/end?how={how}", sock)
        kills_if_asked(server, cause, victim.pid)
        response = read_response(sock)
        assert response.status == status
        assert "date" in response.headers
        assert response.headers["server"] == "cppcorn"


CUTS = {
    "length": (b"GET /end-in-body?length=1000&how=%s HTTP/1.1\r\nHost: x\r\n\r\n", "it has a length"),
    "chunked": (b"GET /end-in-body?how=%s HTTP/1.1\r\nHost: x\r\n\r\n", "it has a last chunk"),
    "until close": (b"GET /end-in-body?how=%s HTTP/1.0\r\n\r\n", "only a reset tells"),
}


@pytest.mark.parametrize("kind", CUTS)
@pytest.mark.parametrize("cause", ["SIGSEGV", "SIGKILL", "_exit", "overrun"])
def test_a_response_that_has_begun_is_cut_so_that_it_is_seen(cause, kind, tmp_path):
    how, options, _ = CAUSES[cause]
    request, _ = CUTS[kind]
    with Server("collapse:app", "--graceful-timeout", "3", *options) as server:
        (worker,) = server.wait_workers(1)
        other = server.connect(timeout=30)
        Kind.ask(other)
        sock = server.connect(timeout=30)
        sock.sendall(request % how.encode())
        server.wait_log("collapse: ends")
        received = b""
        while b"first half" not in received:
            received += sock.recv(1000)
        kills_if_asked(server, cause, worker)
        cut = None
        try:
            while data := sock.recv(1000):
                received += data
        except ConnectionResetError as error:
            cut = error
        assert b"HTTP/1.1 500" not in received
        assert b"\r\n0\r\n" not in received
        assert received.endswith((b"first half\n", b"first half\n\r\n"))
        if kind == "until close":
            assert cut is not None, "the client takes it for a whole one"
        Kind.ask(other)


@pytest.mark.parametrize("cause", ["SIGSEGV", "SIGKILL", "_exit", "overrun"])
def test_a_client_whose_answer_is_whole_goes_on(cause):
    """The app was not done with the request, but the client was."""
    how, options, _ = CAUSES[cause]
    with Server("collapse:app", "--graceful-timeout", "3", *options) as server:
        (worker,) = server.wait_workers(1)
        sock = server.connect(timeout=30)
        for _ in range(2):
            sock.sendall(GET % f"/end-in-body?length={len('first half.')}&how={how}".encode())
            assert read_response(sock)[::2] == (200, b"first half\n")
            kills_if_asked(server, cause, worker)
            assert Kind.ask(sock) != worker
            (worker,) = server.wait_workers(1)


@pytest.mark.parametrize("cause", ["SIGSEGV", "SIGKILL", "overrun"])
def test_answers_of_a_batch_that_were_made_before_are_sent(cause, tmp_path):
    how, options, status = CAUSES[cause]
    log = tmp_path / "access.log"
    args = ("--workers", "2", "--access-logfile", log, "--graceful-timeout", "3", *options)
    with Server("collapse:app", *args, wait=2) as server:
        with OneWorker(server, 2) as victim:
            sock = server.connect(timeout=30)
            first = GET % b"/pid" + GET % b"/big?bytes=5000" + GET % b"/pid"
            sock.sendall(first + GET % f"/end?how={how}".encode() + GET % b"/pid")
            server.wait_log("collapse: ends")
        kills_if_asked(server, cause, victim.pid)
        assert int(read_response(sock).body) == victim.pid
        assert len(read_response(sock).body) == 5000
        assert int(read_response(sock).body) == victim.pid
        assert read_response(sock).status == status
        assert read_end(sock) == b""
        server.wait_workers(2)
        server.stop()
        assert sorted(lines(log)) == [("/big", 200), ("/end", status), ("/pid", 200), ("/pid", 200)]


def test_lines_of_requests_that_were_answered_are_written_once(tmp_path):
    """Each in its place: before that of the request in which the worker ended, whose answer is logged as well."""
    log = tmp_path / "access.log"
    with Server("collapse:app", "--access-logfile", log) as server:
        for count in range(1, 6):
            sock = server.connect(timeout=30)
            for _ in range(10):
                Kind.ask(sock)
            sock.sendall(GET % b"/end?how=segv")
            assert read_response(sock).status == 500
            sock.close()
        server.stop()
        assert lines(log) == ([("/pid", 200)] * 10 + [("/end", 500)]) * 5


# ---- By whatever way the connections came


class Ways:
    """Each opens connections to a server that listens in its way."""

    @staticmethod
    def unix(server, folder):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(30)
        sock.connect(str(folder / "s"))
        return sock

    @staticmethod
    def ipv6(server, folder):
        return socket.create_connection(("::1", server.port), timeout=30)


def ends_and_goes_on(server, connect_one, workers):
    """A request ends its worker; those beside it go on. Returns the connections that do."""
    with OneWorker(server, workers) as victim:
        others = [connect_one() for _ in range(5)]
        for sock in others[1:]:
            assert Kind.ask(sock) == victim.pid
        half, late = others[1], others[2]
        half.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234")
        in_app = connect_one()
        asks(server, "/end?how=wait", in_app)
    late.sendall(GET % b"/pid")
    os.kill(victim.pid, signal.SIGKILL)
    assert read_response(in_app).status == 500
    assert read_end(in_app) == b""
    half.sendall(b"56789")
    assert read_response(half)[::2] == (200, b"0123456789")
    assert read_response(late).status == 200
    for sock in others:
        assert Kind.ask(sock) != victim.pid
    return others


@pytest.mark.parametrize("workers", [1, 2])
def test_connections_of_a_unix_socket_go_on(workers, tmp_path):
    with Server("collapse:app", "--workers", workers, bind=f"unix:{tmp_path}/s", wait=workers) as server:
        for sock in ends_and_goes_on(server, lambda: Ways.unix(server, tmp_path), workers):
            sock.sendall(GET % b"/peer")
            assert read_response(sock).text.split()[0] == "http"
            sock.close()


@pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")
@pytest.mark.parametrize("workers", [1, 2])
def test_connections_over_ipv6_go_on(workers):
    with Server("collapse:app", "--workers", workers, bind="[::1]:0", wait=workers) as server:
        for sock in ends_and_goes_on(server, lambda: Ways.ipv6(server, None), workers):
            sock.sendall(GET % b"/peer")
            assert read_response(sock).text.split()[0] == "::1"
            sock.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_proxy_has_told_of_them_is_kept(workers):
    with Server("collapse:app", "--workers", workers, "--proxy-protocol", "v1", wait=workers) as server:
        count = iter(range(1, 100))

        def connect_one():
            sock = server.connect(timeout=30)
            sock.sendall(b"PROXY TCP4 192.0.2.%d 192.0.2.200 1234 80\r\n" % next(count))
            return sock

        for number, sock in enumerate(ends_and_goes_on(server, connect_one, workers), 1):
            sock.sendall(GET % b"/peer")
            assert read_response(sock).text.split()[0] == f"192.0.2.{number}"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_trusted_proxy_is_believed_afterwards_as_before(workers):
    with Server("collapse:app", "--workers", workers, "--forwarded-allow-ips", "127.0.0.1", wait=workers) as server:
        for sock in ends_and_goes_on(server, lambda: server.connect(timeout=30), workers):
            sock.sendall(request_bytes("/peer", {"X-Forwarded-Proto": "https"}))
            assert read_response(sock).text.split()[1] == "https"


# ---- Whatever it has written


@pytest.mark.parametrize("how", ["segv", "exit", "kill"])
def test_a_worker_that_has_spoilt_the_memory_of_its_connections_harms_no_other(how):
    """Its app has written over all that it shares with its understudy, which has to make sense of it."""
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        for seed in range(8):
            victim, other = server.wait_workers(2)
            with Stopped([victim]):
                kept = [server.connect(timeout=30) for _ in range(3)]
                for sock in kept:
                    assert Kind.ask(sock) == other
            with Stopped([other]):
                socks = [server.connect(timeout=30) for _ in range(5)]
                for sock in socks:
                    assert Kind.ask(sock) == victim
                socks[0].sendall(GET % b"/spoil?ms=20&seed=%d&how=%s" % (seed, how.encode()))
                server.wait_for(lambda: victim not in server.worker_pids(), what="its end")
            for sock in kept:
                assert Kind.ask(sock)
            server.wait_workers(2)
            assert other in server.worker_pids()
            for sock in [*kept, *socks]:
                sock.close()
        server.wait_for(lambda: len(understudies(server)) == 2, what="an understudy for each, and no other")
