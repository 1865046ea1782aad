"""--daemon: it leaves the terminal, and whoever started it learns whether it serves."""

import os
import signal
import socket
import subprocess
from contextlib import contextmanager

import pytest

from harness import APPS, BINARY, clean_environment, command_line, free_port, is_alive, is_helper, kill_session, open_files, process, processes, read_response, request_bytes, run, wait_until


class Daemon:
    def __init__(self, pid, port):
        self.pid = pid
        self.port = port

    def get(self, path):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sock:
            sock.sendall(request_bytes(path))
            return read_response(sock)

    def workers(self):
        alive = [each.pid for each in processes() if each.parent == self.pid and each.state not in "ZX"]
        return [pid for pid in alive if not is_helper(pid)]


@contextmanager
def daemon(tmp_path, app, *args):
    port, pidfile = free_port(), tmp_path / "pid"
    fixed = ["--daemon", "--pid", pidfile, "--bind", f"127.0.0.1:{port}", "--log-file", tmp_path / "log", "--app-dir", APPS]
    done = run(app, *fixed, *args)
    server = Daemon(int(pidfile.read_text()) if pidfile.exists() else 0, port)
    session = process(server.pid).session if server.pid else 0
    try:
        assert done.code == 0, done.stderr
        yield server
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: not is_alive(server.pid), what="the daemon's end")
        assert not pidfile.exists()
    finally:
        if session:
            kill_session(session)


def test_when_the_command_returns_it_serves(tmp_path):
    with daemon(tmp_path, "hello:app", "--workers", "2") as server:
        assert server.get("/").body == b"Hello, world!\n"
        assert process(server.pid).parent != os.getpid()
        assert process(server.pid).session not in (server.pid, os.getsid(0))  # no leader: it can get no terminal
        for pid in (server.pid, *server.workers()):
            assert {open_files(pid)[fd] for fd in (0, 1, 2)} == {"/dev/null"}
        assert "Listening at" in (tmp_path / "log").read_text()


def test_nothing_of_the_terminal_is_kept(tmp_path):
    """Else a script that reads what the command prints would wait for the daemon's end."""
    port, pidfile = free_port(), tmp_path / "pid"
    args = ["--daemon", "--pid", pidfile, "--bind", f"127.0.0.1:{port}", "--app-dir", APPS, "--access-logfile", "-"]
    args += ["--log-file", tmp_path / "log"]
    done = run("hello:app", *args)  # returns at the end of its output
    pid = int(pidfile.read_text())
    server = Daemon(pid, port)
    assert done.code == 0
    assert "Listening at" in (tmp_path / "log").read_text()
    for each in (pid, *server.workers()):
        assert not any(target.startswith("/dev/pts") for target in open_files(each).values())
    assert server.get("/").status == 200
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid), what="the daemon's end")


def test_one_that_is_stopped_before_it_serves_has_failed(tmp_path):
    pidfile = tmp_path / "pid"
    args = [BINARY, "boot_hang:app", "--daemon", "--pid", pidfile, "--bind", "127.0.0.1:0", "--app-dir", APPS]
    args += ["--log-file", tmp_path / "log"]
    with subprocess.Popen(list(map(str, args)), stderr=subprocess.DEVNULL, env=clean_environment()) as first:
        wait_until(lambda: pidfile.exists() and pidfile.read_text(), what="the pidfile")
        os.kill(int(pidfile.read_text()), signal.SIGTERM)
        assert first.wait(10) == 3


def test_it_is_reloaded_and_replaced_like_any_other(tmp_path):
    with daemon(tmp_path, "hello:app") as server:
        os.kill(server.pid, signal.SIGUSR2)
        second = tmp_path / "pid.2"
        wait_until(second.exists, what="the new master's pidfile")
        new = int(second.read_text())
        wait_until(lambda: Daemon(new, server.port).workers(), what="the new master's worker")
        os.kill(server.pid, signal.SIGWINCH)
        wait_until(lambda: not server.workers() or server.workers() == [new], what="the end of the old worker")
        os.kill(server.pid, signal.SIGTERM)
        wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() == f"{new}\n", what="the promotion")
        server.pid = new
        assert server.get("/").status == 200


def test_what_the_app_prints_is_kept_if_it_is_captured(tmp_path):
    with daemon(tmp_path, "hello:app", "--capture-output") as server:
        (worker,) = server.workers()
        assert {open_files(worker)[fd] for fd in (1, 2)} == {str(tmp_path / "log")}


@pytest.mark.parametrize(
    "app, code, said",
    [
        ("nothing:app", 4, "cannot find app module 'nothing'"),
        ("boot_crash:app", 4, "crashed while loading"),
        ("boot_fail:app", 3, ""),
        ("hello:app --workers x", 1, "--workers: 'x' is not a whole number"),
    ],
)
def test_what_goes_wrong_at_the_start_is_told(tmp_path, app, code, said):
    app, *args = app.split()
    pidfile, log = tmp_path / "pid", tmp_path / "log"
    fixed = ["--daemon", "--pid", pidfile, "--bind", "127.0.0.1:0", "--app-dir", APPS, "--log-file", log]
    done = run(app, *fixed, *args)
    assert done.code == code
    assert said in done.stderr
    assert not pidfile.exists()
    assert not any(str(pidfile) in command_line(each.pid) for each in processes())


def test_an_address_that_is_taken_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("hello:app", "--daemon", "--app-dir", APPS, "--bind", f"127.0.0.1:{port}", "--bind-retry", "0.1", "--log-file", tmp_path / "log")
    assert done.code == 5
    assert f"cannot bind 127.0.0.1:{port}: Address already in use" in done.stderr
