"""--preload: a process that has loaded the app, the mold, and workers that are forked from it."""

import os
import re
import shutil
import signal
import time
from pathlib import Path

import harness
import pytest
from harness import APPS, Server, command_line, folder_for_others, is_alive, run, wait_until

NOBODY = 65534


def molds(server):
    """Those that serve their master, and those that are on their way."""
    children = [each.pid for each in server.children() if each.state not in "ZX"]
    return [pid for pid in children if command_line(pid).startswith("cppcorn: mold [")]


def the_mold(server):
    (pid,) = server.wait_for(lambda: len(molds(server)) == 1 and molds(server), what="one mold")
    return pid


def maps(pid):
    return Path(f"/proc/{pid}/maps").read_text()


def facts(server):
    """(who loaded the app, the forks since then, the worker's parent)"""
    return tuple(map(int, server.get("/").text.split()))


def test_the_mold_loads_the_app_and_the_master_has_none_of_it():
    with Server("molded:app", "--preload", "--workers", "2", wait=2) as server:
        mold = the_mold(server)
        assert command_line(mold) == "cppcorn: mold [molded:app]"
        assert "molded.so" in maps(mold)
        assert "molded.so" not in maps(server.pid)
        loaded_in, forks, parent = facts(server)
        assert loaded_in == mold
        assert forks > 0  # what libraries have asked to be done around a fork was done
        assert parent == server.pid
        assert server.count_log("Mold ready") == 1
        server.stop()
        assert server.count_log("molded: destroyed") == 1  # in the mold


def test_workers_that_die_are_replaced_by_forks_of_the_same_mold():
    with Server("molded:app", "--preload", "--workers", "2", wait=2) as server:
        mold = the_mold(server)
        for _ in range(3):
            victim = server.worker_pids()[0]
            os.kill(victim, signal.SIGKILL)
            server.wait_for(lambda: victim not in server.worker_pids(), what="its end")
            server.wait_workers(2)
        assert the_mold(server) == mold, server.log_text()
        assert facts(server)[0] == mold


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_mold_that_dies_is_made_again_and_workers_serve_on(number):
    with Server("molded:app", "--preload", "--workers", "2", wait=2) as server:
        mold, workers = the_mold(server), server.worker_pids()
        os.kill(mold, number)
        server.wait_log(rf"\[ERROR\] The mold \(pid:{mold}\) was sent {number.name}; another one is made")
        server.wait_log("Mold ready", count=2)
        assert server.worker_pids() == workers
        assert the_mold(server) != mold
        os.kill(workers[0], signal.SIGKILL)
        server.wait_for(lambda: workers[0] not in server.worker_pids(), what="its end")
        server.wait_workers(2)
        if number == signal.SIGSEGV:
            server.wait_log(rf"Stack of pid {mold} at SIGSEGV: .*, as the mold that workers are forked from")


def test_a_mold_that_cannot_be_made_again_is_tried_until_it_can(tmp_path):
    """The app is loaded again, with what it finds then."""
    flag = tmp_path / "broken"
    source = f"{APPS}/boot_flag.so"
    with Server("boot_flag:app", "--preload", env={"BOOT_FLAG": str(flag)}) as server:
        assert os.path.exists(source)
        workers = server.worker_pids()
        flag.touch()
        os.kill(the_mold(server), signal.SIGKILL)
        server.wait_log("boot_flag: it is set")
        server.wait_log(r"Cannot make another mold: the workers serve on, and none is started; the next try is in 1 s")
        assert server.get("/").status == 200
        os.kill(workers[0], signal.SIGKILL)
        server.wait_log("No worker serves: the last that was started was sent SIGKILL; a stand-in")
        server.wait_for(lambda: server.get("/").status == 503, what="the stand-in")
        flag.unlink()
        server.wait_log("Mold ready", count=2)
        server.wait_workers(1)
        server.wait_for(lambda: server.get("/").status == 200, what="the app")


def test_a_mold_that_does_not_answer_is_killed_and_made_again():
    with Server("molded:app", "--preload", "--workers", "2", wait=2) as server:
        mold, workers = the_mold(server), server.worker_pids()
        os.kill(mold, signal.SIGSTOP)
        os.kill(workers[0], signal.SIGKILL)
        server.wait_log("Cannot start a worker: the mold does not answer, and is killed", timeout=20)
        server.wait_log("Mold ready", count=2)
        server.wait_workers(2)
        assert the_mold(server) != mold
        # The worker that was not killed answers as well.
        server.wait_for(lambda: facts(server)[0] == the_mold(server), what="an answer of the new worker")


def test_a_reload_makes_another_mold_and_one_that_fails_keeps_the_old_one(tmp_path):
    shutil.copy(f"{APPS}/molded.so", tmp_path)
    with Server("molded:app", "--preload", app_dir=tmp_path) as server:
        mold = the_mold(server)
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done: 1 new worker serves")
        wait_until(lambda: not is_alive(mold), what="the end of the old mold")
        server.wait_workers(1)
        other = the_mold(server)
        assert other != mold and facts(server)[0] == other
        shutil.copy(f"{APPS}/boot_crash.so", tmp_path / "new")
        os.replace(tmp_path / "new", tmp_path / "molded.so")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload failed: the old workers serve on")
        assert the_mold(server) == other
        (worker,) = server.worker_pids()
        os.kill(worker, signal.SIGKILL)
        server.wait_for(lambda: worker not in server.worker_pids(), what="its end")
        server.wait_workers(1)
        assert facts(server)[0] == other


def test_a_reload_whose_workers_cannot_start_goes_back_to_the_old_mold(tmp_path):
    shutil.copy(f"{APPS}/molded.so", tmp_path)
    with Server("molded:app", "--preload", app_dir=tmp_path) as server:
        mold = the_mold(server)
        shutil.copy(f"{APPS}/boot_fail.so", tmp_path / "new")
        os.replace(tmp_path / "new", tmp_path / "molded.so")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload failed: the new workers cannot start; the old ones serve on", timeout=20)
        server.wait_for(lambda: molds(server) == [mold], what="the end of the new mold")
        (worker,) = server.worker_pids()
        os.kill(worker, signal.SIGKILL)
        server.wait_for(lambda: worker not in server.worker_pids(), what="its end")
        server.wait_workers(1)
        assert facts(server)[0] == mold


def test_molds_that_die_soon_are_made_with_pauses():
    with Server("molded:app", "--preload") as server:
        for count in (2, 3):
            os.kill(the_mold(server), signal.SIGKILL)
            server.wait_log("Mold ready", count=count)
        times = re.findall(r":(\d\d) \+0000\] \[\d+\] \[(?:ERROR|INFO)\] (?:The mold|Mold ready)", server.log_text())
        assert times[-1] != times[-2]  # a second at least


def test_a_daemons_mold_has_no_terminal(tmp_path):
    log, pidfile = tmp_path / "log", tmp_path / "pid"
    done = run(
        *("molded:app", "--app-dir", APPS, "-b", f"unix:{tmp_path}/sock", "--preload"),
        *("--daemon", "--log-file", log, "--pid", pidfile),
    )
    assert done.code == 0, done.stderr
    pid = int(pidfile.read_text())
    mold = int(re.search(r"Mold ready \(pid:(\d+)\)", log.read_text())[1])
    files = harness.open_files(mold)
    assert [files[fd] for fd in (0, 1, 2)] == ["/dev/null"] * 3
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid), what="the daemon's end")
    assert not is_alive(mold)


def test_preload_can_be_turned_on_and_off_by_a_reload(tmp_path):
    settings = tmp_path / "cppcorn.toml"
    settings.write_text("preload = false\n")
    with Server("molded:app", "--config", settings) as server:
        assert molds(server) == []
        settings.write_text("preload = true\n")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done: 1 new worker serves")
        server.wait_workers(1)
        assert facts(server)[0] == the_mold(server)
        settings.write_text("preload = false\n")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done: 1 new worker serves", count=2)
        server.wait_for(lambda: molds(server) == [], what="the end of the mold")
        server.wait_workers(1)
        assert facts(server)[0] in server.worker_pids()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_to_all_processes_does_not_end_the_mold(number):
    with Server("molded:app", "--preload") as server:
        mold = the_mold(server)
        os.kill(mold, number)
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        server.wait_log("Worker ready", count=2)
        assert the_mold(server) == mold
        assert server.count_log("The app has taken SIGTERM") == 1


def test_threads_that_are_started_at_load_are_told_of_and_do_no_harm():
    with Server("molded:app", "--preload", "--workers", "2", wait=2, env={"MOLDED_THREAD": "1"}) as server:
        server.wait_log(r"\[WARNING\] The app has started 1 thread while it was loaded: with --preload they run in the mold")
        for _ in range(5):
            victim = server.worker_pids()[0]
            os.kill(victim, signal.SIGKILL)
            server.wait_for(lambda: victim not in server.worker_pids(), what="its end")
            server.wait_workers(2)
        assert facts(server)[0] == the_mold(server)


def test_more_and_fewer_workers():
    with Server("molded:app", "--preload", "--workers", "1", wait=1) as server:
        server.signal(signal.SIGTTIN)
        server.wait_workers(2)
        server.signal(signal.SIGTTOU)
        server.wait_workers(1)
        assert len(molds(server)) == 1


def test_logs_are_reopened_in_the_mold_too(tmp_path):
    log, access = tmp_path / "log", tmp_path / "access"
    args = ("--log-file", log, "--access-logfile", access)
    with Server("molded:app", "--preload", *args, log_file=log) as server:
        server.get("/")  # it reads the port from the log
        log.rename(tmp_path / "old-log")
        access.rename(tmp_path / "old-access")
        server.signal(signal.SIGUSR1)
        mold = the_mold(server)
        wanted = {str(log), str(access)}
        server.wait_for(lambda: wanted <= set(harness.open_files(mold).values()), what="the new files")
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        server.wait_log("Worker ready")
        server.get("/")
        wait_until(lambda: "GET / HTTP/1.1" in access.read_text(), what="the line")


def test_a_reload_that_changes_the_log_changes_the_molds(tmp_path):
    settings, first, second = tmp_path / "cppcorn.toml", tmp_path / "one", tmp_path / "two"
    settings.write_text(f'error_logfile = "{first}"\n')
    with Server("molded:app", "--preload", "--config", settings, log_file=first) as server:
        settings.write_text(f'error_logfile = "{second}"\n')
        server.signal(signal.SIGHUP)
        wait_until(lambda: second.exists() and "Worker ready" in second.read_text(), what="the worker's line")
        mold = the_mold(server)
        wait_until(lambda: str(second) in harness.open_files(mold).values(), what="the mold's log")


def test_an_upgrade_brings_a_mold_of_its_own():
    with Server("molded:app", "--preload") as server:
        mold = the_mold(server)
        server.signal(signal.SIGUSR2)
        new = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])
        server.wait_log("Worker ready", count=2)
        server.signal(signal.SIGTERM)
        server.wait_exit()
        assert not is_alive(mold)
        loaded_in, _, parent = facts(server)
        assert parent == new
        assert command_line(loaded_in) == "cppcorn: mold [molded:app]"
        os.kill(new, signal.SIGTERM)
        wait_until(lambda: not is_alive(new), what="the new master's end")


def test_the_mold_and_its_workers_end_with_a_master_that_is_killed():
    with Server("molded:app", "--preload", "--workers", "2", wait=2, stop_code=-signal.SIGKILL) as server:
        pids = [the_mold(server), *server.worker_pids()]
        server.signal(signal.SIGKILL)
        server.wait_exit()
        wait_until(lambda: not any(map(is_alive, pids)), timeout=3, what="their end")


def test_an_app_that_hangs_while_the_mold_loads_it():
    done = run("boot_hang:app", "--app-dir", APPS, "-b", "127.0.0.1:0", "--preload", "--boot-timeout", "0.3")
    assert done.code == 4, done
    assert "boot_hang:app: takes longer to load than --boot-timeout allows" in done.stderr


def test_a_mold_that_cannot_be_let_go_is_ended():
    with Server("molded:app", "--preload") as server:
        mold = the_mold(server)
        os.kill(mold, signal.SIGSTOP)
        began = time.monotonic()
        server.signal(signal.SIGINT)
        assert server.wait_exit() == 0
        assert not is_alive(mold)
        assert time.monotonic() - began < 8


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start servers of other users")
def test_the_mold_is_the_workers_user():
    with folder_for_others() as folder:
        shutil.copy(f"{APPS}/molded.so", folder)
        with Server("molded:app", "--preload", "--user", str(NOBODY), app_dir=folder, cwd=folder) as server:
            for pid in (the_mold(server), *server.worker_pids()):
                status = Path(f"/proc/{pid}/status").read_text()
                assert re.search(rf"^Uid:\s*{NOBODY}\s*{NOBODY}\s*{NOBODY}", status, re.MULTILINE)
            assert facts(server)[0] == the_mold(server)
