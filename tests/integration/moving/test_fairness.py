"""While the app of one worker takes its time, what arrives on that worker's other connections is answered by others.

Times are compared with how long the app sleeps, and with the same server without understudies."""

import os
import signal
import socket

import pytest

from harness import SLOWNESS, Server, is_alive, is_sleeping, read_response, request_bytes
from unfinished import GET, HalfBody, HalfChunks, HalfHead, Kind, OneWorker, Stopped, understudies

SLEEP_MS = 1500 * SLOWNESS
SLOW = GET % b"/sleep?ms=%d" % SLEEP_MS


def connections_to_one(server, count, workers=2):
    """Connections that are all one worker's; and its pid."""
    with OneWorker(server, workers) as one:
        socks = [server.connect(timeout=30) for _ in range(count)]
        for sock in socks:
            assert Kind.ask(sock) == one.pid
    return socks, one.pid


def falls_asleep(server, sock, worker):
    sock.sendall(SLOW)
    server.wait_for(lambda: is_sleeping(worker), what="the app's sleep")


def is_asleep_still(sock):
    """The answer to the slow request is not there yet."""
    sock.setblocking(False)
    try:
        sock.recv(1, socket.MSG_PEEK)
        return False
    except BlockingIOError:
        return True
    finally:
        sock.settimeout(30)


# ---- The others' requests


@pytest.mark.parametrize("count", [1, 40])
def test_requests_beside_a_slow_one_are_answered_by_others(count):
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        (slow, *others), busy = connections_to_one(server, count + 1)
        falls_asleep(server, slow, busy)
        for sock in others:
            sock.sendall(GET % b"/pid")
        for sock in others:
            assert int(read_response(sock).body) != busy
        assert is_asleep_still(slow)
        assert read_response(slow).text == "slept\n"
        assert Kind.ask(slow)


def test_without_understudies_they_wait():
    """What the others of these tests are compared with."""
    with Server("collapse:app", "--workers", "2", "--no-understudy", wait=2) as server:
        (slow, other), busy = connections_to_one(server, 2)
        falls_asleep(server, slow, busy)
        other.sendall(GET % b"/pid")
        assert int(read_response(other).body) == busy
        assert not is_asleep_still(slow)


@pytest.mark.parametrize("kind", [HalfHead, HalfBody, HalfChunks])
def test_requests_whose_rest_comes_meanwhile_are_answered_by_others(kind):
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        (slow, other), busy = connections_to_one(server, 2)
        client = kind()
        with OneWorker(server, 2):
            client.begin(other)
            assert Kind.ask(slow) == busy  # the half of it has been read by now
        falls_asleep(server, slow, busy)
        client.end(other)
        assert is_asleep_still(slow)


def test_requests_that_were_read_and_wait_for_their_turn_are_answered_by_others():
    """They make no event any more: the worker has taken the first of them, and then the slow one came in between."""
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        (slow, batch), _ = connections_to_one(server, 2)
        with OneWorker(server, 2):
            batch.sendall((GET % b"/sleep?ms=30") * 10)
            server.wait_log("sleeps for 30 ms")
            slow.sendall(SLOW)
            server.wait_log(f"sleeps for {SLEEP_MS} ms")
            assert 1 <= server.count_log("sleeps for 30 ms") < 10
        for _ in range(10):
            assert read_response(batch).text == "slept\n"
        assert is_asleep_still(slow)
        assert read_response(slow).text == "slept\n"


def test_a_client_that_reads_on_gets_the_rest_from_others():
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        (slow, other), busy = connections_to_one(server, 2)
        with OneWorker(server, 2):
            other.sendall(GET % b"/big?bytes=20000000")
            other.recv(1, socket.MSG_PEEK)
            assert Kind.ask(slow) == busy
        falls_asleep(server, slow, busy)
        assert len(read_response(other).body) == 20_000_000
        assert is_asleep_still(slow)


# ---- The slow one's own connection


def test_a_fast_answer_before_a_slow_one_arrives_at_once():
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        (sock,), busy = connections_to_one(server, 1)
        sock.sendall(GET % b"/pid" + GET % b"/echo" + SLOW + GET % b"/pid")
        assert int(read_response(sock).body) == busy
        assert read_response(sock).status == 200
        assert is_asleep_still(sock)
        assert read_response(sock).text == "slept\n"
        assert read_response(sock).status == 200
        assert Kind.ask(sock)


def test_fast_answers_beside_slow_ones_come_once_and_in_order():
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        sock = server.connect(timeout=30)
        sock.sendall(b"".join(GET % b"/big?bytes=%d" % (count * 1000) + GET % b"/sleep?ms=20" for count in range(40)))
        for count in range(40):
            assert len(read_response(sock).body) == count * 1000
            assert read_response(sock).text == "slept\n"


# ---- Afterwards


def test_after_a_slow_call_the_worker_serves_all_as_before():
    with Server("collapse:app", "--workers", "1") as server:
        (worker,) = server.wait_workers(1)
        for _ in range(3):
            slow = server.connect(timeout=30)
            falls_asleep(server, slow, worker)
            new = server.connect(timeout=30)  # waits: there is nobody else
            new.sendall(GET % b"/pid")
            assert read_response(slow).text == "slept\n"
            assert int(read_response(new).body) == worker
            assert int(server.get("/pid").body) == worker


def test_orders_that_come_during_a_slow_call_are_followed_afterwards(tmp_path):
    log = tmp_path / "access.log"
    with Server("collapse:app", "--workers", "1", "--access-logfile", log) as server:
        (worker,) = server.wait_workers(1)
        slow = server.connect(timeout=30)
        falls_asleep(server, slow, worker)
        log.rename(tmp_path / "moved")
        server.signal(signal.SIGUSR1)
        server.wait_for(log.exists, what="the new log")
        assert read_response(slow).text == "slept\n"
        server.wait_for(
            lambda: server.get("/pid").status == 200 and "/pid" in log.read_text(),
            what="a line in the new log",
        )
        falls_asleep(server, slow, worker)
        server.signal(signal.SIGHUP)
        assert read_response(slow).text == "slept\n"
        server.wait_log("Reload done")
        server.wait_for(lambda: not is_alive(worker), what="the end of the old worker")
        assert Kind.ask(slow) != worker


def test_deadlines_that_come_during_a_slow_call_are_kept_afterwards():
    with Server("collapse:app", "--workers", "1", "--keep-alive", "1") as server:
        (worker,) = server.wait_workers(1)
        idle = server.connect(timeout=30)
        Kind.ask(idle)
        slow = server.connect(timeout=30)
        falls_asleep(server, slow, worker)
        assert read_response(slow).text == "slept\n"
        assert idle.recv(1) == b""
        assert slow.recv(1) == b""


def test_a_connection_that_moves_a_thousand_times_loses_nothing():
    """From worker to worker: the one that has it is kept from answering each time."""
    times = 1000 if SLOWNESS == 1 else 100
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        slow = {}
        for worker in server.wait_workers(2):
            with Stopped([pid for pid in server.worker_pids() if pid != worker]):
                slow[worker] = server.connect(timeout=30)
                assert Kind.ask(slow[worker]) == worker
        sock = server.connect(timeout=30)
        at = Kind.ask(sock)
        moves = tries = 0
        while moves < times:
            slow[at].sendall(GET % b"/sleep?ms=8")
            sock.sendall(b"POST /who HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n%06d" % moves)
            now, body = read_response(sock).text.split()
            assert int(body) == moves
            assert read_response(slow[at]).text == "slept\n"
            moves += int(now) != at
            at = int(now)
            tries += 1
            assert tries < 3 * times + 100


# ---- Apps that lay hands on what is not theirs


@pytest.mark.parametrize("how", ["close", "dup2", "close_range", "fork"])
def test_an_app_that_closes_what_is_not_its_own_hurts_only_its_own_pair(how):
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        victim, other = server.wait_workers(2)
        with Stopped([victim]):
            kept = [server.connect(timeout=30) for _ in range(10)]
            for sock in kept:
                assert Kind.ask(sock) == other
        with OneWorker(server, 2) as one:
            assert one.pid == victim
            beside = [server.connect(timeout=30) for _ in range(3)]
            for sock in beside:
                assert Kind.ask(sock) == victim
            harmed = server.connect(timeout=30)
            harmed.sendall(request_bytes(f"/harm?how={how}&ms=50"))
            server.wait_for(lambda: not is_alive(victim) or is_sleeping(victim) or how == "fork", what="the harm")
        for sock in kept:
            assert Kind.ask(sock)
        if how == "fork":
            assert read_response(harmed).text == "harmed\n"
            for sock in beside:
                assert Kind.ask(sock)
        # Whether it has come to its end or not, the service has what it needs.
        for _ in range(5):
            assert server.get("/pid", timeout=20).status == 200
        if is_alive(victim):
            os.kill(victim, signal.SIGKILL)
        server.wait_for(lambda: victim not in server.worker_pids(), what="its end")
        server.wait_workers(2)

        server.wait_for(lambda: len(understudies(server)) == 2, what="an understudy for each")
        for sock in kept:
            assert Kind.ask(sock)
