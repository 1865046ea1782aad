"""A new master takes the place of an old one on the same sockets (USR2), or does not."""

import os
import re
import shutil
import signal
import socket
import stat
from pathlib import Path

import pytest

from harness import (
    APPS,
    BINARY,
    SANITIZED,
    Server,
    is_alive,
    is_ready,
    open_files,
    processes,
    read_response,
    request_bytes,
    wait_until,
    working_wrapper,
)
from load import Load


class Family:
    """The masters and workers of a server that is replaced while it runs: each knows its own by the parent."""

    def __init__(self, server):
        self.server = server
        self.pidfile = None

    def workers(self, master):
        alive = [each.pid for each in processes() if each.parent == master and each.state not in "ZX"]
        return [pid for pid in alive if "cppcorn: worker" in _title(pid) and is_ready(pid)]

    def upgrade(self, master, workers=1):
        """Sends USR2 and returns the new master, once its workers are ready."""
        said = rf"\[{master}\] \[INFO\] Handling signal: usr2; started the new master \(pid:(\d+)\)"
        before = self.server.count_log(said)
        os.kill(master, signal.SIGUSR2)
        new = int(self.server.wait_log(said, count=before + 1)[-1][1])
        self.server.wait_for(lambda: len(self.workers(new)) == workers, what="the new master's workers")
        return new

    def end(self, pid, number=signal.SIGTERM):
        """Ends a master and waits for it and its workers."""
        own = [pid, *self.workers(pid)]
        os.kill(pid, number)
        self.server.wait_for(lambda: not any(map(is_alive, own)), what=f"the end of {own}")


def _title(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


@pytest.fixture
def binary(tmp_path):
    """A copy of the program that may be replaced."""
    copy = tmp_path / "bin" / "cppcorn"
    copy.parent.mkdir()
    shutil.copy(BINARY, copy)
    return copy


def replace(path, text):
    """As a deployment does it: a new file in the place of the old one, which may be running."""
    new = path.with_suffix(".new")
    if isinstance(text, bytes):
        new.write_bytes(text)
    else:
        shutil.copy(text, new)
    new.chmod(0o755)
    os.replace(new, path)


def test_a_new_master_takes_over_without_a_refused_connection(tmp_path):
    pidfile = tmp_path / "pid"
    with Server("hello:app", "--workers", "2", "--pid", pidfile, wait=2) as server:
        family = Family(server)
        with Load(server) as load:
            load.wait_more()
            new = family.upgrade(server.pid, workers=2)
            assert pidfile.read_text() == f"{server.pid}\n"
            assert Path(f"{pidfile}.2").read_text() == f"{new}\n"
            load.wait_more()  # both serve
            family.end(server.pid)
            assert server.wait_exit() == 0
            server.wait_log(rf"\[{new}\] \[INFO\] The old master \(pid:{server.pid}\) has ended")
            wait_until(lambda: pidfile.exists() and pidfile.read_text() == f"{new}\n", what="the promoted pidfile")
            assert not Path(f"{pidfile}.2").exists()
            load.wait_more()
        load.assert_flawless()
        family.end(new)
        assert not pidfile.exists()
        assert server.count_log(r"\[(ERROR|CRITICAL)\]") == 0


def test_the_old_master_drains_nothing_away_from_the_new_one():
    """What waits when the old one leaves is served by the new one; what it has begun, it finishes."""
    with Server("faults:app") as server:
        family = Family(server)
        sock = server.connect()
        sock.sendall(request_bytes("/sleep?ms=500"))
        new = family.upgrade(server.pid)
        server.signal(signal.SIGTERM)
        assert read_response(sock).status == 200
        sock.close()
        assert server.wait_exit() == 0
        assert server.get("/").status == 200
        family.end(new)


def test_a_second_usr2_is_refused_by_either():
    with Server("hello:app") as server:
        family = Family(server)
        new = family.upgrade(server.pid)
        server.signal(signal.SIGUSR2)
        server.wait_log(rf"\[{server.pid}\] \[WARNING\] Handling signal: usr2; refused: the new master \(pid:{new}\) is")
        os.kill(new, signal.SIGUSR2)
        server.wait_log(rf"\[{new}\] \[WARNING\] Handling signal: usr2; refused: the old master \(pid:{server.pid}\) is")
        family.end(new)
        server.wait_log(r"The new master \(pid:\d+\) exited with code 0; this one serves on")
        # And then it may be tried again.
        family.end(family.upgrade(server.pid))


def test_usr2_is_refused_while_a_reload_is_under_way(tmp_path):
    site = tmp_path / "site.so"
    shutil.copy(f"{APPS}/hello.so", site)
    with Server("site:app", "--boot-timeout", "600", cwd=tmp_path, app_dir=tmp_path) as server:
        server.wait_workers(1)
        replace(site, f"{APPS}/boot_hang.so")
        server.signal(signal.SIGHUP)
        server.wait_log("Handling signal: hup")
        server.signal(signal.SIGUSR2)
        server.wait_log(r"\[WARNING\] Handling signal: usr2; refused: a reload is under way")
        assert server.get("/").status == 200
        (probe,) = [each.pid for each in server.children() if "cppcorn: worker" not in _title(each.pid)]
        os.kill(probe, signal.SIGKILL)
        server.wait_log("Reload failed: the old workers serve on")
        family = Family(server)
        replace(site, f"{APPS}/hello.so")
        family.end(family.upgrade(server.pid))


@pytest.mark.parametrize("kind", ["missing", "no program", "refuses to start"])
def test_with_a_broken_binary_the_old_master_serves_on(binary, tmp_path, kind):
    pidfile = tmp_path / "pid"
    with Server("hello:app", "--pid", pidfile, binary=binary) as server:
        workers = server.wait_workers(1)
        if kind == "missing":
            binary.unlink()
        elif kind == "no program":
            replace(binary, b"\x7fELF this is none")
        else:
            replace(binary, b"#!/bin/sh\necho 'wrong version' >&2\nexit 7\n")
        server.signal(signal.SIGUSR2)
        code = 7 if kind == "refuses to start" else 1
        server.wait_log(rf"\[ERROR\] The new master \(pid:\d+\) exited with code {code}; this one serves on")
        if code == 1:
            server.wait_log(r"\[ERROR\] cannot run .*/bin/cppcorn: ")
        assert server.get("/").status == 200
        assert server.worker_pids() == workers
        assert pidfile.read_text() == f"{server.pid}\n"
        # Mended, it works.
        replace(binary, BINARY)
        family = Family(server)
        family.end(family.upgrade(server.pid))


def test_a_new_master_whose_app_is_broken_harms_nobody(tmp_path):
    socket_path = tmp_path / "sock"
    shutil.copy(f"{os.environ.get('CPPCORN_APPS') or Path(BINARY).parent / 'apps'}/hello.so", tmp_path / "site.so")
    with Server("site:app", bind=f"unix:{socket_path}", cwd=tmp_path, app_dir=tmp_path) as server:
        server.wait_workers(1)
        (tmp_path / "site.so").unlink()
        server.signal(signal.SIGUSR2)
        server.wait_log(r"\[ERROR\] The new master \(pid:\d+\) exited with code 4; this one serves on")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(socket_path))
            sock.sendall(request_bytes("/"))
            assert read_response(sock).status == 200
    assert not socket_path.exists()


def test_backing_out(tmp_path):
    """WINCH sends the old workers home; HUP calls them back, and QUIT ends the new master."""
    pidfile = tmp_path / "pid"
    with Server("hello:app", "--workers", "2", "--pid", pidfile, wait=2) as server:
        family = Family(server)
        with Load(server) as load:
            load.wait_more()
            new = family.upgrade(server.pid, workers=2)
            server.signal(signal.SIGWINCH)
            server.wait_log("Handling signal: winch")
            server.wait_for(lambda: family.workers(server.pid) == [], what="the old workers' end")
            assert is_alive(server.pid)
            load.wait_more()  # by the new ones
            server.signal(signal.SIGHUP)
            server.wait_for(lambda: len(family.workers(server.pid)) == 2, what="the old master's workers")
            family.end(new, signal.SIGTERM)
            server.wait_log(rf"The new master \(pid:{new}\) exited with code 0; this one serves on")
            load.wait_more()
        load.assert_flawless()
        assert not Path(f"{pidfile}.2").exists()
        assert pidfile.read_text() == f"{server.pid}\n"


def test_the_workers_come_back_if_the_new_master_fails_when_they_are_gone():
    with Server("hello:app", "--workers", "2", wait=2) as server:
        family = Family(server)
        new = family.upgrade(server.pid, workers=2)
        server.signal(signal.SIGWINCH)
        server.wait_for(lambda: family.workers(server.pid) == [], what="the old workers' end")
        os.kill(new, signal.SIGKILL)
        server.wait_log(r"The new master \(pid:\d+\) was sent SIGKILL; this one serves on")
        server.wait_for(lambda: len(family.workers(server.pid)) == 2, what="the old workers")
        assert server.get("/").status == 200


def test_a_reload_that_fails_brings_retired_workers_back(tmp_path):
    settings = tmp_path / "cppcorn.toml"
    settings.write_text("workers = 1\n")
    with Server("hello:app", "-c", settings) as server:
        server.signal(signal.SIGWINCH)
        server.wait_for(lambda: server.worker_pids() == [], what="the workers' end")
        settings.write_text("workers = none\n")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload failed")
        server.wait_workers(1)


def test_a_unix_socket_in_a_moved_folder_is_made_anew(tmp_path):
    """The new master's path leads elsewhere: its socket has to be there."""
    for number in "12":
        (tmp_path / number).mkdir()
    link = tmp_path / "current"
    link.symlink_to("1")
    with Server("hello:app", bind="unix:sock", env={"PWD": str(link)}, cwd=link) as server:
        family = Family(server)
        link.unlink()
        link.symlink_to("2")
        new = family.upgrade(server.pid)
        family.end(server.pid)
        assert unix_status(tmp_path / "2" / "sock") == 200
        family.end(new)
    assert not (tmp_path / "2" / "sock").exists()


def unix_status(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(request_bytes("/"))
        return read_response(sock).status


def test_no_upgrade_begins_in_the_shutdown_delay():
    with Server("hello:app", "--shutdown-delay", "60") as server:
        server.signal(signal.SIGTERM)
        server.wait_log("serving on for 60 s")
        server.signal(signal.SIGUSR2)
        server.wait_log("usr2; refused: the server is about to stop")
        server.signal(signal.SIGINT)
        assert server.wait_exit() == 0


def test_quit_ends_the_new_master_quickly():
    with Server("hello:app") as server:
        family = Family(server)
        family.end(family.upgrade(server.pid), signal.SIGQUIT)
        assert server.get("/").status == 200


def test_an_old_master_that_is_killed_is_replaced_too(tmp_path):
    pidfile = tmp_path / "pid"
    with Server("hello:app", "--pid", pidfile, stop_code=-signal.SIGKILL) as server:
        family = Family(server)
        new = family.upgrade(server.pid)
        server.signal(signal.SIGKILL)
        server.wait_exit()
        server.wait_for(lambda: pidfile.read_text() == f"{new}\n", what="the promoted pidfile")
        assert server.get("/").status == 200
        family.end(new)


def test_a_unix_socket_stays_through_an_upgrade_and_goes_at_the_end(tmp_path):
    path = tmp_path / "sock"

    def answers():
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            sock.sendall(request_bytes("/"))
            return read_response(sock).status == 200

    with Server("hello:app", bind=f"unix:{path}") as server:
        family = Family(server)
        new = family.upgrade(server.pid)
        family.end(new)  # backed out
        assert stat.S_ISSOCK(path.stat().st_mode) and answers()
        server.wait_log("this one serves on")
        new = family.upgrade(server.pid)
        family.end(server.pid)
        assert server.wait_exit() == 0
        assert answers()
        family.end(new)
    assert not path.exists()


def test_arguments_environment_and_folder_are_the_original_ones(tmp_path):
    folder = tmp_path / "start"
    elsewhere = tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    args = ["--env", "ADDED=1", "--chdir", str(elsewhere), "--name", "two words"]
    with Server("hello:app", *args, env={"KEPT": "as it was", "PWD": str(folder)}, cwd=folder) as server:
        family = Family(server)
        before = _original(server.pid)
        masters = [server.pid]
        for _ in range(2):
            masters.append(family.upgrade(masters[-1]))
            family.end(masters[-2])
            server.wait_log(rf"\[{masters[-1]}\] \[INFO\] The old master")
        after = _original(masters[-1])
        assert after == before
        assert os.readlink(f"/proc/{masters[-1]}/cwd") == str(elsewhere)
        assert server.get("/").status == 200
        family.end(masters[-1])


def _original(pid):
    """What a process was started with, as far as /proc tells: the process title covers the arguments."""
    environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    names = (b"KEPT=", b"PATH=", b"PWD=", b"ADDED=")
    return sorted(each for each in environ if each.startswith(names)), _title(pid).strip("\0")


def test_a_moved_link_to_the_folder_is_followed(tmp_path):
    """Releases in folders of their own, and a link to the current one."""
    apps = os.environ.get("CPPCORN_APPS") or Path(BINARY).parent / "apps"
    for number, app in (("1", "hello"), ("2", "faults")):
        (tmp_path / number).mkdir()
        shutil.copy(f"{apps}/{app}.so", tmp_path / number / "site.so")
    link = tmp_path / "current"
    link.symlink_to("1")
    with Server("site:app", app_dir=None, env={"PWD": str(link)}, cwd=link) as server:
        family = Family(server)
        assert server.get("/").body == b"Hello, world!\n"
        link.unlink()
        link.symlink_to("2")
        new = family.upgrade(server.pid)
        family.end(server.pid)
        assert server.get("/").body == b"ok\n"
        family.end(new)


def test_many_upgrades_leak_nothing():
    count = 10 if SANITIZED else 100
    with Server("hello:app") as server:
        family = Family(server)
        assert server.get("/").status == 200
        before = sorted(_kinds(server.pid))
        master = server.pid
        for _ in range(count):
            new = family.upgrade(master)
            os.kill(master, signal.SIGTERM)
            server.wait_for(lambda: not is_alive(master), what="the old master's end")
            server.wait_log(rf"\[{new}\] \[INFO\] The old master")
            master = new
        assert server.get("/").status == 200
        server.wait_for(lambda: sorted(_kinds(master)) == before, what=f"the descriptors {before}")
        assert len(Path(f"/proc/{master}/environ").read_bytes()) < 100_000
        family.end(master)


def _kinds(pid):
    """What each descriptor is, without the numbers that differ from one process to the next."""
    return [re.sub(r"\d+", "N", target) for target in open_files(pid).values()]


def test_usr2_to_process_1_of_a_container_is_refused():
    with Server("hello:app", wrapper=working_wrapper("unshare", "-fp", "--mount-proc"), wait=False) as server:
        server.wait_log("Booting worker")
        master = next(each.pid for each in processes() if each.parent == server.pid)
        os.kill(master, signal.SIGUSR2)
        server.wait_log("usr2; refused: pid 1 cannot be replaced: its exit stops the container")
        assert server.get("/").status == 200
        os.kill(master, signal.SIGTERM)
        assert server.wait_exit() == 0


def test_an_upgrade_that_is_not_understood_is_refused():
    with Server("hello:app", env={"CPPCORN_UPGRADE": "99 1"}, wait=False, stop_code=1) as server:
        assert server.wait_exit() == 1
        assert "CPPCORN_UPGRADE='99 1' is not understood" in server.log_text()
