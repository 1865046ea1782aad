"""An app that waits in a system call is not disturbed by what is asked of the master meanwhile, and the master is obeyed
between two requests."""

import os
import re
import select
import signal
import subprocess

import pytest

from harness import Disconnected, Server, open_files, process, read_response, request_bytes

CALLS = (
    *("nanosleep", "clock_nanosleep", "poll", "select", "epoll_wait"),
    *("recv", "semtimedop", "sem_timedwait", "sigtimedwait"),
)
# How many connections are closed by it, those of workers that are in a call. Where other workers are left, or come, those
# go on with them.
SIGNALS = {
    "HUP": 0,
    "USR1": 0,
    "USR2": 0,
    "TERM": len(CALLS),
    "INT": len(CALLS),
    "QUIT": len(CALLS),
    "TTIN": 0,
    "TTOU": 0,
    "WINCH": len(CALLS),
    "CHLD": 0,
}
STOPS = ("TERM", "INT", "QUIT")
QUICK_STOPS = ("INT", "QUIT")


def in_calls(server, ms):
    """A connection for each call, by its name, once a worker is in each of them."""
    socks = {call: server.send(f"/{call}?ms={ms}") for call in CALLS}
    for call in CALLS:
        server.wait_log(rf"waits: in /{call} ")
    workers = {int(pid) for pid in re.findall(r"\[(\d+)\] \[INFO\] .*waits: in ", server.log_text())}
    server.wait_for(lambda: all(process(pid).state == "S" for pid in workers), what="workers in their calls")
    return socks


def ask(server, name):
    if name == "CHLD":  # as the end of a child would; nothing is logged
        server.signal(signal.SIGCHLD)
        return
    times = len(CALLS) - 1 if name == "TTOU" else 1
    for count in range(1, times + 1):
        server.signal(getattr(signal, f"SIG{name}"))
        server.wait_log(f"Handling signal: {name.lower()}", count=count)
    if name == "HUP":  # then the old ones are told
        server.wait_log("Worker ready", count=2 * len(CALLS))


def is_answered(socks):
    return bool(select.select(list(socks.values()), [], [], 0)[0])


def end_new_master(server):
    new = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])
    os.kill(new, signal.SIGTERM)
    server.wait_log("this one serves on")


@pytest.mark.parametrize("name", SIGNALS)
def test_what_is_asked_of_the_master_breaks_off_no_wait_of_the_app(name):
    # A wait is long enough if what is asked for has reached the workers by its end. A quick stop leaves a second.
    for ms in (500,) if name in QUICK_STOPS else (400, 1500, 6000):
        with Server("waits:app", "--workers", len(CALLS), wait=len(CALLS)) as server:
            socks = in_calls(server, ms)
            ask(server, name)
            answered_before = is_answered(socks)
            responses = {call: read_response(sock) for call, sock in socks.items()}
            if name in STOPS:
                assert server.wait_exit() == 0
            if name == "USR2":
                end_new_master(server)
            assert server.count_log("Killing worker") == 0
        assert {call: response.text for call, response in responses.items()} == {call: "waited\n" for call in CALLS}
        closed = sum(response.headers.get("connection") == "close" for response in responses.values())
        if closed >= SIGNALS[name] and not (SIGNALS[name] == 0 and answered_before):
            return
    pytest.fail(f"SIG{name} never came in time")


def signal_masks(status):
    """Without those that the C library keeps for itself, 32 and 33: its posix_spawn ignores them."""
    return {name: int(mask, 16) & ~(3 << 31) for name, mask in re.findall(r"^(\w+):\s*(\w+)$", status, re.MULTILINE)}


@pytest.mark.parametrize("way", ["posix_spawn", "fork", "popen"])
def test_children_of_the_app_start_with_clean_signals(way):
    with Server("waits:app") as server:
        ours = subprocess.run(["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"], capture_output=True, check=True)
        assert signal_masks(ours.stdout.decode())["SigBlk"] == 0
        assert signal_masks(server.get(f"/{way}").text) == signal_masks(ours.stdout.decode())


# ---- Obeyed between requests


def requests_at_once(server, count, ms):
    """So many connections whose requests are all there when the one worker comes back to its loop."""
    socks = [server.connect() for _ in range(count)]
    for sock in socks:
        sock.sendall(request_bytes("/pid"))
        assert read_response(sock).status == 200
    first, *others = socks
    first.sendall(request_bytes("/nanosleep?ms=300"))
    server.wait_log("waits: in /nanosleep")
    for sock in others:
        sock.sendall(request_bytes(f"/poll?ms={ms}"))
    assert read_response(first).status == 200
    server.wait_log("waits: in /poll")
    return others


def has_answer(sock):
    try:
        return read_response(sock).status == 200
    except (Disconnected, ConnectionResetError):
        return False


def test_a_quick_stop_is_obeyed_before_the_next_request_of_the_turn():
    with Server("waits:app") as server:
        socks = requests_at_once(server, 9, 300)
        server.signal(signal.SIGINT)
        assert server.wait_exit() == 0
        assert server.count_log("Killing worker") == 0
        assert 1 <= sum(map(has_answer, socks)) < len(socks)


def test_logs_are_reopened_before_the_next_request_of_the_turn(tmp_path):
    log = tmp_path / "access.log"
    with Server("waits:app", "--access-logfile", log) as server:
        socks = requests_at_once(server, 9, 200)
        (worker,) = server.worker_pids()
        log.rename(tmp_path / "access.log.1")
        server.signal(signal.SIGUSR1)
        server.wait_for(lambda: str(log) in open_files(worker).values(), what="the new log")
        answered = select.select(socks, [], [], 0)[0]
        assert len(answered) < len(socks) - 1
        assert [read_response(sock).status for sock in socks] == [200] * len(socks)


def test_term_closes_connections_from_the_answer_under_way_on():
    with Server("waits:app") as server:
        socks = requests_at_once(server, 4, 200)
        server.signal(signal.SIGTERM)
        server.wait_log("Handling signal: term")
        responses = [read_response(sock) for sock in socks]
        assert [(each.status, each.headers.get("connection")) for each in responses] == [(200, "close")] * len(socks)
        assert server.wait_exit() == 0


# ---- A worker that does not listen


def test_a_stopped_worker_does_not_hold_the_master_up():
    with Server("waits:app", "--workers", "2", "--graceful-timeout", "1", wait=2) as server:
        stopped, _ = server.wait_workers(2)
        os.kill(stopped, signal.SIGSTOP)
        for count in range(1, 201):  # more than a pipe of the smallest size would hold of any message
            server.signal(signal.SIGUSR1)
            if count % 20 == 0:
                server.wait_log("Handling signal: usr1", count=count // 20)
        server.signal(signal.SIGTTIN)
        server.wait_log("now 3 workers")
        server.signal(signal.SIGTERM)
        assert server.wait_exit() == 0
        server.wait_log(rf"Killing worker \(pid:{stopped}\), which did not exit within --graceful-timeout")


def test_a_worker_that_is_told_directly_obeys_too():
    with Server("waits:app") as server:
        (worker,) = server.worker_pids()
        sock = server.send("/poll?ms=60000")
        server.wait_log("waits: in /poll")
        server.wait_for(lambda: process(worker).state == "S", what="a worker in its call")
        os.kill(worker, signal.SIGTERM)
        response = read_response(sock)
        assert response.text == "broken off: Interrupted system call\n"
        server.wait_log(rf"Worker exiting \(pid: {worker}\)")
        assert "connection" not in response.headers
        sock.sendall(request_bytes("/poll?ms=1"))
        assert read_response(sock).text == "waited\n"  # by the one in its place


@pytest.mark.parametrize("signals", [["TERM", "INT"], ["TERM", "QUIT"]])
def test_a_graceful_stop_that_is_hurried_still_answers_what_ends_in_time(signals):
    with Server("waits:app") as server:
        sock = server.send("/poll?ms=500")
        server.wait_log("waits: in /poll")
        for name in signals:
            server.signal(getattr(signal, f"SIG{name}"))
            server.wait_log(f"Handling signal: {name.lower()}")
        assert read_response(sock).text == "waited\n"
        assert server.wait_exit() == 0


def test_a_quick_stop_kills_a_request_that_goes_on_a_second_later():
    with Server("waits:app") as server:
        sock = server.send("/poll?ms=60000")
        server.wait_log("waits: in /poll")
        server.signal(signal.SIGINT)
        assert read_response(sock).status == 500
        assert server.wait_exit() == 0
        server.wait_log(r"Killing worker \(pid:\d+\), which did not exit within a second of the quick stop")
