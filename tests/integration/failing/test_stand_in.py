"""While no worker can serve, a stand-in answers 503; while one is merely starting, clients wait."""

import os
import re
import shutil
import signal
import socket
import tempfile
import time
from pathlib import Path

import pytest

from harness import APPS, Disconnected, Server, command_line, free_port, is_alive, open_files, read_response, request_bytes, wait_until

NOBODY = 65534
NO_SERVICE = r"No worker serves: the last that was started exited with code 3; a stand-in \(pid:(\d+)\) answers 503"


class Mood:
    """What the app `moody` is told to do when a worker starts."""

    def __init__(self, folder):
        self.file = folder / "mood"
        self.set("good")

    def set(self, mood):
        new = self.file.with_suffix(".new")
        new.write_text(mood)
        new.chmod(0o644)
        os.replace(new, self.file)

    def server(self, *args, env=None, **options):
        return Server("moody:app", *args, env={"MOOD": str(self.file), **(env or {})}, **options)


@pytest.fixture
def mood(tmp_path):
    return Mood(tmp_path)


def stand_ins(server):
    return [each.pid for each in server.children() if command_line(each.pid).startswith("cppcorn: stand-in [")]


def kill_workers(server):
    for pid in server.worker_pids():
        os.kill(pid, signal.SIGKILL)


def lose_all(server, mood):
    """From now on no worker can start; the one that serves is killed. Returns the stand-in's pid."""
    mood.set("fail")
    kill_workers(server)
    return int(server.wait_log(NO_SERVICE)[-1][1])


def test_it_has_the_listener_and_no_queue_of_the_workers_connections(mood):
    with mood.server(wait=1) as server:
        stand_in = lose_all(server, mood)

        def sockets():
            return sum(target.startswith("socket:") for target in open_files(stand_in).values())

        server.wait_for(lambda: sockets() == 1, what="an end of what it has from the master")
        assert server.get("/").status == 503
        server.wait_for(lambda: sockets() == 1, what="the end of the connection")


def test_while_no_worker_can_serve_clients_get_503(mood):
    with mood.server("--workers", "2", "--access-logfile", "-", wait=2) as server:
        lose_all(server, mood)
        for method in ("GET", "POST", "HEAD"):
            body = b"x" * 1000 if method == "POST" else None
            response = server.get("/", method=method, body=body)
            assert response.status == 503
            assert response.headers["retry-after"] == "5"
            assert response.headers["connection"] == "close"
            page = r"503 Service Unavailable\nRequest id: [0-9a-f]{32}\n"
            assert re.fullmatch(page if method != "HEAD" else "", response.text)
            assert response.headers["content-length"] == "69"
        server.wait_for(lambda: server.stdout_text().count(" 503 ") == 3, what="the access log's lines")
        mood.set("good")
        server.wait_workers(2)
        assert server.get("/").status == 200
        server.wait_for(lambda: not stand_ins(server), what="the end of the stand-in")
        assert all(server.get("/").status == 200 for _ in range(20))


def test_many_are_answered_at_once_and_slow_ones_hold_nobody_up(mood):
    with mood.server() as server:
        lose_all(server, mood)
        slow = [server.connect() for _ in range(50)]
        for sock in slow:
            sock.sendall(b"GET / HTTP/1.1\r\n")
        quick = [server.send("/") for _ in range(100)]
        assert {read_response(sock).status for sock in quick} == {503}
        for sock in slow:
            sock.sendall(b"Host: x\r\n\r\n")
        assert {read_response(sock).status for sock in slow} == {503}


def test_a_worker_that_is_still_starting_is_waited_for(mood):
    with mood.server() as server:
        mood.set("wait")
        kill_workers(server)
        sock = server.send("/")
        server.wait_for(lambda: server.count_log("Booting worker") == 2, what="the replacement")
        assert stand_ins(server) == []
        mood.set("good")
        assert read_response(sock).status == 200
        assert server.count_log("No worker serves") == 0


def test_a_start_that_hangs_is_a_failed_one_once_its_time_is_over(mood):
    with mood.server("--boot-timeout", "0.5") as server:
        mood.set("hang")
        kill_workers(server)
        assert server.send("/") and server.wait_log(r"No worker serves: the last that was started was sent SIGABRT")
        assert server.get("/").status == 503
        mood.set("good")
        server.wait_for(lambda: server.get("/").status == 200, what="a worker")


def test_while_others_serve_a_failing_start_needs_no_stand_in(mood):
    with mood.server("--workers", "2", wait=2) as server:
        mood.set("fail")
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        server.wait_log("exited with code 3", count=3)
        assert stand_ins(server) == []
        assert {server.get("/").status for _ in range(20)} == {200}
        assert server.count_log("No worker serves") == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_the_stand_in_at_once(mood, number):
    with mood.server("--graceful-timeout", "60") as server:
        pid = lose_all(server, mood)
        open_one = server.connect()
        open_one.sendall(b"GET / HTT")
        wait_until(lambda: server.get("/").status == 503)
        server.signal(number)
        assert server.wait_exit() == 0
        assert not is_alive(pid)
        assert server.count_log("Killing") == 0


def test_a_reload_with_a_good_build_ends_it(tmp_path, mood):
    (tmp_path / "site").mkdir()
    shutil.copy(f"{APPS}/moody.so", tmp_path / "site/site.so")
    with Server("site:app", app_dir=tmp_path / "site", env={"MOOD": str(mood.file)}) as server:
        lose_all(server, mood)
        shutil.copy(f"{APPS}/hello.so", tmp_path / "new.so")
        os.replace(tmp_path / "new.so", tmp_path / "site/site.so")
        server.signal(signal.SIGHUP)
        server.wait_for(lambda: server.get("/").status == 200, what="the new build")
        server.wait_for(lambda: not stand_ins(server), what="the end of the stand-in")


def test_a_reload_to_another_address_takes_the_stand_in_along(tmp_path, mood):
    config = tmp_path / "site.toml"
    old, new = free_port(), free_port()
    config.write_text(f'bind = ["127.0.0.1:{old}"]\n')
    with mood.server("-c", config, bind=None) as server:
        lose_all(server, mood)
        assert server.get("/", port=old).status == 503
        config.write_text(f'bind = ["127.0.0.1:{new}"]\n')
        mood.set("wait")
        server.signal(signal.SIGHUP)
        server.wait_log(f"Listening at: http://127.0.0.1:{new} ")
        server.wait_for(lambda: server.get("/", port=new).status == 503, what="the stand-in at the new address")
        mood.set("good")
        server.wait_for(lambda: server.get("/", port=new).status == 200, what="a worker")


def test_a_stand_in_that_dies_is_replaced(mood):
    with mood.server() as server:
        pid = lose_all(server, mood)
        os.kill(pid, signal.SIGKILL)
        server.wait_log("The stand-in was sent SIGKILL")
        server.wait_for(lambda: stand_ins(server) and server.get("/").status == 503, what="another one")


def test_a_stand_in_ends_with_its_master(mood):
    with mood.server(stop_code=-signal.SIGKILL) as server:
        pid = lose_all(server, mood)
        server.signal(signal.SIGKILL)
        server.wait_for(lambda: not is_alive(pid), what="the end of the stand-in")
        server.wait_exit()


def test_a_first_start_that_fails_keeps_its_exit_code(mood):
    mood.set("fail")
    with mood.server(wait=False, stop_code=3) as server:
        port = server.port
        server.wait_log(NO_SERVICE)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            sock.sendall(request_bytes("/"))
            try:
                assert read_response(sock).status == 503
            except (Disconnected, ConnectionResetError):
                pass  # the start was given up meanwhile
        assert server.wait_exit() == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start servers of other users")
def test_a_stand_in_is_the_workers_user():
    with tempfile.TemporaryDirectory(prefix="cppcorn-stand-in-") as folder:
        os.chmod(folder, 0o755)
        shutil.copy(f"{APPS}/moody.so", folder)
        mood = Mood(Path(folder))
        with mood.server("--user", "nobody", app_dir=folder, cwd=folder) as server:
            pid = lose_all(server, mood)
            # The master tells of it when it is there, and it becomes that user before anything else.
            ids = f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}"
            server.wait_for(lambda: ids in Path(f"/proc/{pid}/status").read_text())
            assert server.get("/").status == 503


def test_a_new_master_that_cannot_serve_sends_nobody_away(mood):
    """The old one serves on the same sockets."""
    with mood.server() as server:
        mood.set("fail")
        server.signal(signal.SIGUSR2)
        new = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])
        server.wait_log("exited with code 3", count=2)
        assert {server.get("/").status for _ in range(50)} == {200}
        server.wait_log(r"The new master \(pid:\d+\) exited with code 3; this one serves on")
        assert not is_alive(new)
        assert server.count_log("No worker serves") == 0


def test_the_watchdog_is_not_told_that_all_is_well(mood, tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(20)

        def read():
            return manager.recv(65536).decode()

        with mood.server(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"}) as server:
            while "WATCHDOG=1" not in read():
                pass
            lose_all(server, mood)
            while "starts fail" not in read():
                pass
            manager.setblocking(False)
            said = []
            deadline = time.monotonic() + 1  # ten pings' time
            while time.monotonic() < deadline:
                try:
                    said.append(manager.recv(65536).decode())
                except BlockingIOError:
                    time.sleep(0.01)
            assert "WATCHDOG=1\n" not in said[1:]  # one may have been on its way
            manager.settimeout(20)
            mood.set("good")
            while "WATCHDOG=1" not in read():
                pass
            assert server.get("/").status == 200
