"""What systemd gives to the server, and is told by it. No systemd is needed: it is environment, sockets, datagrams."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from harness import BINARY, ROOT, SLOWNESS, Server, is_alive, wait_until

# Descriptors from 3 on, and their number in the environment, as systemd does it.
ACTIVATE = """
import os, sys
fds, pid, command = eval(sys.argv[1]), sys.argv[2], sys.argv[3:]
copies = [os.dup(fd) for fd in fds]
copies = [os.dup(fd) if fd < 20 else fd for fd in copies]
for number, fd in enumerate(copies):
    os.dup2(fd, 3 + number)
os.environ.update(LISTEN_FDS=str(len(fds)), LISTEN_PID=pid or str(os.getpid()), LISTEN_FDNAMES="one:two")
os.execv(command[0], command)
"""


def activated(sockets, pid=""):
    """Options for a Server that is given these sockets."""
    fds = [each.fileno() for each in sockets]
    for fd in fds:
        os.set_inheritable(fd, True)
    return {"wrapper": [sys.executable, "-c", ACTIVATE, fds, pid], "pass_fds": fds}


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0), backlog=128) as sock:
        yield sock


def port_of(sock):
    return sock.getsockname()[1]


# ---- Socket activation


def test_sockets_of_the_service_manager_take_the_place_of_bind(listener):
    with socket.create_server(("127.0.0.1", 0)) as second:
        with Server("faults:app", **activated([listener, second])) as server:
            assert sorted(server.ports()) == sorted([port_of(listener), port_of(second)])
            for each in (listener, second):
                assert server.get("/", port=port_of(each)).status == 200
            for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"):
                assert server.get(f"/env?name={name}").status == 404


def test_sockets_that_are_meant_for_another_process_are_none_of_ours(listener):
    with Server("faults:app", **activated([listener], pid="1")) as server:
        assert server.port != port_of(listener)
        assert server.get("/").status == 200


def test_sockets_of_the_service_manager_survive_reloads_and_upgrades(listener):
    with Server("hello:app", bind="127.0.0.1:1", **activated([listener])) as server:
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done")  # until then an upgrade is refused
        assert server.get("/").status == 200
        server.signal(signal.SIGUSR2)
        new = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])
        server.wait_log(rf"Listening at: http://127.0.0.1:{port_of(listener)} \({new}\)")
        server.wait_log("Booting worker", count=3)
        server.signal(signal.SIGTERM)
        assert server.wait_exit() == 0
        os.kill(new, signal.SIGHUP)
        server.wait_log("Reloading: new workers start", count=2)
        assert server.get("/", port=port_of(listener)).status == 200
        os.kill(new, signal.SIGTERM)
        wait_until(lambda: not is_alive(new), what="the new master's end")


# ---- Notification


class Manager:
    """The receiving end of NOTIFY_SOCKET."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(10 * SLOWNESS)
        self.fields = []

    def wait_for(self, wanted, what=None):
        """Reads on until a field matches; returns all the fields before and with it, since the last call."""
        while True:
            for number, field in enumerate(self.fields):
                if re.fullmatch(wanted, field):
                    seen, self.fields = self.fields[: number + 1], self.fields[number + 1 :]
                    return seen
            self.fields += self.socket.recv(4096).decode().splitlines()


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    name = f"cppcorn-test-{os.getpid()}"
    made = Manager(str(tmp_path / "notify") if request.param == "path" else "\0" + name)
    made.address = str(tmp_path / "notify") if request.param == "path" else "@" + name
    yield made
    made.socket.close()


def test_ready_reloading_and_stopping_are_told(manager):
    with Server("faults:app", "--workers", "2", env={"NOTIFY_SOCKET": manager.address}, wait=2) as server:
        manager.wait_for("READY=1")
        manager.wait_for("STATUS=2 of 2 workers serve")
        assert server.get("/env?name=NOTIFY_SOCKET").status == 404
        server.signal(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        manager.wait_for(r"MONOTONIC_USEC=\d+")
        manager.wait_for("READY=1")
        server.wait_workers(2)
        server.signal(signal.SIGTERM)
        manager.wait_for("STOPPING=1")
        assert server.wait_exit() == 0


def test_a_reload_that_fails_ends_too(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    settings = tmp_path / "cppcorn.toml"
    settings.write_text("workers = 1\n")
    with Server("hello:app", "-c", settings, env={"NOTIFY_SOCKET": str(tmp_path / "notify")}) as server:
        manager.wait_for("READY=1")
        settings.write_text("workers = none\n")
        server.signal(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        manager.wait_for("READY=1")
        assert server.get("/").status == 200
    manager.socket.close()


def test_ready_is_not_told_before_a_worker_serves(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    env = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    with Server("boot_fail:app", env=env, wait=False, stop_code=3) as server:
        assert server.wait_exit() == 3
    assert "READY=1" not in manager.wait_for("STOPPING=1")
    manager.socket.close()


def test_the_watchdog_is_pinged_twice_in_its_time(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    with Server("faults:app", env=env) as server:
        for _ in range(5):
            manager.wait_for("WATCHDOG=1")
        assert server.get("/env?name=WATCHDOG_USEC").status == 404
    manager.socket.close()


def test_a_new_master_becomes_the_main_process(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    with Server("hello:app", env=env) as server:
        manager.wait_for("READY=1")
        server.signal(signal.SIGUSR2)
        new = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])
        server.wait_log("Booting worker", count=2)
        server.signal(signal.SIGTERM)
        # Told that the service is stopping, systemd would end all of it.
        assert "STOPPING=1" not in manager.wait_for(f"MAINPID={new}")
        assert server.wait_exit() == 0
        manager.wait_for("READY=1")
        manager.wait_for("WATCHDOG=1")
        os.kill(new, signal.SIGTERM)
        manager.wait_for("STOPPING=1")
        wait_until(lambda: not is_alive(new), what="the new master's end")
    manager.socket.close()


def test_a_manager_that_cannot_be_reached_is_done_without(tmp_path):
    with Server("hello:app", env={"NOTIFY_SOCKET": str(tmp_path / "nobody")}) as server:
        server.wait_log(r"\[WARNING\] Cannot reach the service manager at .*/nobody")
        assert server.get("/").status == 200


def test_the_units_are_sound(tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    units = []
    for name in ("cppcorn.service", "cppcorn.socket", "cppcorn@.service", "cppcorn@.socket"):
        text = (ROOT / "deploy/systemd" / name).read_text().replace("/usr/bin/cppcorn", BINARY)
        units.append(tmp_path / name.replace("@", "@shop"))
        units[-1].write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--man=no", *units],
        capture_output=True,
        text=True,
    )
    ours = [line for line in done.stderr.splitlines() if "cppcorn" in line]
    assert done.returncode == 0 and not ours, done.stderr
