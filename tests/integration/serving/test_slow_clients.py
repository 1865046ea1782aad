"""Clients that are slow on purpose, a thousand at a time: the others notice nothing, and the slow ones are sent away."""

import resource
import socket
import statistics
import subprocess
import threading
import time

import pytest

from harness import SANITIZED, SLOWNESS, Server, open_files, read_end, request_bytes

CONNECTIONS = 1000
ANSWER = 1_000_000  # bytes
TIMEOUT = 2  # seconds, of each deadline
PATIENCE = 25  # of the slow clients
SEND_SLOWLY = {
    "header": ["-H", "-i", "1", "-r", "1000"],
    "body": ["-B", "-i", "1", "-s", "100000", "-r", "1000"],
    "range": ["-R", "-t", "GET", "-r", "1000"],
    # Making the answers is work, which is not what is tested: so they are asked for one after the other.
    "slow read": ["-X", "-w", "1", "-y", "2", "-n", "1", "-z", "1", "-k", "1", "-r", "200"],
}
# The same work for the server, without being slow.
SEND_QUICKLY = {
    "slow read": ["-X", "-w", "1000000", "-y", "1000001", "-n", "1", "-z", "1000000", "-k", "1", "-r", "200"],
}


@pytest.fixture(autouse=True)
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


class Normal:
    """A client that asks for something small again and again, and takes the time."""

    def __init__(self, server):
        self.times = []
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.wait(0.02):
            began = time.monotonic()
            assert self._server.get("/").status == 200
            self.times.append(time.monotonic() - began)

    def __enter__(self):
        self._server.port
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def start_crowd(server, options, path):
    command = ["slowhttptest", *options, "-c", str(CONNECTIONS), "-l", str(PATIENCE), "-p", "2"]
    command += ["-u", f"http://127.0.0.1:{server.port}{path}"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def nineteen_of_twenty(times):
    return statistics.quantiles(times, n=20)[-1]


@pytest.mark.parametrize("mode", SEND_SLOWLY)
def test_a_thousand_slow_clients_stop_nobody(mode):
    # Nor are there long waits now and then: they would be there each time, unlike what else the machine does.
    assert any(answers > 0.6 * usual for answers, usual in (besiege(mode) for _ in range(3)))


def besiege(mode):
    """How long the others may have to wait is told by a second server, which has no slow clients. Returns how many
    answers each server gave."""
    timeouts = [f"--{each}-timeout={TIMEOUT}" for each in ("header", "body", "write")]
    args = ["--workers", "2", "--keep-alive", TIMEOUT, *timeouts]
    path = f"/big?bytes={ANSWER}" if mode == "slow read" else "/"
    with Server("faults:app", *args, wait=2) as server, Server("faults:app", *args, wait=2) as sibling:
        workers = server.wait_workers(2)
        with Normal(server) as normal, Normal(sibling) as usual:
            began = time.monotonic()
            slow = start_crowd(server, SEND_SLOWLY[mode], path)
            quick = start_crowd(sibling, SEND_QUICKLY[mode], path) if mode in SEND_QUICKLY else None
            if mode == "range":
                slow.wait(PATIENCE)  # a range of thousands of pieces is refused at once
            else:
                have_come = lambda: sum(map(connections_of, workers)) > CONNECTIONS / 20
                server.wait_for(have_come, what="the first slow clients")
            # All are sent away by their deadline, long before they would leave themselves.
            server.wait_for(lambda: sum(map(connections_of, workers)) <= 1, timeout=PATIENCE, what="the end of the slow clients")
            assert time.monotonic() - began < PATIENCE * SLOWNESS
            server.wait_for(lambda: min(len(normal.times), len(usual.times)) > 20, what="enough answers to compare")
            for crowd in filter(None, (slow, quick)):
                crowd.kill()
                crowd.wait(30)
        for name, times in (("besieged", normal.times), ("usual", usual.times)):
            print(f"{name}: {len(times)} answers, {nineteen_of_twenty(times):.3f} s, at most {max(times):.3f} s")
        assert nineteen_of_twenty(normal.times) < 0.2 * SLOWNESS + 3 * nineteen_of_twenty(usual.times)
        assert server.worker_pids() == workers
        if not SANITIZED:
            # In the worst case, what was left of the answers to all of them at once.
            assert max(map(resident_kb, workers)) < CONNECTIONS * ANSWER / 1000
        return len(normal.times), len(usual.times)


def connections_of(pid):
    """Sockets of clients that a worker holds; beside them, it has a listener and the queue of connections."""
    return sum(target.startswith("socket:") for target in open_files(pid).values()) - 3


@pytest.mark.skipif(SANITIZED, reason="the sanitizer's memory is not ours")
def test_an_idle_connection_costs_little():
    """Also what docs/http.md says of it."""
    count = 10_000
    with Server("hello:app", "--workers", "2", wait=2) as server:
        workers = server.wait_workers(2)
        server.get("/")
        before = sum(map(resident_kb, workers))
        clients = []
        for number in range(count):
            sock = socket.socket()
            # More than the ports of one address.
            sock.bind((f"127.0.0.{1 + number % 4}", 0))
            sock.connect(("127.0.0.1", server.port))
            sock.sendall(request_bytes("/"))
            sock.recv(4096)
            clients.append(sock)
        each = (sum(map(resident_kb, workers)) - before) * 1024 / count
        assert server.get("/").status == 200
        for sock in clients:
            sock.close()
        print(f"{each:.0f} bytes a connection")
        assert each < 2048


# ---- Floods


def test_endless_empty_lines_are_refused():
    with Server("hello:app") as server:
        assert server.raw(b"\r\n" * 100_000).startswith(b"HTTP/1.1 400 ")


def test_ten_thousand_fields_are_refused():
    with Server("hello:app") as server:
        fields = b"".join(b"X-%d: y\r\n" % number for number in range(10_000))
        assert server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n").startswith(b"HTTP/1.1 431 ")


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_chunk_extension_of_a_megabyte_is_refused():
    with Server("echo:app") as server:
        assert server.raw(CHUNKED + b"1;x=" + b"y" * 1_000_000 + b"\r\na\r\n0\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_a_flood_of_one_byte_chunks_is_cut_off():
    with Server("echo:app", "--body-timeout", "2") as server:
        answer = server.raw(CHUNKED + b"1\r\na\r\n" * 500_000)
        assert answer.startswith(b"HTTP/1.1 4")
        assert server.get("/").status == 200


def test_a_tls_hello_is_refused():
    with Server("hello:app") as server:
        hello = bytes.fromhex("16030100c8010000c403035f") + bytes(190)
        assert server.raw(hello).startswith(b"HTTP/1.1 400 ")
        server.wait_log(r"Invalid request from ip=127.0.0.1: .*\(400\)")


@pytest.mark.parametrize("accept, kind", [("text/html", "text/html"), ("text/plain", "text/plain"), ("*/*", "text/plain")])
def test_a_refusal_is_in_the_form_that_the_client_reads(accept, kind):
    with Server("hello:app") as server:
        answer = server.raw(f"GET / HTTP/1.1\r\nHost: x\r\nbad line\r\nAccept: {accept}\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert f"Content-Type: {kind}".encode() in answer


def test_a_scan_does_not_flood_the_log():
    with Server("hello:app") as server:
        for _ in range(200):
            assert server.raw(b"NONSENSE\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        assert server.count_log("Invalid request") <= 20


# ---- Large bodies


def peak_kb(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


GIGABYTE = 1 << 30


@pytest.mark.skipif(SANITIZED, reason="takes too long, and the sanitizer's memory is not ours")
def test_a_gigabyte_up_in_bounded_memory():
    with Server("reader:app") as server:
        (worker,) = server.wait_workers(1)
        piece = b"x" * (1 << 20)
        sock = server.connect(timeout=30)
        sock.sendall(request_bytes("/?mode=count", {"Content-Length": str(GIGABYTE)}, "POST"))
        for _ in range(GIGABYTE // len(piece)):
            sock.sendall(piece)
        sock.shutdown(socket.SHUT_WR)
        answer = read_end(sock)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b"read %d bytes\n" % GIGABYTE)
        assert peak_kb(worker) < 50_000


@pytest.mark.skipif(SANITIZED, reason="takes too long, and the sanitizer's memory is not ours")
def test_a_gigabyte_down_in_bounded_memory(tmp_path):
    with open(tmp_path / "big", "wb") as file:
        file.truncate(GIGABYTE)  # a hole: it takes no disk
    with Server(f'files:app("{tmp_path}")') as server:
        (worker,) = server.wait_workers(1)
        sock = server.connect(timeout=30)
        sock.sendall(request_bytes("/big", {"Connection": "close"}))
        received = 0
        while data := sock.recv(1 << 20):
            received += len(data)
        assert GIGABYTE < received < GIGABYTE + 1000
        assert peak_kb(worker) < 50_000
