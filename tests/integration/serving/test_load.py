"""Many clients: no errors under load, and no client that does nothing can keep others waiting."""

import re
import resource
import select
import shutil
import socket
import subprocess
import time

import pytest

from harness import SLOWNESS, Server, read_end, read_response, request_bytes, wait_until

WRK = shutil.which("wrk")


def wrk(server, *args, path="/"):
    assert WRK, "wrk is missing; script/bootstrap installs it"
    url = f"http://127.0.0.1:{server.port}{path}"
    done = subprocess.run([WRK, *args, url], capture_output=True, text=True, timeout=30, check=True)
    assert "Non-2xx" not in done.stdout, done.stdout
    assert "Socket errors" not in done.stdout, done.stdout
    return int(re.search(r"(\d+) requests in", done.stdout)[1])


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_no_errors_under_load():
    with Server("hello:app", "--workers", "2", wait=2) as server:
        before = server.wait_workers(2)
        assert wrk(server, "-t2", "-c64", "-d2s") > 2000 / SLOWNESS
        assert server.worker_pids() == before
        assert server.count_log(r"\[(ERROR|CRITICAL|WARNING)\]") == 0


def test_no_errors_with_a_connection_for_each_request():
    with Server("hello:app", "--workers", "2", "--keep-alive", "0", wait=2) as server:
        assert wrk(server, "-t1", "-c16", "-d1s") > 500 / SLOWNESS
        assert server.count_log(r"\[(ERROR|CRITICAL|WARNING)\]") == 0


def test_no_errors_with_large_responses():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        assert wrk(server, "-t1", "-c16", "-d1s", path="/big?bytes=1000000") > 50 / SLOWNESS
        assert server.count_log(r"\[(ERROR|CRITICAL|WARNING)\]") == 0


def test_no_errors_while_workers_are_recycled():
    with Server("hello:app", "--workers", "2", "--max-requests", "500", "--keep-alive", "0", wait=2) as server:
        assert wrk(server, "-t1", "-c8", "-d1s") > 500 / SLOWNESS
        assert server.count_log("Worker exiting") >= 1
        assert server.count_log(r"\[(ERROR|CRITICAL)\]") == 0


def test_the_memory_of_a_worker_does_not_grow_with_its_requests():
    def resident(pid):
        for line in open(f"/proc/{pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1])

    with Server("hello:app") as server:
        pid = server.wait_workers(1)[0]
        wrk(server, "-t1", "-c32", "-d1s")
        before = resident(pid)
        wrk(server, "-t1", "-c32", "-d1s")
        wrk(server, "-t1", "-c32", "-d1s")
        assert resident(pid) - before < (1000 if SLOWNESS == 1 else 50_000)  # kB


def test_five_hundred_keep_alive_connections(many_descriptors):
    with Server("hello:app", "--workers", "2", wait=2) as server:
        socks = [server.connect() for _ in range(500)]
        for _ in range(3):
            for sock in socks:
                sock.sendall(request_bytes("/"))
            for sock in socks:
                assert read_response(sock).body == b"Hello, world!\n"
        server.stop()
        assert [read_end(sock) for sock in socks] == [b""] * 500
        assert server.count_log(r"\[(ERROR|CRITICAL|WARNING)\]") == 0


def test_a_full_worker_leaves_connections_to_the_other_and_to_the_backlog():
    """--worker-connections is a limit, not a failure: the next client waits for a place."""
    with Server("hello:app", "--workers", "2", "--worker-connections", "5", wait=2) as server:
        held = [server.connect() for _ in range(10)]
        for sock in held:  # none is idle, which would make place
            sock.sendall(request_bytes("/") + b"GET")
            assert read_response(sock).status == 200
        waiting = server.connect()
        waiting.sendall(request_bytes("/"))
        waiting.settimeout(0.3)
        with pytest.raises(TimeoutError):
            read_response(waiting)
        waiting.settimeout(10)
        held[0].close()
        assert read_response(waiting).status == 200


def test_newcomers_wait_no_longer_than_the_others():
    """Twenty clients come at once to a worker that is always busy: none is passed by the others again and again."""
    with Server("faults:app") as server:
        request = request_bytes("/sleep?ms=10")
        waiting = {server.send("/sleep?ms=10") for _ in range(20)}
        clients = list(waiting)
        answers = 0
        while waiting:
            ready, _, _ = select.select(clients, [], [], 10 * SLOWNESS)
            assert ready, f"{len(waiting)} clients have no answer yet"
            for sock in ready:
                assert read_response(sock).status == 200
                answers += 1
                waiting.discard(sock)
                sock.sendall(request)
        assert answers < 5 * len(clients)


SILENT = b""
HALF_A_HEAD = b"POST /x HTTP/1.1\r\nHost: te"
HALF_A_BODY = b"POST /x HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nabc"


@pytest.mark.parametrize("sent", [SILENT, HALF_A_HEAD, HALF_A_BODY], ids=["silent", "half a head", "half a body"])
@pytest.mark.parametrize("workers", [1, 2])
def test_clients_that_send_nothing_more_stop_nobody(sent, workers):
    with Server("hello:app", "--workers", workers, wait=workers) as server:
        idlers = [server.connect() for _ in range(100)]
        for sock in idlers:
            sock.sendall(sent)
        for _ in range(50):
            assert server.get("/").status == 200  # long before any of them is given up
        for sock in idlers:  # all of them are still served
            sock.sendall({SILENT: request_bytes("/"), HALF_A_HEAD: b"st\r\n\r\n", HALF_A_BODY: b"x" * 97}[sent])
        for sock in idlers:
            assert read_response(sock).status == 200


def test_clients_that_do_not_read_stop_nobody():
    with Server("faults:app") as server:
        port = server.port
        for _ in range(20):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(10)
            sock.connect(("127.0.0.1", port))
            server._sockets.append(sock)
            sock.sendall(request_bytes("/big?bytes=2000000"))
        for _ in range(20):
            assert server.get("/").status == 200  # long before any of them is given up


def test_an_idle_server_uses_no_processor_time():
    def ticks(pid):
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    with Server("hello:app", "--workers", "2", wait=2) as server:
        idle = [server.connect() for _ in range(20)]
        assert server.get("/").status == 200
        pids = [server.pid, *server.wait_workers(2)]
        before = sum(map(ticks, pids))
        end = time.monotonic() + 1
        wait_until(lambda: time.monotonic() > end, what="a second")
        assert sum(map(ticks, pids)) - before <= 3  # hundredths of a second
        assert len(idle) == 20
