"""What the log says of a start, a reload and a stop, for whoever has to find out later what happened."""

import os
import re
import shutil
import signal
import subprocess
import time

from harness import APPS, Server, run


def build_id(path):
    found = re.search(r"Build ID: (\w+)", subprocess.run(["readelf", "-n", path], capture_output=True, text=True).stdout)
    return f"build id {found[1]}" if found else "no build id"


def test_the_start_names_the_build(tmp_path):
    app = tmp_path / "site.so"
    shutil.copy(f"{APPS}/hello.so", app)
    os.utime(app, (1_700_000_000, 1_700_000_000))
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(1_700_000_000))
    with Server("site:app", app_dir=tmp_path) as server:
        server.wait_log(rf"\[INFO\] App: {app} of {when} [+-]\d{{4}}, {build_id(app)}$")


def test_each_worker_is_told_of_when_it_is_ready():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        lines = server.wait_log(r"\[INFO\] Worker ready \(pid:(\d+)\), after \d+\.\d\d s$", count=2)
        assert sorted(int(line[1]) for line in lines) == server.worker_pids()
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        server.wait_log(r"Worker ready", count=3)


def test_a_worker_that_cannot_start_is_never_ready():
    done = run("boot_fail:app", "--app-dir", APPS, "-b", "127.0.0.1:0")
    assert "Booting worker" in done.stderr and "Worker ready" not in done.stderr


def test_the_end_of_a_reload_is_told_of(tmp_path):
    shutil.copy(f"{APPS}/hello.so", tmp_path / "site.so")
    with Server("site:app", "--workers", "3", app_dir=tmp_path, wait=3) as server:
        shutil.copy(f"{APPS}/faults.so", tmp_path / "new.so")
        os.replace(tmp_path / "new.so", tmp_path / "site.so")
        server.signal(signal.SIGHUP)
        done = rf"\[INFO\] Reload done: 3 new workers serve after \d+\.\d\d s, {build_id(tmp_path / 'site.so')}$"
        server.wait_log(done)
        ready = server.wait_log(r"Worker ready \(pid:(\d+)\)", count=6)
        assert len(ready) == 6
        os.kill(int(ready[-1][1]), signal.SIGKILL)  # one that is not about to leave
        server.wait_log("Worker ready", count=7)
        (tmp_path / "site.so").unlink()
        server.signal(signal.SIGHUP)
        server.wait_log("Reload failed")
        assert server.count_log("Reload done") == 1


def test_a_second_reload_has_its_own_end():
    with Server("hello:app") as server:
        for number in (1, 2):
            server.signal(signal.SIGHUP)
            server.wait_log("Reload done: 1 new worker serves after", count=number)


def test_a_stop_names_who_has_sent_it():
    with Server("hello:app") as server:
        server.signal(signal.SIGTERM)
        assert server.wait_exit() == 0
        name = open("/proc/self/comm").read().strip()
        sent = rf"Handling signal: term\n.*\[INFO\] SIGTERM was sent by pid {os.getpid()} \({name}\), uid {os.getuid()}$"
        assert re.search(sent, server.log_text(), re.MULTILINE)


def test_a_stop_whose_sender_has_ended_names_its_pid():
    with Server("hello:app", "--shutdown-delay", "0.1") as server:
        killer = subprocess.Popen(["kill", "-TERM", str(server.pid)])
        assert killer.wait() == 0
        server.wait_log(rf"SIGTERM was sent by pid {killer.pid}(?: \(kill\))?, uid {os.getuid()}$")
        assert server.wait_exit() == 0
