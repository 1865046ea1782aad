"""Workers that stand still outside of a request: stopped, or stuck in something that is none of the app's requests."""

import os
import signal
import time

import pytest

from harness import Server, process, read_response, request_bytes, wait_until
from unfinished import switches

LINE = r"\[CRITICAL\] WORKER TIMEOUT \(pid:{}\): its loop stands still, outside of a request$"


def stop(pid):
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: process(pid).state == "T", what="the stop")


def stop_idle(server, pid):
    stop(pid)


def stop_after_a_request(server, pid):
    assert server.get("/pid").status == 200
    stop(pid)


def stop_with_a_connection(server, pid):
    sock = server.send("/pid")
    assert read_response(sock).status == 200
    stop(pid)
    sock.sendall(request_bytes("/pid"))  # which it never reads


def hang_in_a_handler(server, pid):
    assert server.get("/hang-soon").status == 200


def hang_at_exit(server, pid):
    os.kill(pid, signal.SIGTERM)


@pytest.mark.parametrize(
    "stand_still", [stop_idle, stop_after_a_request, stop_with_a_connection, hang_in_a_handler, hang_at_exit]
)
def test_a_worker_that_stands_still_outside_of_a_request_is_replaced(stand_still):
    env = {"HANG_AT_EXIT": "1"} if stand_still is hang_at_exit else {}
    with Server("waits:app", "--timeout", "1", "--graceful-timeout", "1", env=env) as server:
        (pid,) = server.wait_workers(1)
        stand_still(server, pid)
        server.wait_log(LINE.format(pid))
        server.wait_for(lambda: server.worker_pids() not in ([], [pid]), what="the next worker")
        assert server.get("/pid", timeout=20).status == 200
        server.wait_for(lambda: pid not in server.worker_pids(), what="its end")
        if stand_still is not hang_at_exit:
            server.wait_log(f"Stack of pid {pid} at SIGABRT")
        assert "out of memory" not in server.log_text()
        if stand_still is hang_at_exit:
            server.signal(signal.SIGTERM)
            assert server.wait_exit() == 0


def test_the_siblings_of_one_that_stands_still_serve_on():
    with Server("waits:app", "--workers", "3", "--timeout", "1", wait=3) as server:
        pids = server.wait_workers(3)
        stop(pids[0])
        server.wait_log(LINE.format(pids[0]))
        server.wait_for(lambda: pids[0] not in server.worker_pids(), what="its end")
        assert set(pids[1:]) < set(server.wait_workers(3))
        assert server.count_log("WORKER TIMEOUT") == 1


def test_a_worker_that_is_stopped_for_less_than_its_time_lives_on():
    with Server("waits:app", "--workers", "2", "--timeout", "4", wait=2) as server:
        pids = server.wait_workers(2)
        for _ in range(2):
            stop(pids[0])
            time.sleep(2.5)  # more than the master takes to ask, and less than the timeout
            os.kill(pids[0], signal.SIGCONT)
            # On a busy machine it may take a while until it runs, and two stops without that are one long one.
            wait_until(lambda: process(pids[0]).state == "S", what="a worker that has run and sleeps again")
        time.sleep(2)  # the time of another question
        assert server.worker_pids() == pids
        assert "WORKER TIMEOUT" not in server.log_text()


def test_without_a_timeout_a_worker_may_stand_still():
    with Server("waits:app", "--workers", "2", "--timeout", "0", wait=2) as server:
        pids = server.wait_workers(2)
        stop(pids[0])
        time.sleep(3)  # in which one with the shortest timeout is replaced
        os.kill(pids[0], signal.SIGCONT)
        assert server.worker_pids() == pids
        assert "WORKER TIMEOUT" not in server.log_text()


def test_a_service_that_is_stopped_again_and_again_ends_no_idle_worker():
    with Server("waits:app", "--workers", "2", "--timeout", "1", wait=2) as server:
        pids = server.wait_workers(2)
        for seconds in (0.3, 0.6, 0.9, 1.2, 1.5, 3):  # so that it is noticed, and so that it is not
            for pid in (server.pid, *pids):
                os.kill(pid, signal.SIGSTOP)
            wait_until(lambda: all(process(pid).state == "T" for pid in (server.pid, *pids)), what="the stop")
            time.sleep(seconds)  # the time that nobody runs is what is tested
            for pid in (server.pid, *pids):
                os.kill(pid, signal.SIGCONT)
            assert server.get("/pid").status == 200
        assert server.worker_pids() == pids
        assert "WORKER TIMEOUT" not in server.log_text()


def test_a_long_request_is_no_standstill():
    """And what it is asked meanwhile it answers afterwards."""
    with Server("waits:app", "--timeout", "2") as server:
        pids = server.worker_pids()
        for _ in range(3):
            assert server.get("/poll?ms=1500").status == 200
        assert server.worker_pids() == pids
        assert "WORKER TIMEOUT" not in server.log_text()


def test_an_idle_worker_sleeps():
    with Server("waits:app", "--timeout", "4") as server:
        (pid,) = server.wait_workers(1)
        server.wait_for(lambda: process(pid).state == "S", what="an idle worker")
        before = switches(pid)
        time.sleep(5)  # of idleness
        assert switches(pid) - before <= 5
