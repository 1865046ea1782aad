"""Files, sockets, delays and numbers: what the master does besides looking after workers."""

import os
import signal
import socket
import stat
import time

import pytest

from harness import (
    APPS,
    SLOWNESS,
    Server,
    is_alive,
    read_response,
    request_bytes,
    run,
    wait_until,
)
from load import Load


def unix_get(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10 * SLOWNESS)
        sock.connect(str(path))
        sock.sendall(request_bytes("/"))
        return read_response(sock).status


# ---- --shutdown-delay


def test_the_shutdown_delay_serves_on_before_it_stops():
    delay = 1 * SLOWNESS
    with Server("hello:app", "--shutdown-delay", delay) as server:
        with Load(server) as load:
            load.wait_more()
            began = time.monotonic()
            server.signal(signal.SIGTERM)
            server.wait_log(r"Handling signal: term; serving on for \d s \(--shutdown-delay\)")
            load.wait_more()
            server.signal(signal.SIGTERM)  # changes nothing
            load.wait_more()
            load.assert_flawless()
            server.wait_log("The shutdown delay is over")
            assert time.monotonic() - began >= delay
            load.stop()
        assert server.wait_exit() == 0
        assert time.monotonic() - began < server.within(4)


def test_int_cuts_the_shutdown_delay_short():
    with Server("hello:app", "--shutdown-delay", "60") as server:
        server.signal(signal.SIGTERM)
        server.wait_log("serving on for 60 s")
        server.signal(signal.SIGHUP)
        server.wait_log("Handling signal: hup; ignored: the server is about to stop")
        server.signal(signal.SIGINT)
        assert server.wait_exit() == 0


def test_a_worker_that_dies_in_the_shutdown_delay_is_replaced():
    with Server("faults:app", "--shutdown-delay", "60") as server:
        old = server.wait_workers(1)
        server.signal(signal.SIGTERM)
        server.wait_log("serving on for 60 s")
        server.raw(request_bytes("/segv"))
        server.wait_for(lambda: not is_alive(old[0]), what="the end of the worker")
        server.wait_workers(1)
        assert server.get("/").status == 200
        server.signal(signal.SIGQUIT)
        assert server.wait_exit() == 0


# ---- --reload-surge


@pytest.mark.parametrize("surge", [1, 2])
def test_a_reload_with_a_surge_never_has_more_workers_than_that(surge):
    with Server("hello:app", "--workers", "4", "--reload-surge", surge, wait=4) as server:
        old = server.wait_workers(4)
        most = 0
        with Load(server) as load:
            load.wait_more()
            server.signal(signal.SIGHUP)

            def replaced():
                nonlocal most
                workers = server.worker_pids()
                most = max(most, len(workers))
                return not set(old) & set(workers) and len(workers) == 4

            server.wait_for(replaced, what="four new workers")
            load.wait_more()
        load.assert_flawless()
        assert most <= 4 + surge


# ---- The unix socket


def test_hup_restores_a_unix_socket_that_somebody_removed(tmp_path):
    path = tmp_path / "sock"
    with Server("hello:app", bind=f"unix:{path}") as server:
        path.unlink()
        server.signal(signal.SIGHUP)
        server.wait_log("Listening at: unix:", count=2)
        wait_until(path.exists, what="the socket")
        assert unix_get(path) == 200
    assert not path.exists()


def test_hup_does_not_take_a_unix_socket_from_another_server(tmp_path):
    path = tmp_path / "sock"
    with Server("hello:app", "--bind-retry", "0.2", bind=f"unix:{path}") as server:
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            other.listen()
            server.signal(signal.SIGHUP)
            server.wait_log(r"\[ERROR\] cannot bind unix:.*: Address already in use")
            server.wait_log("Reload failed: the old workers serve on")
        assert stat.S_ISSOCK(path.stat().st_mode)
    assert path.exists()  # it is the other one's
    path.unlink()


# ---- --umask


@pytest.mark.parametrize("umask, mode", [(None, 0o777), ("0", 0o777), ("0117", 0o660), ("0o077", 0o700)])
def test_the_umask_is_for_unix_sockets(tmp_path, umask, mode):
    path = tmp_path / "sock"
    args = ["--umask", umask] if umask is not None else []
    with Server("hello:app", *args, bind=f"unix:{path}"):
        assert stat.S_IMODE(path.stat().st_mode) == mode


def test_the_umask_is_for_logs_and_the_app(tmp_path):
    log, pidfile = tmp_path / "log", tmp_path / "pid"
    args = ["--umask", "077", "--log-file", log, "--access-logfile", tmp_path / "access", "--pid", pidfile]
    with Server("whoami:app", *args, log_file=log) as server:
        assert server.get("/umask").text == f"{0o077}\n"
        for path in (log, tmp_path / "access", pidfile):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = os.umask(0o027)
    try:
        with Server("whoami:app") as server:
            assert server.get("/umask").text == f"{0o027}\n"  # as inherited
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", ["9", "1777", "-1", "rwx"])
def test_a_umask_that_is_none(mask):
    done = run("hello:app", "--app-dir", APPS, f"--umask={mask}")
    assert done.code == 1
    assert f"command line: --umask: '{mask}' is not an octal mode from 0 to 777" in done.stderr


# ---- The pidfile


@pytest.mark.parametrize("content", ["", "garbage\n", "-1\n", "0\n", "999999999\n", "\0" * 100])
def test_a_pidfile_that_means_nobody_is_replaced(tmp_path, content):
    pidfile = tmp_path / "pid"
    pidfile.write_text(content)
    with Server("hello:app", "--pid", pidfile) as server:
        assert pidfile.read_text() == f"{server.pid}\n"
    assert not pidfile.exists()


def test_a_pidfile_that_somebody_has_replaced_is_left_alone(tmp_path):
    pidfile = tmp_path / "pid"
    with Server("hello:app", "--pid", pidfile):
        pidfile.unlink()
        pidfile.write_text("1\n")
    assert pidfile.read_text() == "1\n"


def test_a_pidfile_in_a_folder_that_is_not_there(tmp_path):
    done = run("hello:app", "--app-dir", APPS, "--bind", "127.0.0.1:0", "--pid", tmp_path / "none" / "pid")
    assert done.code == 1
    assert "cannot create pidfile" in done.stderr
