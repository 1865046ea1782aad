"""Logs that cannot be written, for a full disk or a reader that has stopped. It serves on, and says so once."""

import fcntl
import os
import re
import socket
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import CAP_SYS_PTRACE, CpuTime, Server, has_capability, read_response, request_bytes, wait_until, working_wrapper

# ---- Full disks


def fill(folder):
    with open(folder / "filler", "wb", buffering=0) as filler:
        try:
            while filler.write(b"x" * 512):
                pass
        except OSError:
            pass


def test_an_access_log_on_a_full_disk_loses_lines_and_nothing_else(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = working_wrapper("unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=64k none "$0" && exec "$@"', folder)
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
        # It may be told by the lines before that one, which were still in memory.
        server.wait_for(lambda: "GET /kept" in (inside / "access.log").read_text(), what="the last line")
        text = (inside / "access.log").read_text()
        assert text.count("GET /lost") + int(told[0][1]) >= 100
        assert text.rstrip("\n").splitlines()[-1].count("GET /kept") == 1
        assert server.count_log("Cannot write the access log") == 1
        assert server.worker_pids() == worker


def test_a_full_access_log_is_told_of_once_a_process():
    with Server("faults:app", "--workers", "2", "--access-logfile", "/dev/full", wait=2) as server:
        by_pid = server.connection_to_each(2)
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


# ---- Readers that have stopped


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


def read_until(fd, text, count=1):
    """A line may come a little after the answer that it tells of."""
    lines = []

    def enough():
        lines.append(read_all(fd))
        return "".join(lines).count(text) >= count

    wait_until(enough, what=f"{count} times {text!r}")
    return "".join(lines)


@pytest.mark.parametrize("user", ["ours", "another"])
def test_an_access_log_that_nobody_reads_holds_nobody_up(user):
    """`another` may not open the pipe once more, as in a container that does not run as root."""
    wrapper = ()
    if user == "another":
        if os.geteuid() != 0 or not has_capability(CAP_SYS_PTRACE):
            pytest.skip("only root can become somebody else, and see what becomes of that")
        wrapper = working_wrapper("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    with small_pipe() as (reader, writer):
        args = ("--workers", "2", "--access-logfile", "-")
        with Server("faults:app", *args, wait=2, stdout=writer, wrapper=wrapper) as server:
            by_pid = server.connection_to_each(2)
            began = time.monotonic()
            for _ in range(150):
                for sock in by_pid.values():
                    sock.sendall(request_bytes("/lost"))
                    assert read_response(sock).status == 404
            assert time.monotonic() - began < server.within(3)
            for pid in by_pid:
                server.wait_log(rf"\[{pid}\] \[ERROR\] Cannot write the access log on stdout: Resource temporarily")
            assert "GET /lost" in read_all(reader)
            for sock in by_pid.values():
                sock.sendall(request_bytes("/kept"))
                assert read_response(sock).status == 404
            for pid in by_pid:
                server.wait_log(rf"\[{pid}\] \[WARNING\] The access log on stdout can be written again; \d+ lines were")
            text = read_until(reader, "GET /kept", count=2)
            assert text.endswith("\n")
            assert server.count_log("Cannot write") == 2
            assert not os.get_blocking(reader) and os.get_blocking(writer)  # the shared description is as it was


@pytest.mark.parametrize("path", ["/throw", "/segv"])
def test_an_error_log_that_nobody_reads_holds_nobody_up(path):
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
                assert server.get(path, port=port).status == 500
                server.wait_workers(2)
            assert server.get("/", port=port).status == 200
            read_all(reader)
            for _ in range(20):
                assert server.get("/", port=port).status == 200
            said = read_all(reader)
            server.stop(timeout=5)  # whoever has not told what it has lost has something to write then
            assert re.search("lines (of this log )?were lost", said + read_all(reader))
            assert time.monotonic() - began < server.within(10)


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
            read_until(ours.fileno(), "GET /kept")
