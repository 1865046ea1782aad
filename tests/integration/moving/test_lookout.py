"""The lookout: the process that sees which workers are busy. There is one where there are understudies; it costs nothing
while nothing happens, is replaced when it dies, and leaves with the service."""

import os
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

from harness import (
    APPS,
    Server,
    command_line,
    folder_for_others,
    is_alive,
    is_helper,
    only_with_other_users,
    open_files,
    process,
    processes,
    read_response,
    request_bytes,
    working_wrapper,
)
from unfinished import switches, understudies


def the_lookout(server, but=None):
    """Waits for the one lookout, another one than `but`, and returns its pid."""

    def found():
        lookouts = server.lookouts()
        return lookouts if len(lookouts) == 1 and lookouts != [but] else None

    return server.wait_for(found, what="one lookout")[0]


def wait_asleep(server, pid):
    """Waits until it has not woken for many times the pace of its looks."""

    def sleeps():
        before = switches(pid)
        time.sleep(0.1)
        return switches(pid) == before

    server.wait_for(sleeps, what="the lookout's sleep")


def leaves_nothing(server):
    assert server.tree() == [], [(each.pid, command_line(each.pid)) for each in server.tree()]


def test_it_is_a_child_of_the_master_and_says_what_it_is():
    with Server("hello:app", "--workers", "2", "--name", "shop", wait=2) as server:
        lookout = the_lookout(server)
        assert command_line(lookout) == "cppcorn: lookout [shop]"
        assert process(lookout).parent == server.pid
        assert server.complaints() == []
        server.stop()
        leaves_nothing(server)


def test_one_that_is_killed_is_replaced_and_no_worker_notices():
    with Server("hello:app", "--workers", "2", wait=2) as server:
        workers = server.wait_workers(2)
        first = the_lookout(server)
        os.kill(first, signal.SIGKILL)
        second = the_lookout(server, but=first)
        os.kill(second, signal.SIGKILL)
        the_lookout(server, but=second)
        assert server.get("/").status == 200
        assert server.wait_workers(2) == workers
        # Once, however often it happens within a minute.
        assert server.count_log(rf"\[ERROR\] The lookout \(pid:{first}\) was sent SIGKILL; another one is started") == 1
        assert len(server.complaints()) == 1


def test_signals_that_are_meant_for_others_do_not_end_it():
    """Those that a terminal or a service manager sends to all processes of a service."""
    with Server("faults:app", "--workers", "2", wait=2) as server:
        lookout = the_lookout(server)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            os.kill(lookout, number)
        # Each of them would have had its effect by the time that a worker has slept and answered.
        assert server.get("/sleep?ms=50").status == 200
        assert server.lookouts() == [lookout]


def test_another_one_takes_its_place_at_a_reload_and_when_logs_are_reopened(tmp_path):
    """So it has the name and the user of the release that serves, and keeps no log open that was moved away."""
    settings, log = tmp_path / "cppcorn.toml", tmp_path / "log"
    settings.write_text(f"name = 'one'\nerrorlog = '{log}'\n")
    with Server("hello:app", "-c", settings, wait=1, log_file=log) as server:
        first = the_lookout(server)
        settings.write_text(f"name = 'two'\nerrorlog = '{log}'\n")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done")
        second = the_lookout(server, but=first)
        assert command_line(second) == "cppcorn: lookout [two]"
        os.rename(log, tmp_path / "moved")
        server.signal(signal.SIGUSR1)
        third = the_lookout(server, but=second)
        server.wait_for(lambda: str(log) in open_files(third).values(), what="the new log")
        assert str(tmp_path / "moved") not in open_files(third).values()
        assert server.complaints() == []


def test_a_worker_that_crashes_is_none_of_it():
    with Server("faults:app", wait=1) as server:
        lookout = the_lookout(server)
        (worker,) = server.wait_workers(1)
        os.kill(worker, signal.SIGKILL)
        server.wait_for(lambda: not is_alive(worker), what="the worker's end")
        server.wait_workers(1)
        assert server.lookouts() == [lookout]


def test_there_is_none_without_understudies():
    with Server("hello:app", "--workers", "2", "--no-understudy", wait=2) as server:
        assert server.get("/").status == 200
        assert [each.pid for each in server.tree() if is_helper(each.pid)] == []
        server.stop()


def test_a_reload_that_changes_the_setting_is_followed(tmp_path):
    settings = tmp_path / "cppcorn.toml"
    settings.write_text("no_understudy = false\n")
    with Server("hello:app", "-c", settings, wait=1) as server:
        the_lookout(server)
        settings.write_text("no_understudy = true\n")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done", count=1)
        server.wait_for(lambda: server.lookouts() == [], what="the lookout's end")
        settings.write_text("no_understudy = false\n")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done", count=2)
        the_lookout(server)
        assert server.complaints() == []


def test_while_nothing_happens_it_sleeps():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        assert server.get("/").status == 200
        lookout = the_lookout(server)
        wait_asleep(server, lookout)
        before = switches(lookout)
        time.sleep(2)  # what is tested is that nothing happens
        assert switches(lookout) == before


def test_a_request_wakes_it_and_it_falls_asleep_again():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        lookout = the_lookout(server)
        sock = server.connect()
        for _ in range(3):
            wait_asleep(server, lookout)
            before = switches(lookout)
            sock.sendall(request_bytes("/sleep?ms=30"))
            assert read_response(sock).status == 200
            server.wait_for(lambda: switches(lookout) > before, what="the lookout's first look")


def test_a_stopped_one_holds_nobody_up():
    """Nor is it there when the service has ended."""
    with Server("faults:app", "--workers", "2", wait=2) as server:
        lookout = the_lookout(server)
        os.kill(lookout, signal.SIGSTOP)
        for count in range(1, 4):
            server.signal(signal.SIGHUP)
            server.wait_log("Reload done", count=count)
        assert server.get("/").status == 200
        second = the_lookout(server, but=lookout)  # a reload brings another one
        os.kill(second, signal.SIGSTOP)
        server.stop()
        leaves_nothing(server)


# ---- Understudies, which workers make and the master is the parent of


def test_an_understudy_that_is_killed_is_replaced_and_its_worker_notices_nothing():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        workers = server.wait_workers(2)
        first = server.wait_for(lambda: len(understudies(server)) == 2 and understudies(server), what="understudies")
        killed, other = first
        os.kill(killed, signal.SIGKILL)
        server.wait_for(lambda: len(set(understudies(server)) - {killed}) == 2, what="another one")
        assert other in understudies(server)
        said = r"\[ERROR\] The understudy \(pid:(\d+)\) of worker \(pid:\d+\) was sent SIGKILL; the worker makes another one"
        assert [match[1] for match in server.wait_log(said)] == [str(killed)]
        assert len(server.complaints()) == 1
        assert server.wait_workers(2) == workers
        assert server.get("/").status == 200


def test_understudies_that_are_killed_again_and_again_are_replaced_once_a_second():
    with Server("faults:app", wait=1) as server:
        (worker,) = server.wait_workers(1)
        began = time.monotonic()
        killed = []
        for _ in range(3):
            (pid,) = server.wait_for(lambda: set(understudies(server)) - set(killed), what="an understudy")
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
        server.wait_for(lambda: set(understudies(server)) - set(killed), what="one more")
        assert time.monotonic() - began >= 2  # the first at once, then a second between them
        assert server.wait_workers(1) == [worker]


def test_the_end_of_a_worker_is_not_taken_for_a_loss_of_its_understudy():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        for _ in range(5):
            (victim, _) = server.wait_workers(2)
            os.kill(victim, signal.SIGKILL)
            server.wait_for(lambda: victim not in server.worker_pids(), what="its end")
            server.wait_workers(2)
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done")
        server.wait_workers(2)
        server.wait_for(lambda: len(understudies(server)) == 2, what="two understudies")
        assert server.count_log("The understudy") == 0


# ---- No process is left


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("args", [(), ("--preload",), ("--workers", "4")], ids=["plain", "preload", "four workers"])
def test_after_a_stop_nothing_is_left(args, number):
    with Server("hello:app", *args) as server:
        the_lookout(server)
        server.signal(number)
        assert server.wait_exit() == 0
        leaves_nothing(server)


@pytest.mark.parametrize("args", [(), ("--preload",)], ids=["plain", "preload"])
def test_after_the_death_of_the_master_nothing_is_left(args):
    with Server("hello:app", "--workers", "2", *args, wait=2, stop_code=-signal.SIGKILL) as server:
        the_lookout(server)
        server.signal(signal.SIGKILL)
        server.wait_exit()
        server.wait_for(lambda: server.tree() == [], timeout=2, what="the end of all others")


class TestUser:
    pytestmark = only_with_other_users

    @pytest.fixture
    def apps(self):
        """A folder that other users can enter."""
        with folder_for_others() as folder:
            shutil.copy(f"{APPS}/hello.so", folder)
            yield folder

    def test_it_is_the_workers_user(self, apps):
        with Server("hello:app", "--user", "65534", app_dir=apps, cwd=apps) as server:
            lookout = the_lookout(server)
            owner = re.search(r"^Uid:\s*(\d+)\s*(\d+)", Path(f"/proc/{lookout}/status").read_text(), re.MULTILINE)
            assert owner.groups() == ("65534", "65534")
            server.stop()
            leaves_nothing(server)

    def test_it_leaves_with_a_master_that_is_killed(self, apps):
        with Server("hello:app", "--user", "65534", app_dir=apps, cwd=apps, stop_code=-signal.SIGKILL) as server:
            the_lookout(server)
            server.signal(signal.SIGKILL)
            server.wait_exit()
            server.wait_for(lambda: server.tree() == [], timeout=2, what="the end of all others")


def test_each_master_has_its_own_in_an_upgrade():
    with Server("hello:app", wait=1) as server:
        old = the_lookout(server)
        server.signal(signal.SIGUSR2)
        new_master = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])
        server.wait_log("Worker ready", count=2)

        def of_new_master():
            alive = [each.pid for each in processes() if each.parent == new_master and each.state not in "ZX"]
            return [pid for pid in alive if command_line(pid) == "cppcorn: lookout [hello:app]"]

        (new,) = server.wait_for(of_new_master, what="the new master's lookout")
        server.signal(signal.SIGTERM)
        assert server.wait_exit() == 0
        assert not is_alive(old)
        assert is_alive(new)
        server.wait_log(r"The old master \(pid:\d+\) has ended")
        os.kill(new_master, signal.SIGTERM)
        server.wait_for(lambda: server.tree() == [], what="the end of all others")


def test_process_1_of_a_container_has_one():
    wrapper = working_wrapper("unshare", "-fp", "--mount-proc", "--kill-child")
    with Server("hello:app", "--workers", "2", wrapper=wrapper, wait=False) as server:
        server.wait_log("Worker ready", count=2)
        master = next(each.pid for each in processes() if each.parent == server.pid)

        def lookouts():
            children = [each.pid for each in processes() if each.parent == master and each.state not in "ZX"]
            return [pid for pid in children if command_line(pid).startswith("cppcorn: lookout [")]

        (first,) = server.wait_for(lookouts, what="the lookout")
        os.kill(first, signal.SIGKILL)
        server.wait_for(lambda: lookouts() not in ([], [first]), what="another one")
        os.kill(master, signal.SIGTERM)
        assert server.wait_exit() == 0
