"""What clients do not read at once waits in a file: who reads slowly holds no worker, and is not cut for it."""

import socket
import time

import pytest

from harness import SANITIZED, Server, open_files, read_end, read_response, request_bytes, wait_until
from test_uploads import is_polling, memory_files, mounted, pattern, spool_files

BIG = 12_000_000  # bytes: more than the sockets hold


def own_kb(pid):
    """A worker's memory without what it maps from files: its own, and what it shares with its understudy."""
    with open(f"/proc/{pid}/status") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith(("RssAnon:", "RssShmem:")))


def ask(server, path, room=None, headers=None):
    """A client that has asked, and reads nothing yet. Its kernel takes little for it."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room or 65_536)
    sock.settimeout(60)
    sock.connect(("127.0.0.1", server.port))
    sock.sendall(request_bytes(path, headers))
    server._sockets.append(sock)
    return sock


WAYS = [f"/write?bytes={BIG}", f"/stream?bytes={BIG}", f"/stream?bytes={BIG}&piece=100000"]


@pytest.mark.parametrize("path", WAYS)
def test_who_does_not_read_holds_nobody_up_and_loses_nothing(path):
    with Server("spools:app") as server:
        (worker,) = server.worker_pids()
        clients = [ask(server, path) for _ in range(3)]
        server.wait_for(lambda: len(spool_files(worker)) == 3, what="three files")
        assert server.get("/").text == "here\n"
        for client in clients:
            assert read_response(client).body == pattern(BIG)
            client.sendall(request_bytes("/"))
            assert read_response(client).text == "here\n"  # the connection goes on
        server.wait_for(lambda: not spool_files(worker), what="the end of the files")


def test_a_response_that_ends_with_its_connection_is_whole():
    with Server("spools:app") as server:
        sock = server.connect(timeout=30)
        sock.sendall(b"GET /stream?bytes=%d HTTP/1.0\r\n\r\n" % BIG)
        (worker,) = server.worker_pids()
        server.wait_for(lambda: spool_files(worker), what="its file")
        assert server.get("/").text == "here\n"
        assert read_end(sock).endswith(b"\r\n\r\n" + pattern(BIG))


def test_requests_behind_it_are_answered_in_their_turn():
    with Server("spools:app") as server:
        sock = ask(server, WAYS[0])
        sock.sendall(request_bytes("/") + request_bytes(f"/stream?bytes={BIG}") + request_bytes("/"))
        assert server.get("/").text == "here\n"
        assert read_response(sock).body == pattern(BIG)
        assert read_response(sock).text == "here\n"
        assert read_response(sock).body == pattern(BIG)
        assert read_response(sock).text == "here\n"


@pytest.mark.parametrize("count, each", [(2, 3_000_000), (16, 300_000), (3, 9_000_000)])
def test_at_most_two_files_wait_for_one_client(count, each):
    with Server("spools:app") as server:
        (worker,) = server.worker_pids()
        before = len(open_files(worker))
        sock = ask(server, f"/files?count={count}&bytes={each}")
        server.wait_for(lambda: len(open_files(worker)) > before, what="the client")
        if count * each < 20_000_000:  # what is larger is not copied, and the app waits
            assert server.get("/").text == "here\n"
            server.wait_for(lambda: len(open_files(worker)) <= before + 3, what="two files at most")
        assert read_response(sock).body == b"".join(pattern(count * each)[at * each : (at + 1) * each] for at in range(count))


def test_who_reads_slowly_but_surely_is_not_cut():
    """Longer than an app may take, and than the time in which a client has to take something."""
    with Server("spools:app", "--timeout", "2", "--write-timeout", "1", "--access-logfile", "-") as server:
        for path in WAYS:
            sock = ask(server, path)
            received = bytearray()
            began = time.monotonic()
            while len(received) < BIG - 2_000_000 and time.monotonic() - began < 5:
                due = began + len(received) / 400_000  # bytes a second
                wait_until(lambda: time.monotonic() >= due, timeout=20, what="the next piece")
                received += sock.recv(100_000)
            assert time.monotonic() - began > 4
            assert server.get("/").text == "here\n"
            while len(received) < BIG and (data := sock.recv(1_000_000)):
                received += data
            while not received.endswith((b"0\r\n\r\n", pattern(BIG)[-300:])):
                received += sock.recv(1_000_000)
        assert server.complaints() == []
        assert " cut" not in server.stdout_text()


@pytest.mark.parametrize("path", WAYS)
def test_who_takes_less_than_the_rate_is_cut_and_told_so(path):
    with Server("spools:app", "--write-timeout", "1", "--access-logfile", "-") as server:
        (worker,) = server.worker_pids()
        sock = ask(server, path)
        server.wait_log(r"\[WARNING\] Response to GET /\w+\?\S* was cut: the client does not read")
        server.wait_for(lambda: server.stdout_text().rstrip().endswith(" cut"), what="the access log's line")
        server.wait_for(lambda: not spool_files(worker), what="the end of its file")
        assert len(read_end(sock)) < BIG


# ---- Where there is no room


def test_an_app_waits_once_the_spool_is_full_and_its_reader_is_not_cut():
    with Server("spools:app", "--spool-limit", "1M", "--timeout", "2") as server:
        (worker,) = server.worker_pids()
        sock = ask(server, f"/stream?bytes={BIG}")
        server.wait_for(lambda: is_polling(worker), what="the app's wait")
        received = bytearray()
        began = time.monotonic()
        while time.monotonic() - began < 5:
            due = began + len(received) / 400_000
            wait_until(lambda: time.monotonic() >= due, timeout=20, what="the next piece")
            received += sock.recv(100_000)
        while not received.endswith(b"0\r\n\r\n"):
            received += sock.recv(1_000_000)
        assert server.complaints() == []
        assert server.worker_pids() == [worker]


def test_who_does_not_read_does_not_hold_the_app_for_ever():
    with Server("spools:app", "--spool-limit", "1M", "--timeout", "2") as server:
        workers = server.worker_pids()
        ask(server, f"/stream?bytes={BIG}")
        server.wait_log("was cut: the client does not read")
        assert server.get("/").text == "here\n"
        assert server.worker_pids() == workers


def test_room_is_given_back_while_a_long_stream_goes_on():
    """Many times the limit goes through; what has been read holds none of it."""
    with Server("spools:app", "--spool-limit", "8M") as server:
        sock = ask(server, f"/stream?bytes={10 * BIG}&piece=50000", room=1 << 20)
        received = 0
        while received < 10 * BIG:
            data = sock.recv(1 << 20)
            assert data
            received += len(data)
        assert server.get("/").text == "here\n"


@pytest.mark.parametrize("options, reason", [("ro", "Read-only file system"), ("size=1M", "No space left on device")])
def test_where_files_cannot_be_written_memory_serves(tmp_path, options, reason):
    with mounted(tmp_path, options) as server:
        (worker,) = server.worker_pids()
        sock = ask(server, WAYS[1])
        server.wait_log(f"Cannot spool to .*: {reason}")
        server.wait_for(lambda: memory_files(worker), what="its place in memory")
        assert server.get("/").text == "here\n"
        assert read_response(sock).body == pattern(BIG)


def test_memory_is_bounded_as_well(tmp_path):
    with Server("spools:app", "--spool-dir", tmp_path / "missing", "--timeout", "2") as server:
        sock = ask(server, "/stream?bytes=100000000&piece=100000")
        server.wait_log("was cut: the client does not read")
        sock.close()
        assert server.get("/").text == "here\n"


# ---- Many


@pytest.mark.skipif(SANITIZED, reason="the sanitizer's memory is not ours")
def test_memory_for_many_readers_is_bounded_for_the_worker_and_given_back():
    """Answers that fit into the memory of one connection, but not all of them together."""
    with Server("spools:app") as server:
        (worker,) = server.worker_pids()
        server.get("/")
        before = own_kb(worker)
        clients = [ask(server, "/stream?bytes=4500000", room=4096) for _ in range(200)]
        assert server.get("/", timeout=60).text == "here\n"
        held = own_kb(worker) - before
        for client in clients:
            client.close()
        server.wait_for(lambda: not spool_files(worker), what="their end")
        print(f"{held} KiB for 200 readers, {own_kb(worker) - before} KiB afterwards")
        assert held < 45_000
        assert own_kb(worker) - before < 4_000
