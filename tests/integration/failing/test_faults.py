"""What breaks around the service: descriptors, processes, clocks. It serves on, and says so once."""

import glob
import os
import re
import resource
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from harness import (
    SANITIZED,
    CpuTime,
    Server,
    is_alive,
    is_helper,
    is_sleeping,
    open_files,
    process,
    processes,
    read_response,
    request_bytes,
    wait_until,
    working_wrapper,
)


@contextmanager
def strace(pid, *options):
    """Traces one process; skips the test where that is not allowed."""
    tracer = subprocess.Popen(
        ["strace", "-qq", "-o", "/dev/null", "-p", str(pid), *options], stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        wait_until(lambda: tracer.poll() is not None or f"TracerPid:\t{tracer.pid}\n" in status_of(pid), what="strace")
        if tracer.poll() is not None:
            pytest.skip("strace cannot attach here: " + tracer.stderr.read().decode().strip())
        yield
    finally:
        tracer.terminate()
        tracer.wait(10)
        tracer.stderr.close()


def status_of(pid):
    return Path(f"/proc/{pid}/status").read_text()


# ---- Descriptors


def test_a_worker_without_descriptors_says_so_once_and_recovers():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        by_pid = server.connection_to_each(2)
        (poor, its_client), (_, other) = by_pid.items()
        soft, hard = resource.prlimit(poor, resource.RLIMIT_NOFILE)
        held = open_files(poor)
        next_free = next(fd for fd in range(soft) if fd not in held)
        resource.prlimit(poor, resource.RLIMIT_NOFILE, (next_free, hard))
        cpu = CpuTime(poor)
        its_client.sendall(b"GET /pi")  # in the middle of something: it is not closed for a newcomer
        # The other one is busy, so that it is the poor one that has to accept.
        other.sendall(request_bytes("/sleep?ms=700"))
        waiting = [server.send("/") for _ in range(3)]
        server.wait_log(rf"\[{poor}\] \[ERROR\] Cannot accept a connection on .*: Too many open files")
        its_client.sendall(b"d HTTP/1.1\r\nHost: test\r\n\r\n")
        assert int(read_response(its_client).body) == poor
        its_client.sendall(b"GET /pi")
        assert [read_response(sock).status for sock in (other, *waiting)] == [200] * 4
        assert server.get("/").status == 200
        cpu.assert_little()
        assert server.count_log("Cannot accept") == 1
        assert server.count_log("can be accepted again") == 0

        resource.prlimit(poor, resource.RLIMIT_NOFILE, (soft, hard))
        other.sendall(request_bytes("/sleep?ms=700"))
        assert int(server.get("/pid").body) == poor
        server.wait_log(rf"\[{poor}\] \[INFO\] Connections can be accepted again")
        assert server.count_log("Cannot accept") == 1
        assert read_response(other).status == 200


def test_a_connection_that_ended_before_it_was_accepted_is_nothing_to_tell():
    with Server("faults:app", "--log-level", "info") as server:
        worker = server.wait_workers(1)[0]
        said = server.log_text()
        with strace(worker, "-e", "trace=accept4", "-e", "inject=accept4:error=ECONNABORTED:when=1..3"):
            assert server.get("/").status == 200
        assert server.get("/").status == 200
        assert server.log_text() == said
        assert server.worker_pids() == [worker]


# ---- Processes


def test_a_fork_that_fails_is_tried_again():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        victim, other = server.wait_workers(2)
        forks = "clone,clone3,fork,vfork" if os.uname().machine == "x86_64" else "clone,clone3"
        with strace(server.pid, "-e", f"trace={forks}", "-e", f"inject={forks}:error=EAGAIN:when=1..3"):
            cpu = CpuTime(server.pid, other)
            os.kill(victim, signal.SIGKILL)
            server.wait_log(r"\[ERROR\] Cannot start a worker: cannot fork: Resource temporarily unavailable")
            assert int(server.get("/pid").body) == other
            server.wait_log(r"\[INFO\] Workers can be started again")
            assert other in server.wait_workers(2)
            cpu.assert_little()
        assert server.count_log("Cannot start a worker") == 1
        assert server.count_log("Booting worker") == 3


# ---- Standard streams


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_with_one_standard_stream_closed(tmp_path, closed):
    """What is opened next must not take its place: a listener that is printed to, say."""
    log = tmp_path / "error.log"
    wrapper = ["sh", "-c", f'exec "$0" "$@" {closed}{"<" if closed == 0 else ">"}&-']
    args = ("--log-file", log, "--access-logfile", "-")
    with Server("faults:app", *args, wrapper=wrapper, log_file=log) as server:
        for pid in (server.pid, *server.wait_workers(1)):
            assert open_files(pid)[closed] == "/dev/null"
        assert server.get("/throw").status == 500
        assert server.get("/").body == b"ok\n"


# ---- Clocks


def faketime_library():
    found = sorted(glob.glob("/usr/lib/*/faketime/libfaketime.so.1"))
    if SANITIZED or not found:
        pytest.skip("a sanitized program cannot be preloaded" if SANITIZED else "libfaketime is missing")
    return found[0]


@pytest.mark.parametrize("jump", ["+1d", "-1d"])
def test_a_jump_of_the_wall_clock_ends_nothing(tmp_path, jump):
    clock = tmp_path / "clock"
    clock.write_text("+0")
    env = {
        "LD_PRELOAD": faketime_library(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    args = ("--workers", "2", "--timeout", "1")
    with Server("faults:app", *args, env=env, wait=2) as server:
        workers = server.wait_workers(2)

        def day(sock):
            sock.sendall(request_bytes("/"))
            return parsedate_to_datetime(read_response(sock).headers["date"]).timestamp()

        idle, busy = server.connect(), server.connect()
        assert abs(day(idle) - time.time()) < 60
        busy.sendall(request_bytes("/sleep?ms=600"))
        clock.write_text(jump)
        assert read_response(busy).status == 200
        shift = 86400 if jump == "+1d" else -86400
        wait_until(lambda: abs(day(idle) - time.time() - shift) < 60, what="the new date")
        clock.write_text("+0")
        wait_until(lambda: abs(day(idle) - time.time()) < 60, what="the old date")
        assert abs(day(busy) - time.time()) < 60
        assert server.worker_pids() == workers
        assert server.count_log(r"\[(WARNING|ERROR|CRITICAL)\]") == 0


def test_a_stop_of_all_processes_or_of_the_master_ends_no_request():
    with Server("faults:app", "--workers", "2", "--timeout", "1", wait=2) as server:
        workers = server.wait_workers(2)
        for times, stopped in enumerate(([server.pid], [server.pid, *workers]), 1):
            sock = server.send("/sleep?ms=700")
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            wait_until(lambda: all(process(pid).state == "T" for pid in stopped), what="the stop")
            time.sleep(3)  # the time that they do not run is what is tested
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
            server.wait_log("Master was suspended for", count=times)
            assert read_response(sock).status == 200
            assert server.get("/").status == 200
        assert server.worker_pids() == workers
        assert server.count_log(r"WORKER TIMEOUT|\[ERROR\]") == 0


# ---- Process 1 of a container


def test_process_1_reaps_orphans_and_restarts_and_stops():
    wrapper = working_wrapper("unshare", "-fp", "--mount-proc", "--kill-child")
    with Server("faults:app", "--workers", "2", wrapper=wrapper, wait=False) as server:
        server.wait_log("faults: worker_start", count=2)
        master = next(each.pid for each in processes() if each.parent == server.pid)

        def children():
            return [each for each in processes() if each.parent == master and not is_helper(each.pid)]

        assert server.get("/orphan?ms=300").status == 200
        server.wait_for(lambda: len(children()) == 3, what="the orphan")
        server.wait_for(lambda: len(children()) == 2, what="its end, without a zombie")
        assert server.get("/segv").status == 500
        server.wait_log("faults: worker_start", count=3)
        assert server.get("/").status == 200
        server.wait_for(lambda: [each.state for each in children()].count("Z") == 0, what="no zombie")
        os.kill(master, signal.SIGTERM)
        assert server.wait_exit() == 0


# ---- Post-mortems


def dumps_core(command, folder):
    """Whether this machine keeps a core of a process that crashes in this folder."""
    child = subprocess.Popen(["prlimit", "--core=unlimited", *command], cwd=folder, stderr=subprocess.DEVNULL)
    _, status = os.waitpid(child.pid, 0)
    child.returncode = status
    return os.WIFSIGNALED(status) and os.WCOREDUMP(status)


def test_a_crash_leaves_a_core_where_the_machine_keeps_them(tmp_path):
    reference, folder = tmp_path / "reference", tmp_path / "server"
    reference.mkdir()
    folder.mkdir()
    if SANITIZED or not dumps_core(["sh", "-c", "kill -SEGV $$"], reference):
        pytest.skip("no core dumps here")
    wrapper = ["prlimit", "--core=unlimited"]
    with Server("faults:app", wrapper=wrapper, cwd=folder) as server:
        for path in ("/segv", "/abort"):
            assert server.get(path).status == 500
            server.wait_log(rf"was sent SIG\w+ while serving GET {path} HTTP/1\.1, for \d+\.\d s \(core dumped\) request_id=")
            server.wait_ready()
    if any(reference.iterdir()):
        assert any(each.name.startswith("core") for each in folder.iterdir())
        shutil.rmtree(folder)  # they are large


# ---- What the log says of an end

ENDS = [
    ("/segv", None, 500, r"was sent SIGSEGV"),
    ("/abort", None, 500, r"was sent SIGABRT"),
    ("/exit", None, 500, r"exited with code 0"),
    ("/sleep?ms=30000", signal.SIGKILL, 500, r"was sent SIGKILL"),
    ("/spin", None, 504, r"was sent SIGABRT"),
]


@pytest.mark.parametrize("path, number, status, how", ENDS)
def test_an_end_has_one_error_line_with_request_and_age(path, number, status, how):
    with Server("faults:app", "--workers", "2", "--timeout", "1", wait=2) as server:
        (pid, victim), (other, bystander) = server.connection_to_each(2).items()
        victim.sendall(request_bytes(path))
        if number is not None:
            server.wait_for(lambda: is_sleeping(pid), what="the request")
            os.kill(pid, number)
        assert read_response(victim).status == status
        server.wait_for(lambda: not is_alive(pid), what="its end")
        began = time.monotonic()
        server.wait_workers(2)
        assert time.monotonic() - began < server.within(1.0)
        bystander.sendall(request_bytes("/pid"))
        assert int(read_response(bystander).body) == other
        line = rf"\[{server.pid}\] \[ERROR\] Worker \(pid:{pid}\) {how} while serving GET {re.escape(path)} HTTP/1\.1"
        server.wait_log(line + r", for \d+\.\d s")
        assert server.count_log(rf"\[ERROR\] .*\(pid:{pid}\)") == 1
