"""What the master does for its workers: restarts, timeouts, numbers, recycling, and what stays of it all."""

import os
import re
import select
import signal
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from harness import (
    APPS,
    BINARY,
    LISTENING,
    SLOWNESS,
    Disconnected,
    Server,
    clean_environment,
    command_line,
    is_alive,
    kill_session,
    open_files,
    process,
    processes,
    read_end,
    read_response,
    request_bytes,
    run,
    wait_until,
)


def send_request(server, path):
    sock = server.connect()
    sock.sendall(request_bytes(path))
    return sock


def pid_of(server):
    return int(server.get("/pid").body)


def pids_that_answer(server, count):
    """Asks until `count` different workers have answered: which one accepts a connection is up to the kernel."""
    seen = set()

    def more():
        seen.add(pid_of(server))
        return len(seen) == count

    server.wait_for(more, what=f"answers from {count} workers")
    return seen


# ---- Who serves


@pytest.mark.parametrize("workers", [1, 3])
def test_each_worker_is_a_process_that_serves(workers):
    with Server("faults:app", "--workers", workers, wait=workers) as server:
        pids = server.wait_workers(workers)
        # All busy at once, so that each has to take one.
        sleepers = [send_request(server, "/sleep?ms=300") for _ in range(workers)]
        assert [read_response(sock).status for sock in sleepers] == [200] * workers
        assert pid_of(server) in pids
        assert server.worker_pids() == pids


def test_busy_workers_leave_new_connections_to_idle_ones():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        sleeper = send_request(server, "/sleep?ms=5000")
        server.wait_for(lambda: len({pid_of(server) for _ in range(4)}) == 1, what="one busy worker")
        for _ in range(20):
            assert server.get("/").status == 200
        # One that had gone to the busy worker would have had its answer after this one.
        assert select.select([sleeper], [], [], 0)[0] == []
        server.signal(signal.SIGINT)
        assert server.wait_exit() == 0


def test_process_titles():
    with Server("faults:app", "--workers", "2", "--name", "shop", wait=2) as server:
        assert command_line(server.pid) == "cppcorn: master [shop]"
        assert [command_line(pid) for pid in server.wait_workers(2)] == ["cppcorn: worker [shop]"] * 2


def test_process_titles_without_a_name():
    with Server("faults:app") as server:
        assert command_line(server.pid) == "cppcorn: master [faults:app]"
        assert [command_line(pid) for pid in server.wait_workers(1)] == ["cppcorn: worker [faults:app]"]


def test_the_log_of_a_start_and_a_stop():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        pids = server.wait_workers(2)
        server.stop()
        assert server.count_log(r"\[INFO\] Starting cppcorn \d+\.\d+\.\d+$") == 1
        assert server.count_log(rf"\[INFO\] Listening at: http://127\.0\.0\.1:{server.port} \({server.pid}\)$") == 1
        assert server.count_log(r"\[INFO\] Using worker: sync$") == 1
        for pid in pids:
            assert server.count_log(rf"\[{pid}\] \[INFO\] Booting worker with pid: {pid}$") == 1
            assert server.count_log(rf"\[{pid}\] \[INFO\] Worker exiting \(pid: {pid}\)$") == 1
        assert server.count_log(r"\[(ERROR|CRITICAL|WARNING)\]") == 0


# ---- The app's hooks


def test_hooks_run_once_a_worker():
    with Server("faults:app", "--workers", "3", wait=3) as server:
        pids = server.wait_workers(3)
        server.stop()
        slots = sorted(int(m[1]) for m in re.finditer(r"faults: worker_start slot=(\d+)", server.log_text()))
        assert slots == [0, 1, 2]
        for pid in pids:
            assert server.count_log(rf"\[{pid}\] \[INFO\] faults: worker_start") == 1
            assert server.count_log(rf"\[{pid}\] \[INFO\] faults: worker_exit") == 1


def test_a_replacement_takes_over_the_slot():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        server.wait_workers(2)
        assert read_response(send_request(server, "/segv")).status == 500
        server.wait_log("worker_start", count=3)
        slots = Counter(re.findall(r"worker_start slot=(\d+)", server.log_text()))
        assert sorted(slots) == ["0", "1"]


def test_a_crash_calls_no_exit_hook():
    with Server("faults:app") as server:
        assert read_response(send_request(server, "/segv")).status == 500
        server.wait_log(r"was sent SIGSEGV")
        assert "faults: worker_exit" not in server.log_text()


# ---- Faults: the others serve on, and there is a replacement at once

ENDING = [
    ("/segv", r"\[ERROR\] Worker \(pid:{pid}\) was sent SIGSEGV while serving GET /segv"),
    ("/abort", r"\[ERROR\] Worker \(pid:{pid}\) was sent SIGABRT while serving GET /abort"),
    ("/exit", r"\[ERROR\] Worker \(pid:{pid}\) exited with code 0 while serving GET /exit"),
]


def crash(server, path):
    """Sends the one request that ends a worker, and is answered all the same. Returns that worker's pid."""
    sock = send_request(server, "/pid")
    pid = int(read_response(sock).body)
    sock.sendall(request_bytes(path))
    assert read_response(sock).status == 500
    server.wait_for(lambda: pid not in server.worker_pids(), what="the end of the worker")
    return pid


def assert_stack(server, pid, signal_name):
    """The stack stands in the log under a line of its own, a frame of the app first."""
    server.wait_log(rf"\[ERROR\] Stack of pid {pid} at {signal_name}:.*\n  #0 .*/faults\.so\(\+0x")


@pytest.mark.parametrize("path, line", ENDING)
@pytest.mark.parametrize("workers", [1, 3])
def test_a_worker_that_dies_is_replaced(path, line, workers):
    with Server("faults:app", "--workers", workers, wait=workers) as server:
        before = set(server.wait_workers(workers))
        idle = [send_request(server, "/") for _ in range(10)]
        assert [read_response(sock).status for sock in idle] == [200] * len(idle)
        pid = crash(server, path)
        after = set(server.wait_workers(workers, timeout=1))
        assert len(after - before) == 1
        assert after & before == before - {pid}
        server.wait_log(line.format(pid=pid))
        assert server.get("/").status == 200
        for sock in idle:  # some of which were the dead worker's
            sock.sendall(request_bytes("/"))
            assert read_response(sock).status == 200


@pytest.mark.parametrize("path, signal_name", [("/segv", "SIGSEGV"), ("/abort", "SIGABRT")])
def test_a_crash_leaves_its_stack_in_the_log(path, signal_name):
    with Server("faults:app") as server:
        pid = crash(server, path)
        assert_stack(server, pid, signal_name)


def test_others_serve_on_while_a_worker_crashes():
    with Server("faults:app", "--workers", "3", wait=3) as server:
        for _ in range(5):
            pids = server.wait_workers(3)
            by_pid = server.connection_to_each(3)
            assert sorted(by_pid) == pids
            victim = by_pid.pop(pids[0])
            victim.sendall(request_bytes("/segv"))
            for _ in range(20):  # before, during and after the crash
                for pid, sock in by_pid.items():
                    sock.sendall(request_bytes("/pid"))
                    assert int(read_response(sock).body) == pid
            assert read_response(victim).status == 500
            for _ in range(20):
                assert server.get("/").status == 200
            server.wait_for(lambda: pids[0] not in server.worker_pids(), what="its end")
        server.wait_workers(3)


@pytest.mark.parametrize("path", ["/throw", "/late-throw", "/short"])
def test_an_app_that_fails_one_request_keeps_its_worker(path):
    with Server("faults:app", "--workers", "2", wait=2) as server:
        before = server.wait_workers(2)
        sock = send_request(server, path)
        if path == "/throw":
            response = read_response(sock)
            assert response.status == 500
            assert b"thrown" not in response.body  # what an exception says is for the log
        else:
            with pytest.raises(Disconnected) as cut:  # the client can tell that it has not got it all
                read_response(sock)
            assert cut.type is Disconnected
        if path == "/short":
            server.wait_log(r"\[ERROR\] .*GET /short.*shorter than its Content-Length")
        else:
            server.wait_log(rf"\[ERROR\] .*GET {path}.*thrown")
        assert server.get("/").status == 200
        assert server.worker_pids() == before


def test_after_a_caught_exception_the_connection_lives_on():
    with Server("faults:app") as server:
        sock = send_request(server, "/throw")
        assert read_response(sock).status == 500
        sock.sendall(request_bytes("/"))
        assert read_response(sock).status == 200


# ---- Timeouts


def test_a_worker_that_overruns_its_time_is_replaced():
    with Server("faults:app", "--workers", "2", "--timeout", "1", wait=2) as server:
        before = set(server.wait_workers(2))
        started = time.monotonic()
        sock = send_request(server, "/spin")
        server.wait_for(lambda: len({pid_of(server) for _ in range(4)}) == 1, what="one busy worker")
        for _ in range(5):
            assert server.get("/").status == 200
        assert read_response(sock).status == 504
        took = time.monotonic() - started
        assert 0.9 < took < server.within(1.5)
        # The client has its answer as soon as the crash is known, which has a report to write first.
        server.wait_for(lambda: before - set(server.worker_pids()), what="the end of one of the first two")
        after = set(server.wait_workers(2, timeout=1))
        pid = (before - after).pop()
        server.wait_log(
            rf"\[{server.pid}\] \[CRITICAL\] WORKER TIMEOUT \(pid:{pid}\)"
            r" while serving GET /spin HTTP/1.1, for [1-9]\.\d s request_id=[0-9a-f]{32}$"
        )
        assert_stack(server, pid, "SIGABRT")
        server.wait_log(rf"\[ERROR\] Worker \(pid:{pid}\) was sent SIGABRT while serving GET /spin")
        assert "out of memory" not in server.log_text()


def test_a_deaf_worker_is_killed_a_second_later():
    with Server("faults:app", "--workers", "2", "--timeout", "0.5", wait=2) as server:
        before = set(server.wait_workers(2))
        started = time.monotonic()
        sock = send_request(server, "/deaf")
        server.wait_log(r"WORKER TIMEOUT \(pid:\d+\) while serving GET /deaf")
        told = time.monotonic()
        assert 0.4 < told - started < server.within(1.0)
        assert read_response(sock).status == 504
        assert 0.8 < time.monotonic() - told < server.within(1.5)
        pid = (before - set(server.wait_workers(2, timeout=1))).pop()
        server.wait_log(rf"\[ERROR\] Worker \(pid:{pid}\) was sent SIGKILL while serving GET /deaf")
        assert "out of memory" not in server.log_text()  # it was us


def test_an_idle_worker_outlives_the_timeout():
    with Server("faults:app", "--timeout", "1") as server:
        before = server.wait_workers(1)
        sock = server.connect()
        for _ in range(4):  # each within the timeout, all of them beyond it
            sock.sendall(request_bytes("/sleep?ms=300"))
            assert read_response(sock).status == 200
        assert server.worker_pids() == before
        assert server.count_log("WORKER TIMEOUT") == 0


def test_an_app_may_ask_for_more_time():
    with Server("stream:app", "--timeout", "1") as server:
        response = server.get("/?n=5&ms=400")
        assert response.body.count(b"\n") == 5
        assert server.count_log("WORKER TIMEOUT") == 0


def test_a_kill_from_outside_is_not_taken_for_a_lack_of_memory():
    """The kernel counts its own kills; where it does not, there is a guess."""
    is_counted = re.search(r"^oom_kill \d", Path("/proc/vmstat").read_text(), re.MULTILINE)
    clue = "Somebody sent it: " if is_counted else r"Perhaps out of memory\? The kernel does not say$"
    with Server("faults:app") as server:
        pid = server.wait_workers(1)[0]
        os.kill(pid, signal.SIGKILL)
        server.wait_log(rf"\[ERROR\] Worker \(pid:{pid}\) was sent SIGKILL\. {clue}")
        server.wait_for(lambda: pid not in server.worker_pids(), what="its end")
        server.wait_workers(1)
        assert server.get("/").status == 200


def test_a_worker_ignores_what_is_meant_for_the_master():
    with Server("faults:app") as server:
        pids = server.wait_workers(1)
        for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU, signal.SIGPIPE):
            os.kill(pids[0], number)
            assert server.get("/").status == 200
        assert server.worker_pids() == pids


def test_a_worker_that_is_told_to_leave_is_replaced():
    with Server("faults:app") as server:
        pid = server.wait_workers(1)[0]
        os.kill(pid, signal.SIGTERM)
        server.wait_log(rf"Worker exiting \(pid: {pid}\)")
        server.wait_for(lambda: pid not in server.worker_pids(), what="its end")
        server.wait_workers(1)
        assert server.get("/").status == 200


# ---- A crash loop


def test_workers_that_cannot_start_are_retried_ever_more_slowly(tmp_path):
    """They could before: the master goes on trying, and does not spin."""
    mood = tmp_path / "mood"
    mood.write_text("good")
    with Server("moody:app", env={"MOOD": str(mood)}) as server:
        mood.write_text("fail")
        started = time.monotonic()
        os.kill(server.wait_workers(1)[0], signal.SIGKILL)
        server.wait_log("Booting worker", count=4)  # the first, one at once, and after 0.1 s and 0.2 s
        mood.write_text("good")
        server.wait_workers(1)
        took = time.monotonic() - started
        assert server.get("/").status == 200
        boots = server.count_log("Booting worker")
        assert took > 0.2
        assert boots <= 6, server.log_text()
        assert server.count_log("not in the mood") >= 1


def test_the_start_is_given_up_after_a_few_rounds():
    done = run("boot_fail:app", "--app-dir", APPS, "-b", "127.0.0.1:0", "--workers", "2")
    assert done.code == 3
    assert 4 <= done.stderr.count("Booting worker") <= 8  # four rounds of two


# ---- Preloaded


def test_a_preloaded_app_is_loaded_once_and_started_in_each_worker():
    with Server("faults:app", "--preload", "--workers", "2", wait=2) as server:
        pid = crash(server, "/segv")
        assert pid not in server.wait_workers(2)
        assert server.get("/").status == 200
        server.wait_log("faults: worker_start", count=3)


def test_a_preloaded_app_survives_a_reload():
    with Server("faults:app", "--preload", "--workers", "2", wait=2) as server:
        old = server.wait_workers(2)
        server.signal(signal.SIGHUP)
        server.wait_for(lambda: not any(map(is_alive, old)), what="the end of the old workers")
        server.wait_workers(2)
        assert server.get("/").status == 200


@pytest.mark.parametrize("args", [(), ("--preload",)], ids=["plain", "preload"])
def test_the_master_does_not_map_the_app(args):
    with Server("faults:app", *args) as server:
        (worker,) = server.wait_workers(1)
        assert any("faults.so" in line for line in open(f"/proc/{worker}/maps"))
        assert not any("faults.so" in line for line in open(f"/proc/{server.pid}/maps"))


# ---- More and fewer


def test_ttin_and_ttou():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        first = server.wait_workers(2)
        server.signal(signal.SIGTTIN)
        three = server.wait_workers(3)
        assert set(first) < set(three)
        server.signal(signal.SIGTTOU)
        server.wait_workers(2)
        server.signal(signal.SIGTTOU)
        server.wait_workers(1)
        server.signal(signal.SIGTTOU)  # at least one stays
        server.wait_log("Handling signal: ttou", count=3)
        assert len(server.wait_workers(1)) == 1
        assert server.get("/").status == 200
        assert server.count_log("Handling signal: ttin") == 1
        assert server.count_log(r"\[ERROR\]") == 0


def test_the_worker_that_has_to_leave_finishes_its_request():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        sleepers = [send_request(server, "/sleep?ms=500") for _ in range(2)]
        server.signal(signal.SIGTTOU)
        server.wait_log("Handling signal: ttou")
        assert [read_response(sock).status for sock in sleepers] == [200, 200]
        server.wait_workers(1)


# ---- Recycling


@pytest.mark.parametrize("workers", [1, 2])
def test_max_requests_recycles_without_a_failed_request(workers):
    with Server("faults:app", "--workers", workers, "--max-requests", "10", wait=workers) as server:
        pids = Counter()

        def fourth_answers():
            response = server.get("/pid")
            assert response.status == 200
            pids[int(response.body)] += 1
            return len(pids) >= workers + 3

        server.wait_for(fourth_answers, what="the third replacement")
        assert sum(pids.values()) >= 3 * 10
        assert server.count_log("it has served --max-requests") >= 3
        assert server.count_log(r"\[(ERROR|CRITICAL)\]") == 0
        server.wait_for(lambda: len(server.worker_pids()) == workers, what="the usual number of workers")


def test_max_requests_with_keep_alive_loses_no_request():
    """Nor the connection, which goes on to the next worker."""
    with Server("faults:app", "--max-requests", "5") as server:
        sock = server.connect()
        recycled = 0
        deadline = time.monotonic() + 30 * SLOWNESS
        while recycled < 3:  # a worker serves more than its share until its replacement is there
            assert time.monotonic() < deadline
            recycled = server.log_text().count("it has served --max-requests")
            sock.sendall(request_bytes("/"))
            response = read_response(sock)
            assert response.status == 200
            assert "connection" not in response.headers


def test_a_replacement_is_ready_before_the_worker_leaves():
    with Server("faults:app", "--max-requests", "3") as server:
        for _ in range(3):
            server.get("/")
        server.wait_log(r"Worker exiting")
        order = re.findall(r"worker_start|Worker exiting", server.log_text())
        assert order.index("Worker exiting") == 2  # after the first one's start and the second one's


def test_a_worker_asks_for_a_replacement_once(tmp_path):
    """However long that takes to come."""
    mood = tmp_path / "mood"
    mood.write_text("good")
    with Server("moody:app", "--max-requests", "1", "--graceful-timeout", "1", env={"MOOD": str(mood)}) as server:
        mood.write_text("hang")  # for the replacement
        for _ in range(20):
            assert server.get("/").status == 200
        assert server.count_log("Worker wants a replacement: it has served --max-requests") == 1


def test_max_memory_recycles():
    with Server("faults:app", "--max-memory", "200M" if SLOWNESS == 1 else "1G") as server:
        pid = server.wait_workers(1)[0]
        assert server.get(f"/leak?mb={250 if SLOWNESS == 1 else 1100}", timeout=20).status == 200
        server.wait_log("its memory is above --max-memory")
        server.wait_for(lambda: pid not in server.worker_pids(), what="the end of the large worker")
        assert pid_of(server) != pid


def test_max_worker_lifetime_recycles():
    with Server("faults:app", "--max-worker-lifetime", "0.3") as server:
        pid = server.wait_workers(1)[0]
        server.wait_log("it has lived --max-worker-lifetime")
        server.wait_for(lambda: pid not in server.worker_pids(), what="the end of the old worker")
        assert server.get("/").status == 200


# ---- A master that is killed


def test_workers_of_a_killed_master_leave_within_a_second():
    with Server("faults:app", "--workers", "3", wait=3, stop_code=-signal.SIGKILL) as server:
        pids = server.wait_workers(3)
        idle = server.connect()
        idle.sendall(request_bytes("/"))
        assert read_response(idle).status == 200
        server.signal(signal.SIGKILL)
        started = time.monotonic()
        server.wait_exit()
        wait_until(lambda: not any(map(is_alive, pids)), timeout=3, what="the workers' end")
        assert time.monotonic() - started < server.within(1.1)
        assert read_end(idle) == b""


def pipe_ends(pid):
    """The pipes that a process has open to read from, and to write to."""
    ends = {os.O_RDONLY: set(), os.O_WRONLY: set()}
    for number, target in open_files(pid).items():
        if target.startswith("pipe:"):
            flags = re.search(r"^flags:\s*([0-7]+)", Path(f"/proc/{pid}/fdinfo/{number}").read_text(), re.MULTILINE)
            ends[int(flags[1], 8) & os.O_ACCMODE].add(target)
    return ends[os.O_RDONLY], ends[os.O_WRONLY]


def test_no_child_of_the_master_keeps_what_tells_the_others_of_its_end(tmp_path):
    """Or none would notice; workers that do not are killed after a second, in the middle of what they do."""
    app = tmp_path / "app.so"
    app.symlink_to(f"{APPS}/faults.so")
    with Server("./app.so", "--workers", "2", cwd=tmp_path, wait=2, stop_code=-signal.SIGKILL) as server:
        workers = server.wait_workers(2)
        app.unlink()
        app.symlink_to(f"{APPS}/boot_hang.so")
        server.signal(signal.SIGHUP)

        def probe():
            others = [each.pid for each in server.children() if each.pid not in workers]
            return [pid for pid in others if "boot_hang" in Path(f"/proc/{pid}/maps").read_text()]

        children = [*workers, *server.wait_for(probe, what="the process that tries the app")]
        _, held_by_master = pipe_ends(server.pid)
        leashes = [pipe_ends(pid)[0] & held_by_master for pid in workers]
        assert [len(each) for each in leashes] == [1, 1]
        for pid in children:
            assert not set.union(*leashes) & pipe_ends(pid)[1]
        server.signal(signal.SIGKILL)
        for pid in workers:
            server.wait_log(rf"\[{pid}\] \[INFO\] Worker exiting")  # by itself, that is


def test_a_request_under_way_outlives_the_master():
    with Server("faults:app", "--workers", "2", wait=2, stop_code=-signal.SIGKILL) as server:
        sleeper = send_request(server, "/sleep?ms=400")
        server.wait_for(lambda: len({pid_of(server) for _ in range(4)}) == 1, what="one busy worker")
        server.signal(signal.SIGKILL)
        assert read_response(sleeper).status == 200


def test_a_hung_worker_of_a_killed_master_does_not_live_for_ever():
    with Server("faults:app", "--timeout", "1", wait=1, stop_code=-signal.SIGKILL) as server:
        pids = server.wait_workers(1)
        send_request(server, "/spin")
        server.wait_for(lambda: process(pids[0]).state == "R", what="a busy worker")
        server.signal(signal.SIGKILL)
        server.wait_exit()
        wait_until(lambda: not is_alive(pids[0]), timeout=3, what="the end of the hung worker")


def test_the_probe_of_a_killed_master_does_not_live_for_ever():
    with Server("boot_hang:app", wait=False, stop_code=-signal.SIGKILL) as server:
        server.wait_log("Using worker: sync")
        probe = server.wait_for(server.children, what="the probe")[0].pid
        server.signal(signal.SIGKILL)
        server.wait_exit()
        wait_until(lambda: not is_alive(probe), timeout=3, what="the probe's end")


# ---- A start without the usual


def test_without_standard_streams(tmp_path):
    """What was closed at the start must not become a socket that something prints to."""
    log = tmp_path / "error.log"
    command = [BINARY, "faults:app", "--bind", "127.0.0.1:0", "--app-dir", APPS, "--log-file", str(log)]
    shell = ["/bin/sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', *command]
    process = subprocess.Popen(shell, env=clean_environment(), start_new_session=True)
    try:
        found = wait_until(lambda: log.exists() and LISTENING.search(log.read_text()), what="the address")
        with socket.create_connection(("127.0.0.1", int(found[2])), timeout=10) as sock:
            sock.sendall(request_bytes("/throw"))
            assert read_response(sock).status == 500
            sock.sendall(request_bytes("/"))
            assert read_response(sock).body == b"ok\n"
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait(10)
        assert kill_session(process.pid) == []


def test_it_serves_on_when_nobody_reads_its_log():
    """The other end of the pipe is gone: what would be written is lost, and that is all."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd = listener.fileno()
        command = [BINARY, "faults:app", "--bind", f"fd://{fd}", "--app-dir", APPS, "--access-logfile", "-"]
        read_end_of_log, log = os.pipe()
        process = subprocess.Popen(
            command, env=clean_environment(), pass_fds=[fd], stdout=log, stderr=log, start_new_session=True
        )
        os.close(log)
        os.close(read_end_of_log)
        try:
            for path, status in (("/", 200), ("/throw", 500), ("/", 200)):
                with socket.create_connection(listener.getsockname(), timeout=10) as sock:
                    sock.sendall(request_bytes(path))
                    assert read_response(sock).status == status
            process.terminate()
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.wait(10)
            assert kill_session(process.pid) == []


# ---- What stays


def test_thirty_crashes_leave_nothing_behind_in_the_master():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        crash(server, "/segv")
        server.wait_workers(2)

        def files():
            """Once no crash is being explained."""
            found = sorted(open_files(server.pid).values())
            return None if any("memfd:" in each for each in found) else found

        server.wait_log("Stack of pid")
        before = server.wait_for(files, what="the end of the explanation")
        for i in range(30):
            crash(server, ("/segv", "/exit", "/abort")[i % 3])
            server.wait_ready(1)
        server.wait_workers(2)
        server.wait_log("Stack of pid", count=2)  # of two kinds
        assert server.wait_for(files, what="the end of the explanation") == before
        server.wait_for(lambda: len(server.children()) == 2, what="no zombies")
        for pid in server.worker_pids():
            assert not any("memfd:" in each for each in open_files(pid).values())
        zombies = [each for each in processes() if each.session == server.pid and each.state == "Z"]
        assert zombies == []


def test_a_worker_has_only_the_descriptors_it_needs():
    """Nothing of the other workers' or of the master's: the last one started has no more than the first."""
    with Server("faults:app", "--workers", "4", wait=4) as server:
        counts = {len(open_files(pid)) for pid in server.wait_workers(4)}
        assert len(counts) == 1
        assert counts.pop() < 20
