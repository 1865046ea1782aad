"""Many signals, many reloads, many crashes, under load: no client notices, and nothing is left over."""

import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import (
    APPS,
    SANITIZED,
    SLOWNESS,
    Server,
    is_alive,
    is_ready,
    is_sleeping,
    open_files,
    process,
    processes,
    read_response,
    wait_until,
)
from load import Load

WRK = shutil.which("wrk")


@contextmanager
def wrk(server, connections=64, seconds=60):
    """Keep-alive connections until the end of the block, which fails if a client was refused anything or cut off."""
    assert WRK, "wrk is missing; script/bootstrap installs it"
    command = [WRK, "-t1", f"-c{connections}", f"-d{seconds}s", f"http://127.0.0.1:{server.port}/"]
    client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield
        client.send_signal(signal.SIGINT)  # it prints what it has
        said = client.communicate(timeout=10 * SLOWNESS)[0]
    finally:
        client.kill()
        client.wait(10)
        client.stdout.close()
    assert "Non-2xx" not in said, said
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    assert errors is None or set(errors.groups()) == {"0"}, said
    assert int(re.search(r"(\d+) requests in", said)[1]) > 100, said


def zombies_of(pid):
    return [each for each in processes() if each.parent == pid and each.state == "Z"]


def kinds_of_files(pid):
    """What each descriptor is, without the numbers that differ each time."""
    return sorted(re.sub(r"\d+", "N", target) for target in open_files(pid).values())


def files_at_rest(server):
    """The master's, once it goes round: it has heard that its two workers are ready."""
    server.wait_log("Worker ready", count=2)
    return kinds_of_files(server.pid)


def assert_all_serve(server, pids):
    """Each of these workers takes one of as many requests as there are workers, all of them busy at once."""
    socks = [server.send("/sleep?ms=500") for _ in pids]
    server.wait_for(lambda: all(map(is_sleeping, pids)), timeout=3, what="all workers busy")
    assert [read_response(sock).status for sock in socks] == [200] * len(pids)


def settled_workers(server, count):
    """The workers once there are so many, all of them ready, and no other child."""
    server.wait_for(lambda: len(server.children()) == count, timeout=20, what="no other child")
    return server.wait_workers(count)


def wait_replaced(server, old, count):
    server.wait_for(lambda: not any(map(is_alive, old)), what="the end of the old workers")
    return server.wait_workers(count)


# ---- TERM


@pytest.mark.parametrize("to_all", [False, True])
def test_term_answers_what_runs_and_what_waits(to_all):
    """`to_all`: to every process, twice, as Heroku does it."""
    with Server("faults:app", "--workers", "2", wait=2) as server:
        socks = []
        for i in range(40):
            socks.append(server.send("/sleep?ms=300"))
            if i == 19:
                server.wait_for(lambda: sum(map(is_sleeping, server.worker_pids())) == 2, what="busy workers")
        for _ in range(2 if to_all else 1):
            if to_all:
                os.killpg(server.pid, signal.SIGTERM)
            else:
                server.signal(signal.SIGTERM)
        for sock in socks:
            assert read_response(sock).status == 200
            sock.close()
        assert server.wait_exit() == 0
        assert server.complaints() == []


# ---- One worker that cannot start


def serving(server, count):
    """The workers that are ready, if they are so many."""
    pids = [pid for pid in server.worker_pids() if is_ready(pid)]
    return pids if len(pids) == count else None


def pids_of_ends(server):
    return [int(pid) for pid in re.findall(r"\[ERROR\] Worker \(pid:(\d+)\)", server.log_text())]


def test_one_worker_that_crashes_at_each_start_leaves_the_others_alone():
    with Server("slot_zero:crashes", "--workers", "4", wait=3) as server:
        server.wait_log(r"\[ERROR\] Worker \(pid:\d+\) was sent SIGABRT")
        failed = set(pids_of_ends(server))
        others = server.wait_for(lambda: serving(server, 3), what="three that serve")
        with Load(server) as load:
            server.wait_log(r"\[ERROR\] Worker \(pid:\d+\) was sent SIGABRT", count=4)
            load.wait_more()
        load.assert_flawless()
        failed |= set(pids_of_ends(server))
        assert failed.isdisjoint(others)
        assert serving(server, 3) == others


def test_one_worker_that_hangs_at_its_start_leaves_the_others_alone():
    """It is ended after --boot-timeout, and its replacement, which has another slot meanwhile, serves."""
    with Server("slot_zero:hangs", "--workers", "4", "--boot-timeout", "0.5", wait=3) as server:
        others = server.wait_for(lambda: serving(server, 3), what="three that serve")
        with Load(server) as load:
            server.wait_log(r"\[ERROR\] Worker \(pid:\d+\) was sent SIGABRT")
            load.wait_more()
        load.assert_flawless()
        assert set(others).isdisjoint(pids_of_ends(server))
        assert set(others) < set(server.wait_workers(4))


def test_a_worker_that_crashes_at_each_start_is_retried_ever_more_slowly():
    with Server("slot_zero:crashes", "--workers", "4", wait=3) as server:
        began = time.monotonic()
        server.wait_log("Booting worker", count=4 + 4)  # after 0.1, 0.2, 0.4 and 0.8 s
        assert time.monotonic() - began > 1.0
        assert server.get("/").body == b"ok\n"


# ---- KILL to the master


def test_a_master_that_is_killed_under_load_leaves_nothing_behind():
    with Server("faults:app", "--workers", "4", wait=4, stop_code=-signal.SIGKILL) as server:
        workers = server.wait_workers(4)
        with Load(server, clients=4) as load:
            load.wait_more(50)
            socks = [server.send("/sleep?ms=500") for _ in range(2)]
            server.wait_for(lambda: sum(map(is_sleeping, workers)) == 2, what="two busy workers")
            load.stop()
            server.signal(signal.SIGKILL)
            began = time.monotonic()
            assert [read_response(sock).status for sock in socks] == [200, 200]
            wait_until(lambda: not server.tree(), timeout=3, what="the workers' end")
            assert time.monotonic() - began < server.within(1.3)


@pytest.mark.parametrize("keep_alive", [False, True])
def test_load_on_a_master_that_is_killed_gets_whole_answers_or_none(keep_alive):
    with Server("faults:app", "--workers", "4", wait=4, stop_code=-signal.SIGKILL) as server:
        with Load(server, clients=8, keep_alive=keep_alive) as load:
            load.wait_more(50)
            server.signal(signal.SIGKILL)
            killed = time.monotonic()
            wait_until(lambda: not server.tree(), timeout=3, what="the workers' end")
            assert time.monotonic() - killed < server.within(1.3)
        assert set(load.answers) == {200}
        assert set(load.bodies) == {b"ok\n"}
        clean = ("ConnectionRefusedError", "ConnectionResetError", "BrokenPipeError", "Disconnected(b'')")
        assert [failure for failure in load.failures if not failure.startswith(clean)] == []


# ---- HUP


class Site:
    """A folder with an app that can be replaced."""

    def __init__(self, folder):
        self.folder = folder
        self.deploy("faults")

    def deploy(self, app):
        shutil.copy(f"{APPS}/{app}.so", self.folder / "new.so")
        os.replace(self.folder / "new.so", self.folder / "site.so")

    def server(self, *args):
        return Server("site:app", "--workers", "2", *args, cwd=self.folder, app_dir=self.folder, wait=2)


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


@pytest.mark.parametrize("app", ["boot_crash", "not_an_app", "boot_hang"])
def test_a_storm_of_reloads_of_a_broken_app_touches_no_worker(site, app):
    with site.server("--boot-timeout", 0.5 * SLOWNESS) as server:
        old = server.wait_workers(2)
        files = files_at_rest(server)
        site.deploy(app)
        with Load(server) as load:
            for _ in range(30):
                server.signal(signal.SIGHUP)
                load.wait_more(1)
                assert len(server.children()) <= 4  # the workers, one probe, and the reader of a crash's symbols
            server.wait_log("Reload failed")
            assert settled_workers(server, 2) == old
            load.wait_more()
        load.assert_flawless()
        # A HUP that came during the last probe makes one more.
        server.wait_for(lambda: kinds_of_files(server.pid) == files, timeout=3, what="the same descriptors")
        assert server.count_log("Booting worker") == 2
        site.deploy("faults")
        server.signal(signal.SIGHUP)
        wait_replaced(server, old, 2)


def test_a_hundred_reloads_under_load():
    count = 100 if not SANITIZED else 10
    with Server("hello:app", "--workers", "2", wait=2) as server:
        workers = server.wait_workers(2)
        files = files_at_rest(server)
        with wrk(server):
            for _ in range(count):
                server.signal(signal.SIGHUP)
                workers = wait_replaced(server, workers, 2)
        assert server.count_log("Reloading: new workers start") == count
        assert server.complaints() == []
        assert kinds_of_files(server.pid) == files
        server.wait_for(lambda: zombies_of(server.pid) == [], what="that all are reaped")
        assert server.get("/").status == 200


def test_fifty_hups_at_once_are_few_reloads():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        old = server.wait_workers(2)
        with wrk(server):
            server.signal(signal.SIGHUP)
            server.wait_log("Handling signal: hup")
            server.signal(signal.SIGSTOP)  # or a busy machine spreads them over several reloads
            for _ in range(49):
                server.signal(signal.SIGHUP)
            server.signal(signal.SIGCONT)
            server.wait_log("Handling signal: hup", count=2)
            wait_replaced(server, old, 2)
        assert_all_serve(server, settled_workers(server, 2))
        assert 1 <= server.count_log("Reloading: new workers start") <= 2


# ---- TTIN and TTOU


def wanted(server):
    """The number of workers that the log last named."""
    found = re.findall(r"Handling signal: tt(?:in|ou); now (\d+) workers?", server.log_text())
    return int(found[-1]) if found else None


def test_a_storm_of_ttin_and_ttou_ends_at_the_number_that_was_said():
    with Server("faults:app", "--workers", "3", wait=3) as server:
        for _ in range(50):
            server.signal(signal.SIGTTIN)
            server.signal(signal.SIGTTOU)
        server.signal(signal.SIGUSR1)  # is seen after all those
        server.wait_log("Handling signal: usr1")
        workers = settled_workers(server, wanted(server))
        assert 1 <= len(workers) <= 53
        assert_all_serve(server, workers)
        for _ in range(60):
            before = server.count_log("Handling signal: ttou")
            server.signal(signal.SIGTTOU)
            server.wait_for(lambda: server.count_log("Handling signal: ttou") > before, what="its turn")
        workers = settled_workers(server, wanted(server))
        assert len(workers) == 1
        assert_all_serve(server, workers)
        server.wait_for(lambda: zombies_of(server.pid) == [], what="that all are reaped")
        assert server.complaints() == []


def test_each_ttin_is_one_worker():
    with Server("faults:app") as server:
        for i in range(10):
            server.signal(signal.SIGTTIN)
            server.wait_log(rf"Handling signal: ttin; now {i + 2} workers")
        workers = settled_workers(server, 11)
        assert_all_serve(server, workers)
        assert server.count_log("Booting worker") == 11


# ---- Deaf workers


def test_a_deaf_worker_is_killed_when_the_grace_of_a_reload_is_over():
    with Server("faults:app", "--workers", "2", "--graceful-timeout", "1", wait=2) as server:
        old = server.wait_workers(2)
        sock = server.send("/deaf")
        deaf = server.wait_for(lambda: next(filter(is_deaf, old), None), what="the deaf worker")
        server.signal(signal.SIGHUP)
        server.wait_log("Reloading: new workers start")
        began = time.monotonic()
        assert read_response(sock).status == 500
        assert 0.9 < time.monotonic() - began < server.within(2.0)
        server.wait_log(rf"Killing worker \(pid:{deaf}\), which did not exit within --graceful-timeout")
        server.wait_log(rf"\[ERROR\] Worker \(pid:{deaf}\) was sent SIGKILL while serving GET /deaf")
        assert_all_serve(server, wait_replaced(server, old, 2))
        server.wait_for(lambda: zombies_of(server.pid) == [], what="that all are reaped")
        assert server.count_log(r"\[ERROR\]") == 1
        assert "out of memory" not in server.log_text()  # it was us


def is_deaf(pid):
    """Whether a process blocks TERM, as a worker does in the app's /deaf."""
    blocked = re.search(r"^SigBlk:\t(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(blocked[1], 16) >> (signal.SIGTERM - 1) & 1 == 1


# ---- Recycling


def log_of_recycling(server, workers, ends):
    """The log of so many ends under load, during which no request failed."""
    server.wait_workers(workers)
    with Load(server, clients=4) as load:
        server.wait_log("Worker exiting", count=ends, timeout=25)
    load.assert_flawless()
    settled_workers(server, workers)
    assert server.complaints() == []
    return server.log_text()


@pytest.mark.parametrize(
    "workers, ends, limits",
    [
        (10, 20, ("--max-requests", "50", "--max-requests-jitter", "20")),
        (2, 10, ("--max-memory", "1M")),  # each has more from its start
        (2, 10, ("--max-worker-lifetime", 0.4 * SLOWNESS)),
    ],
    ids=["requests", "memory", "lifetime"],
)
def test_recycling_under_load_is_never_short_of_workers(workers, ends, limits):
    """Each replacement is ready before the one that it replaces goes, and is the only one that starts.

    The log has the order right; a look into /proc takes longer than a worker's end and the next one's start.
    """
    with Server("faults:app", "--workers", workers, "--keep-alive", "0", *limits, wait=workers) as server:
        log = log_of_recycling(server, workers, ends)
    numbers = [0]
    for event in re.findall("worker_start|Worker exiting", log):
        numbers.append(numbers[-1] + (1 if event == "worker_start" else -1))
    assert min(numbers[workers:]) == workers
    starts = re.findall("wants a replacement|Booting worker|worker_start", log)
    asked = booted = begun = 0
    for event in starts:
        asked += event == "wants a replacement"
        booted += event == "Booting worker"
        begun += event == "worker_start"
        assert booted <= workers + asked
        assert booted <= max(workers, begun + 1)


# ---- What stays


def test_crashes_reloads_and_changes_of_number_leak_no_descriptor():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        before, of_worker = files_at_rest(server), len(open_files(server.wait_workers(2)[0]))
        for i in range(30):
            assert server.get(("/segv", "/exit", "/abort")[i % 3]).status == 500
            server.wait_log(r"\[ERROR\] Worker \(pid:\d+\) (was sent|exited)", count=i + 1)
            server.wait_workers(2)
        for _ in range(10):
            old = server.wait_workers(2)
            server.signal(signal.SIGHUP)
            wait_replaced(server, old, 2)
        for _ in range(10):
            server.signal(signal.SIGTTIN)
            server.wait_workers(3)
            server.signal(signal.SIGTTOU)
            server.wait_workers(2)
        # A reader of symbols may still be at the last crash.
        server.wait_for(lambda: kinds_of_files(server.pid) == before, timeout=30, what="as many files as before")
        server.wait_for(lambda: zombies_of(server.pid) == [], what="that all are reaped")
        worker = server.wait_workers(2)[0]
        assert len(open_files(worker)) == of_worker
        assert process(worker).parent == server.pid


def test_failed_reloads_leak_no_descriptor(site):
    with site.server() as server:
        old = server.wait_workers(2)
        before = files_at_rest(server)
        for i, app in enumerate(["boot_crash", "not_an_app", "boot_fail"]):
            site.deploy(app)
            server.signal(signal.SIGHUP)
            server.wait_log("Reload failed", count=i + 1)
            assert settled_workers(server, 2) == old
        # A reader of symbols may still be at the last crash.
        server.wait_for(lambda: kinds_of_files(server.pid) == before, timeout=30, what="as many files as before")
        server.wait_for(lambda: zombies_of(server.pid) == [], what="that all are reaped")
