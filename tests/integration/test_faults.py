"""What breaks around the service: descriptors, processes, disks, pipes, clocks. It serves on, and says so once."""

import fcntl
import glob
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from harness import (
    SANITIZED,
    SLOWNESS,
    Disconnected,
    Server,
    cpu_seconds,
    is_alive,
    is_sleeping,
    open_files,
    process,
    processes,
    read_response,
    request_bytes,
    wait_until,
)

PROMPT = 1.0 * SLOWNESS


def send_request(server, path):
    sock = server.connect()
    sock.sendall(request_bytes(path))
    return sock


def connection_to_each(server, workers):
    """A keep-alive connection to each worker, by its pid: none of them accepts while its app is busy."""
    socks = [send_request(server, "/sleep?ms=200") for _ in range(workers)]
    for sock in socks:
        assert read_response(sock).status == 200
    by_pid = {}
    for sock in socks:
        sock.sendall(request_bytes("/pid"))
        by_pid[int(read_response(sock).body)] = sock
    assert len(by_pid) == workers
    return by_pid


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


class CpuTime:
    """That some processes use next to none, over a while that the block takes."""

    def __init__(self, *pids, most=0.3):
        self._before = {pid: cpu_seconds(pid) for pid in pids}
        self._most = most * SLOWNESS

    def assert_little(self):
        for pid, before in self._before.items():
            assert cpu_seconds(pid) - before < self._most


# ---- Descriptors


def test_a_worker_without_descriptors_says_so_once_and_recovers():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        by_pid = connection_to_each(server, 2)
        (poor, its_client), (_, other) = by_pid.items()
        soft, hard = resource.prlimit(poor, resource.RLIMIT_NOFILE)
        held = open_files(poor)
        next_free = next(fd for fd in range(soft) if fd not in held)
        resource.prlimit(poor, resource.RLIMIT_NOFILE, (next_free, hard))
        cpu = CpuTime(poor)
        # The other one is busy, so that it is the poor one that has to accept.
        other.sendall(request_bytes("/sleep?ms=700"))
        waiting = [send_request(server, "/") for _ in range(3)]
        server.wait_log(rf"\[{poor}\] \[ERROR\] Cannot accept a connection on .*: Too many open files")
        its_client.sendall(request_bytes("/pid"))
        assert int(read_response(its_client).body) == poor
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


# ---- Logs that cannot be written


def fill(folder):
    with open(folder / "filler", "wb", buffering=0) as filler:
        try:
            while filler.write(b"x" * 512):
                pass
        except OSError:
            pass


def test_an_access_log_on_a_full_disk_loses_lines_and_nothing_else(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=64k none "$0" && exec "$@"', folder]
    args = ("--workers", "1", "--access-logfile", folder / "access.log")
    with Server("faults:app", *args, wrapper=mount) as server:
        inside = Path(f"/proc/{server.pid}/root{folder}")
        worker = server.wait_workers(1)
        fill(inside)
        for _ in range(100):  # of which the first ones may still have room
            assert server.get("/lost").status == 404
        server.wait_log(rf"\[ERROR\] Cannot write the access log {folder}/access\.log: No space left on device")
        (inside / "filler").unlink()
        assert server.get("/kept").status == 404
        told = server.wait_log(r"\[WARNING\] The access log .* can be written again; (\d+) lines were lost")
        text = (inside / "access.log").read_text()
        assert text.count("GET /lost") + int(told[0][1]) >= 100
        assert text.rstrip("\n").splitlines()[-1].count("GET /kept") == 1
        assert server.count_log("Cannot write the access log") == 1
        assert server.worker_pids() == worker


def test_a_full_access_log_is_told_of_once_a_process():
    with Server("faults:app", "--workers", "2", "--access-logfile", "/dev/full", wait=2) as server:
        by_pid = connection_to_each(server, 2)
        cpu = CpuTime(server.pid, *by_pid)
        for _ in range(50):
            for sock in by_pid.values():
                sock.sendall(request_bytes("/"))
                assert read_response(sock).status == 200
        for pid in by_pid:
            server.wait_log(rf"\[{pid}\] \[ERROR\] Cannot write the access log /dev/full: No space left on device")
        cpu.assert_little()
        server.stop()
        assert server.count_log("Cannot write") == 2


def test_a_full_error_log_is_told_of_on_stderr_once_a_process():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd, port = listener.fileno(), listener.getsockname()[1]
        args = ("--workers", "2", "--log-file", "/dev/full")
        with Server("faults:app", *args, bind=f"fd://{fd}", pass_fds=[fd], wait=2) as server:
            pids = [server.pid, *server.wait_workers(2)]
            for _ in range(20):
                assert server.get("/throw", port=port).status == 500
            for pid in pids:
                server.wait_log(rf"\[{pid}\] \[ERROR\] Cannot write the error log /dev/full: No space left on device")
            server.stop()
            assert all(server.count_log(rf"\[{pid}\] .* Cannot write") == 1 for pid in pids)


@contextmanager
def small_pipe():
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    try:
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


def read_all(fd):
    os.set_blocking(fd, False)
    text = b""
    try:
        while data := os.read(fd, 65536):
            text += data
    except BlockingIOError:
        pass
    return text.decode()


@pytest.mark.parametrize("user", ["ours", "another"])
def test_an_access_log_that_nobody_reads_holds_nobody_up(user):
    """`another` may not open the pipe once more, as in a container that does not run as root."""
    wrapper = ()
    if user == "another":
        if os.geteuid() != 0:
            pytest.skip("only root can become somebody else")
        wrapper = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    with small_pipe() as (reader, writer):
        args = ("--workers", "2", "--access-logfile", "-")
        with Server("faults:app", *args, wait=2, stdout=writer, wrapper=wrapper) as server:
            by_pid = connection_to_each(server, 2)
            began = time.monotonic()
            for _ in range(150):
                for sock in by_pid.values():
                    sock.sendall(request_bytes("/lost"))
                    assert read_response(sock).status == 404
            assert time.monotonic() - began < 3 * SLOWNESS
            for pid in by_pid:
                server.wait_log(rf"\[{pid}\] \[ERROR\] Cannot write the access log on stdout: Resource temporarily")
            assert "GET /lost" in read_all(reader)
            for sock in by_pid.values():
                sock.sendall(request_bytes("/kept"))
                assert read_response(sock).status == 404
            for pid in by_pid:
                server.wait_log(rf"\[{pid}\] \[WARNING\] The access log on stdout can be written again; \d+ lines were")
            text = read_all(reader)
            assert text.count("GET /kept") == 2
            assert text.endswith("\n")
            assert server.count_log("Cannot write") == 2
            assert not os.get_blocking(reader) and os.get_blocking(writer)  # the shared description is as it was


@pytest.mark.parametrize("path, status", [("/throw", 500), ("/segv", None)])
def test_an_error_log_that_nobody_reads_holds_nobody_up(path, status):
    """Neither a worker that lives nor one that crashes, nor the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener, small_pipe() as (reader, writer):
        fd, port = listener.fileno(), listener.getsockname()[1]
        args = ("--workers", "2", "--access-logfile", "-")
        options = {"bind": f"fd://{fd}", "pass_fds": [fd], "stdout": writer, "stderr": writer}
        with Server("faults:app", *args, wait=2, **options) as server:
            for _ in range(200):
                assert server.get("/", port=port).status == 200
            began = time.monotonic()
            for _ in range(5):
                try:
                    assert server.get(path, port=port).status == status
                except (Disconnected, ConnectionResetError):
                    assert status is None
                    server.wait_workers(2)
            assert server.get("/", port=port).status == 200
            read_all(reader)
            for _ in range(20):
                assert server.get("/", port=port).status == 200
            said = wait_until(lambda: read_all(reader), what="lines after the gap")
            assert "lines were lost" in said
            server.stop(timeout=5)
            assert time.monotonic() - began < 10 * SLOWNESS


def test_a_log_socket_that_nobody_reads_holds_nobody_up():
    """As the journal's is one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        with Server("faults:app", "--access-logfile", "-", stdout=theirs.fileno()) as server:
            sock = server.connect()
            for _ in range(300):
                sock.sendall(request_bytes("/"))
                assert read_response(sock).status == 200
            server.wait_log(r"\[ERROR\] Cannot write the access log on stdout: Resource temporarily unavailable")
            read_all(ours.fileno())
            sock.sendall(request_bytes("/kept"))
            assert read_response(sock).status == 404
            server.wait_log(r"The access log on stdout can be written again; \d+ lines were lost")
            assert "GET /kept" in read_all(ours.fileno())


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
        for stopped in ([server.pid], [server.pid, *workers]):
            sock = send_request(server, "/sleep?ms=700")
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            wait_until(lambda: all(process(pid).state == "T" for pid in stopped), what="the stop")
            time.sleep(3)  # the time that they do not run is what is tested
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
            assert read_response(sock).status == 200
            assert server.get("/").status == 200
        server.wait_log("The master did not run for", count=2)
        assert server.worker_pids() == workers
        assert server.count_log(r"WORKER TIMEOUT|\[ERROR\]") == 0


# ---- Process 1 of a container


def test_process_1_reaps_orphans_and_restarts_and_stops():
    wrapper = ["unshare", "-fp", "--mount-proc", "--kill-child"]
    with Server("faults:app", "--workers", "2", wrapper=wrapper, wait=False) as server:
        server.wait_log("faults: worker_start", count=2)
        master = next(each.pid for each in processes() if each.parent == server.pid)

        def children():
            return [each for each in processes() if each.parent == master]

        assert server.get("/orphan?ms=300").status == 200
        server.wait_for(lambda: len(children()) == 3, what="the orphan")
        server.wait_for(lambda: len(children()) == 2, what="its end, without a zombie")
        with pytest.raises((Disconnected, ConnectionResetError)):
            server.get("/segv")
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
            with pytest.raises((Disconnected, ConnectionResetError)):
                server.get(path)
            server.wait_log(rf"was sent SIG\w+ while serving GET {path} HTTP/1\.1, for \d+\.\d s \(core dumped\)$")
            server.wait_ready()
    if any(reference.iterdir()):
        assert any(each.name.startswith("core") for each in folder.iterdir())
        shutil.rmtree(folder)  # they are large


# ---- What the log says of an end

ENDS = [
    ("/segv", None, r"was sent SIGSEGV"),
    ("/abort", None, r"was sent SIGABRT"),
    ("/exit", None, r"exited with code 0"),
    ("/sleep?ms=30000", signal.SIGKILL, r"was sent SIGKILL"),
    ("/spin", None, r"was sent SIGABRT"),
]


@pytest.mark.parametrize("path, number, how", ENDS)
def test_an_end_has_one_error_line_with_request_and_age(path, number, how):
    with Server("faults:app", "--workers", "2", "--timeout", "1", wait=2) as server:
        (pid, victim), (other, bystander) = connection_to_each(server, 2).items()
        victim.sendall(request_bytes(path))
        if number is not None:
            server.wait_for(lambda: is_sleeping(pid), what="the request")
            os.kill(pid, number)
        with pytest.raises((Disconnected, ConnectionResetError)):
            read_response(victim)
        server.wait_for(lambda: not is_alive(pid), what="its end")
        began = time.monotonic()
        server.wait_workers(2)
        assert time.monotonic() - began < PROMPT
        bystander.sendall(request_bytes("/pid"))
        assert int(read_response(bystander).body) == other
        line = rf"\[{server.pid}\] \[ERROR\] Worker \(pid:{pid}\) {how} while serving GET {re.escape(path)} HTTP/1\.1"
        server.wait_log(line + r", for \d+\.\d s")
        assert server.count_log(rf"\[ERROR\] .*\(pid:{pid}\)") == 1
