"""Whose the pidfile is, a lock decides: not the number in it, which may be another program's by now."""

import os
import signal
import subprocess

import pytest

from harness import APPS, BINARY, Server, clean_environment, is_alive, kill_session, run, wait_until

SETTINGS = 1


def start(*args):
    return run("hello:app", "--app-dir", APPS, "--bind", "127.0.0.1:0", *args)


@pytest.mark.parametrize("pid", [1, os.getpid(), os.getppid()])
def test_the_pid_of_another_program_holds_nobody_up(tmp_path, pid):
    pidfile = tmp_path / "pid"
    pidfile.write_text(f"{pid}\n")
    with Server("hello:app", "--pid", pidfile) as server:
        assert pidfile.read_text() == f"{server.pid}\n"
        assert server.get("/").status == 200
    assert not pidfile.exists()


def test_a_second_master_is_told_of_the_first(tmp_path):
    pidfile = tmp_path / "pid"
    with Server("hello:app", "--pid", pidfile) as server:
        done = start("--pid", pidfile)
        assert done.code == SETTINGS
        assert done.stderr == f"cppcorn: already running (pid:{server.pid}), says pidfile {pidfile}\n"
        assert pidfile.read_text() == f"{server.pid}\n"


def test_it_is_held_whatever_is_written_into_it(tmp_path):
    pidfile = tmp_path / "pid"
    with Server("hello:app", "--pid", pidfile) as server:
        pidfile.write_text("999999999\n")
        assert start("--pid", pidfile).code == SETTINGS
        pidfile.write_text(f"{server.pid}\n")


def test_a_second_master_on_the_same_address_learns_it_at_once(tmp_path):
    """Not after --bind-retry."""
    pidfile = tmp_path / "pid"
    with Server("hello:app", "--pid", pidfile) as server:
        args = ["--pid", pidfile, "--bind", f"127.0.0.1:{server.port}", "--bind-retry", "60"]
        done = run("hello:app", "--app-dir", APPS, *args)
        assert done.code == SETTINGS
        assert "already running" in done.stderr


@pytest.mark.parametrize("left", [None, "", "1\n", "999999999\n"])
def test_of_masters_that_start_together_one_has_it(tmp_path, left):
    pidfile = tmp_path / "pid"
    if left is not None:
        pidfile.write_text(left)
    command = [BINARY, "hello:app", "--app-dir", APPS, "--bind", "127.0.0.1:0", "--pid", pidfile]
    options = {"stderr": subprocess.PIPE, "start_new_session": True, "env": clean_environment()}
    masters = [subprocess.Popen([str(each) for each in command], **options) for _ in range(4)]
    try:
        wait_until(lambda: sum(each.poll() is not None for each in masters) == 3, what="the end of three")
        (winner,) = [each for each in masters if each.poll() is None]
        for each in masters:
            if each is not winner:
                assert each.returncode == SETTINGS
                assert b"already running" in each.stderr.read()
        assert pidfile.read_text() == f"{winner.pid}\n"
        winner.terminate()
        assert winner.wait(20) == 0
        assert not pidfile.exists()
    finally:
        for each in masters:
            kill_session(each.pid, patience=0)
            each.wait(20)
            each.stderr.close()


def test_the_one_of_a_killed_master_is_free_at_once(tmp_path):
    """Although its workers are still there: they do not hold it."""
    pidfile = tmp_path / "pid"
    with Server("faults:app", "--pid", pidfile, stop_code=-signal.SIGKILL) as first:
        first.send("/sleep?ms=500")
        first.signal(signal.SIGKILL)
        first.wait_exit()
        with Server("hello:app", "--pid", pidfile) as second:
            assert pidfile.read_text() == f"{second.pid}\n"
    assert list(tmp_path.iterdir()) == []


# ---- The new master's of an upgrade


def upgrade(server, tmp_path):
    server.signal(signal.SIGUSR2)
    second = tmp_path / "pid.2"
    wait_until(second.exists, what="the new master's pidfile")
    return second, int(second.read_text())


def test_a_new_master_that_crashes_leaves_no_pidfile(tmp_path):
    with Server("hello:app", "--pid", tmp_path / "pid") as server:
        second, new = upgrade(server, tmp_path)
        os.kill(new, signal.SIGKILL)
        server.wait_log(rf"The new master \(pid:{new}\) was sent SIGKILL; this one serves on")
        wait_until(lambda: not second.exists(), what="the end of the new master's pidfile")
        assert (tmp_path / "pid").read_text() == f"{server.pid}\n"
        # And another one can be started.
        _, new = upgrade(server, tmp_path)
        os.kill(new, signal.SIGTERM)
        wait_until(lambda: not is_alive(new), what="the new master's end")


def test_both_pidfiles_of_masters_that_crashed_go(tmp_path):
    (tmp_path / "pid").write_text("999999998\n")
    (tmp_path / "pid.2").write_text("999999999\n")
    with Server("hello:app", "--pid", tmp_path / "pid"):
        assert not (tmp_path / "pid.2").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_file_beside_it_that_is_no_pidfile_stays(tmp_path):
    (tmp_path / "pid.2").write_text("notes\n")
    with Server("hello:app", "--pid", tmp_path / "pid"):
        pass
    assert (tmp_path / "pid.2").read_text() == "notes\n"
