"""What the signals to the master do to clients: nothing that they could notice, wherever that is possible."""

import os
import re
import shutil
import signal
import socket
import time

import pytest

from harness import (
    APPS,
    Server,
    free_port,
    holds_open,
    is_alive,
    is_refused,
    is_sleeping,
    open_files,
    process,
    read_end,
    read_response,
    request_bytes,
    wait_until,
)
from load import Load


def send_request(server, path, headers=None):
    sock = server.connect()
    sock.sendall(request_bytes(path, headers))
    return sock


def wait_busy(server, count=1):
    """Until so many workers are in the app's sleep."""

    def busy():
        return sum(map(is_sleeping, server.worker_pids())) >= count

    server.wait_for(busy, what=f"{count} busy workers")


# ---- TERM


def test_term_answers_what_is_in_flight_and_what_waits():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        socks = [send_request(server, "/sleep?ms=300") for _ in range(2)]
        wait_busy(server, 2)
        socks += [send_request(server, "/sleep?ms=20") for _ in range(20)]
        server.signal(signal.SIGTERM)
        server.wait_log("Handling signal: term")
        for sock in socks:
            response = read_response(sock)
            assert response.status == 200
            assert response.headers["connection"] == "close"
            assert read_end(sock) == b""
            sock.close()
        assert server.wait_exit() == 0
        assert server.count_log(r"\[(ERROR|CRITICAL|WARNING)\]") == 0


def test_term_lets_a_half_sent_request_be_completed():
    with Server("faults:app") as server:
        sock = server.connect()
        whole = request_bytes("/")
        sock.sendall(request_bytes("/pid") + whole[:10])
        assert read_response(sock).status == 200
        server.signal(signal.SIGTERM)
        server.wait_for(lambda: is_refused(server.port), what="the worker's turn, behind the log's line")
        sock.sendall(whole[10:])
        response = read_response(sock)
        assert (response.status, response.headers["connection"]) == (200, "close")
        sock.close()
        assert server.wait_exit() == 0


def test_term_closes_idle_connections_within_a_second():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        socks = [send_request(server, "/") for _ in range(10)]
        for sock in socks:
            assert read_response(sock).status == 200
        started = time.monotonic()
        server.signal(signal.SIGTERM)
        for sock in socks:
            assert read_end(sock) == b""
        assert server.wait_exit() == 0
        assert time.monotonic() - started < server.within(2.0)


def test_a_client_that_asks_again_and_again_loses_no_request_to_the_stop():
    with Server("faults:app") as server:
        sock = send_request(server, "/")
        assert read_response(sock).status == 200
        server.signal(signal.SIGTERM)
        closed = False
        while not closed:
            sock.sendall(request_bytes("/"))
            response = read_response(sock)
            assert response.status == 200
            closed = response.headers.get("connection") == "close"
        assert server.wait_exit() == 0


def test_term_with_silent_connections_does_not_take_long():
    with Server("faults:app") as server:
        before = _socket_count(server)
        silent = [server.connect() for _ in range(5)]
        server.wait_for(lambda: _socket_count(server) == before + 5, what="the silent connections accepted")
        started = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait_exit() == 0
        assert time.monotonic() - started < server.within(3.0)
        assert [read_end(sock) for sock in silent] == [b""] * 5


def _socket_count(server):
    workers = server.wait_workers(1)
    return sum(file.startswith("socket:") for pid in workers for file in open_files(pid).values())


def test_connections_are_refused_after_the_stop():
    with Server("faults:app") as server:
        port = server.port
        server.stop()
        with pytest.raises(ConnectionRefusedError):
            server.connect(port=port)


def test_the_graceful_timeout_ends_a_long_request():
    with Server("faults:app", "--graceful-timeout", "0.5") as server:
        sock = send_request(server, "/sleep?ms=30000")
        wait_busy(server)
        started = time.monotonic()
        server.signal(signal.SIGTERM)
        assert read_response(sock).status == 500
        assert server.wait_exit() == 0
        assert 0.4 < time.monotonic() - started < server.within(1.5)
        server.wait_log("was sent SIGKILL while serving GET /sleep")
        assert "out of memory" not in server.log_text()


def test_a_second_term_changes_nothing():
    with Server("faults:app") as server:
        sock = send_request(server, "/sleep?ms=500")
        wait_busy(server)
        for _ in range(3):
            server.signal(signal.SIGTERM)
        server.wait_log("Handling signal: term")
        server.signal(signal.SIGTERM)
        assert read_response(sock).status == 200
        sock.close()
        assert server.wait_exit() == 0


def test_term_to_the_whole_group_is_as_graceful():
    """As Heroku and a terminal do it: master and workers get the signal at the same time."""
    with Server("faults:app", "--workers", "2", wait=2) as server:
        socks = [send_request(server, "/sleep?ms=300") for _ in range(2)]
        wait_busy(server, 2)
        socks += [send_request(server, "/") for _ in range(10)]
        os.killpg(server.pid, signal.SIGTERM)
        for sock in socks:
            assert read_response(sock).status == 200
            sock.close()
        assert server.wait_exit() == 0
        assert server.count_log("Booting worker") == 2


# ---- INT and QUIT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_a_quick_stop_does_not_wait_for_a_long_request(number):
    with Server("faults:app", "--workers", "2", wait=2) as server:
        sock = send_request(server, "/sleep?ms=30000")
        wait_busy(server)
        idle = server.connect()
        started = time.monotonic()
        server.signal(number)
        assert server.wait_exit() == 0
        assert time.monotonic() - started < server.within(1.5)
        assert read_response(sock).status == 500
        idle.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_int_hurries_a_graceful_stop(number):
    with Server("faults:app") as server:
        send_request(server, "/sleep?ms=30000")
        wait_busy(server)
        server.signal(signal.SIGTERM)
        server.wait_log("Handling signal: term")
        started = time.monotonic()
        server.signal(number)
        assert server.wait_exit() == 0
        assert time.monotonic() - started < server.within(1.5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_of_the_whole_group_is_no_error(number):
    """Ctrl-C, say. A worker may be gone before the master has told it to go."""
    with Server("faults:app", "--workers", "2", wait=2) as server:
        started = time.monotonic()
        os.killpg(server.pid, number)
        assert server.wait_exit() == 0
        assert time.monotonic() - started < server.within(1.0)
        assert server.count_log("Booting worker") == 2
        assert server.count_log(r"\[ERROR\]") == 0


# ---- HUP


class Site:
    """A folder with a settings file and a copy of an app that can be replaced."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "site.toml"
        self.deploy("hello")
        self.settings()

    def deploy(self, app):
        """As a deployment should: a new file that takes the place of the old one."""
        shutil.copy(f"{APPS}/{app}.so", self.folder / "new.so")
        os.replace(self.folder / "new.so", self.folder / "site.so")

    def settings(self, **values):
        values.setdefault("workers", 2)
        self.file.write_text("".join(f"{key} = {value!r}\n" for key, value in values.items()))

    def server(self, *args, **options):
        options.setdefault("wait", 2)
        return Server("site:app", "-c", self.file, *args, cwd=self.folder, app_dir=self.folder, **options)


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def reload(server, count=1):
    server.signal(signal.SIGHUP)
    server.wait_log("Reloading: new workers start", count=count)


@pytest.mark.parametrize("keep_alive", [False, True])
def test_hup_brings_the_new_app_without_a_failed_request(site, keep_alive):
    with site.server() as server:
        old = server.wait_workers(2)
        with Load(server, keep_alive=keep_alive) as load:
            load.wait_more()
            site.deploy("faults")
            reload(server)
            server.wait_for(lambda: not any(map(is_alive, old)), what="the end of the old workers")
            server.wait_workers(2)
            load.wait_more()
        load.assert_flawless()
        assert set(load.bodies) == {b"Hello, world!\n", b"ok\n"}
        assert server.get("/").body == b"ok\n"
        assert server.count_log(r"\[(ERROR|CRITICAL)\]") == 0


def test_hup_starts_the_new_before_the_old_leave(site):
    site.deploy("faults")
    with site.server() as server:
        old = server.wait_workers(2)
        reload(server)
        server.wait_for(lambda: not any(map(is_alive, old)), what="the end of the old workers")
        order = re.findall(r"worker_start|Worker exiting", server.log_text())
        assert order[:3] == ["worker_start"] * 3
        assert order.count("worker_start") == 4


def test_hup_rereads_the_settings(site):
    site.deploy("faults")
    with site.server() as server:
        server.wait_workers(2)
        site.settings(workers=3, env=["FLAVOUR=new"])
        reload(server)
        server.wait_workers(3)
        wait_until(lambda: server.get("/env?name=FLAVOUR").body == b"new\n", what="the new variable")


def test_several_reloads_in_a_row(site):
    with site.server() as server, Load(server) as load:
        for i in range(4):
            site.deploy("faults" if i % 2 == 0 else "hello")
            reload(server, count=i + 1)
            load.wait_more(5)
        server.wait_workers(2)
        load.wait_more()
        load.assert_flawless()


def test_a_storm_of_hups_settles(site):
    with site.server() as server, Load(server) as load:
        for _ in range(20):
            server.signal(signal.SIGHUP)
            load.wait_more(1)
        server.wait_log("Reloading: new workers start")
        server.wait_workers(2)
        load.wait_more()
        load.assert_flawless()


@pytest.mark.parametrize(
    "text, said",
    [("workers = 'lots'\n", "workers"), ("wrokers = 2\n", "wrokers"), ("workers = [\n", "line 1")],
)
def test_hup_with_broken_settings_keeps_the_old_workers(site, text, said):
    with site.server() as server:
        old = server.wait_workers(2)
        site.file.write_text(text)
        server.signal(signal.SIGHUP)
        server.wait_log(rf"\[ERROR\] .*site\.toml.*{said}")
        server.wait_log(r"\[ERROR\] Reload failed: the old workers serve on")
        assert server.worker_pids() == old
        assert server.get("/").status == 200
        site.settings(workers=3)  # and the next one is as good as ever
        reload(server)
        server.wait_workers(3)


@pytest.mark.parametrize(
    "app, said", [("boot_crash", r"crashed while loading \(SIGSEGV\)"), ("not_an_app", "not a cppcorn app")]
)
def test_hup_with_an_app_that_cannot_be_loaded_keeps_the_old_workers(site, app, said):
    with site.server() as server:
        old = server.wait_workers(2)
        with Load(server) as load:
            site.deploy(app)
            server.signal(signal.SIGHUP)
            server.wait_log(rf"\[ERROR\] .*({said})")
            server.wait_log("Reload failed")
            load.wait_more()
        load.assert_flawless()
        assert server.worker_pids() == old


def test_hup_with_an_app_that_cannot_start_keeps_the_old_workers(site):
    """It loads, so the probe is content; only then do the workers fail."""
    with site.server() as server:
        old = server.wait_workers(2)
        with Load(server) as load:
            site.deploy("boot_fail")
            server.signal(signal.SIGHUP)
            server.wait_log("Reload failed: the new workers cannot start")
            load.wait_more()
            server.wait_for(lambda: server.worker_pids() == old, what="the end of the new ones that are left")
            site.deploy("faults")
            reload(server, count=2)
            server.wait_for(lambda: not any(map(is_alive, old)), what="the end of the old workers")
            server.wait_workers(2)
            load.wait_more()
        load.assert_flawless()
        assert server.get("/").body == b"ok\n"


def test_a_crash_after_a_failed_reload_brings_the_old_settings_back(site):
    site.deploy("faults")
    with site.server() as server:
        old = server.wait_workers(2)
        site.file.write_text("workers = 0\n")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload failed")
        os.kill(old[0], signal.SIGKILL)
        server.wait_for(lambda: old[0] not in server.worker_pids(), what="its end")
        server.wait_workers(2)
        assert server.get("/").status == 200


def test_hup_sends_the_logs_elsewhere(site):
    site.deploy("faults")
    before, after = site.folder / "before.log", site.folder / "after.log"
    access = site.folder / "access.log"
    site.settings(log_file=str(before))
    with site.server(log_file=before) as server:
        old = server.wait_workers(2)
        site.settings(log_file=str(after), access_logfile=str(access))
        server.signal(signal.SIGHUP)
        server.wait_for(lambda: not any(map(is_alive, old)), what="the end of the old workers")
        server.wait_workers(2)
        assert server.get("/throw").status == 500
        wait_until(lambda: after.exists() and "thrown" in after.read_text(), what="the line in the new error log")
        wait_until(lambda: access.exists() and "GET /throw" in access.read_text(), what="the new access log")
        assert "thrown" not in before.read_text()
        assert not holds_open(server.pid, before)


def test_hup_moves_to_another_port(site):
    first, second = free_port(), free_port()
    site.settings(bind=f"127.0.0.1:{first}")
    with site.server(bind=None) as server:
        assert server.get("/", port=first).status == 200
        old = server.wait_workers(2)
        site.settings(bind=f"127.0.0.1:{second}")
        reload(server)
        server.wait_for(lambda: not any(map(is_alive, old)), what="the end of the old workers")
        assert server.get("/", port=second).status == 200

        def refused():
            try:
                server.connect(port=first).close()
            except ConnectionRefusedError:
                return True
            return False

        server.wait_for(refused, timeout=3, what="the end of the old port")
        assert server.wait_log(rf"Listening at: http://127\.0\.0\.1:{second} \({server.pid}\)")


def test_new_workers_do_not_inherit_the_old_listeners(site):
    site.settings(bind="127.0.0.1:0", workers=1)
    with site.server(bind=None, wait=1) as server:
        old = server.wait_workers(1)
        before = len(open_files(old[0]))
        site.settings(bind=f"127.0.0.1:{free_port()}", workers=1)
        reload(server)
        server.wait_for(lambda: not is_alive(old[0]), what="the end of the old worker")
        assert len(open_files(server.wait_workers(1)[0])) == before


def test_hup_to_a_port_that_is_taken_keeps_the_old_one(site):
    first = free_port()
    site.settings(bind=f"127.0.0.1:{first}")
    with socket.create_server(("127.0.0.1", 0)) as other, site.server(bind=None) as server:
        old = server.wait_workers(2)
        site.settings(bind=f"127.0.0.1:{other.getsockname()[1]}", bind_retry=0.2)
        server.signal(signal.SIGHUP)
        server.wait_log("Reload failed")
        assert server.get("/", port=first).status == 200
        assert server.worker_pids() == old


def test_hup_with_the_same_address_twice():
    """What listens on two ports goes on listening on both."""
    with Server("hello:app", "--bind", "127.0.0.1:0") as server:
        ports = server.wait_for(lambda: len(server.ports()) == 2 and server.ports(), what="two addresses")
        old = server.wait_workers(1)
        reload(server)
        server.wait_for(lambda: not is_alive(old[0]), timeout=3, what="the end of the old worker")
        for port in ports:
            assert server.get("/", port=port, timeout=3).status == 200


def test_term_during_a_reload_ends_all(site):
    with site.server("--boot-timeout", "20") as server:
        server.wait_workers(2)
        site.deploy("boot_hang")
        server.signal(signal.SIGHUP)
        server.wait_log("Handling signal: hup")
        server.wait_for(lambda: len(server.children()) == 3, what="the probe")
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < server.within(2.0)


def test_an_old_worker_finishes_its_request_during_a_reload(site):
    site.deploy("faults")
    with site.server() as server:
        sock = send_request(server, "/sleep?ms=1000")
        wait_busy(server)
        reload(server)
        response = read_response(sock)
        assert response.status == 200
        assert "connection" not in response.headers
        server.wait_workers(2)
        sock.sendall(request_bytes("/"))
        assert read_response(sock).status == 200
        sock.close()


# ---- USR1


def test_usr1_opens_the_logs_anew(tmp_path):
    error, access = tmp_path / "error.log", tmp_path / "access.log"
    args = ("--log-file", error, "--access-logfile", access, "--workers", "2")
    with Server("faults:app", *args, log_file=error, wait=2) as server:
        server.wait_workers(2)
        assert server.get("/?before").status == 200
        wait_until(lambda: access.exists() and "/?before" in access.read_text(), what="the line in the access log")
        server.rotate(error, access)
        assert server.get("/?after").status == 200
        wait_until(lambda: "/?after" in access.read_text(), what="the line in the new access log")
        assert read_response(send_request(server, "/segv")).status == 500
        server.wait_for(lambda: "was sent SIGSEGV" in error.read_text(), what="the line in the new error log")
        wait_until(lambda: "Stack of pid" in error.read_text(), timeout=3, what="the stack in the new error log")
        assert "/?after" not in (tmp_path / "access.log.1").read_text()
        assert "SIGSEGV" not in (tmp_path / "error.log.1").read_text()
        server.wait_workers(2)


def test_after_usr1_a_crash_does_not_write_to_a_client(tmp_path):
    """The old log's descriptor is some connection's by then."""
    error = tmp_path / "error.log"
    with Server("faults:app", "--log-file", error, log_file=error) as server:
        port = server.port
        server.rotate(error)
        socks = [server.connect(port=port) for _ in range(8)]
        for sock in socks:
            sock.sendall(request_bytes("/"))
            assert read_response(sock).status == 200
        socks[0].sendall(request_bytes("/segv"))
        assert read_response(socks[0]).status == 500
        assert read_end(socks[0]) == b""
        server.wait_log("Stack of pid", timeout=3)
        for sock in socks[1:]:
            sock.sendall(request_bytes("/"))
            assert read_response(sock).status == 200


def test_usr1_goes_on_with_the_old_log_if_the_new_one_cannot_be_opened(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    error = folder / "error.log"
    with Server("hello:app", "--log-file", error, log_file=tmp_path / "moved" / "error.log", wait=False) as server:
        wait_until(lambda: error.exists() and "Booting worker" in error.read_text(), what="a worker")
        folder.rename(tmp_path / "moved")
        server.wait_workers(1)
        server.signal(signal.SIGUSR1)
        server.wait_log(r"\[ERROR\] cannot open log file .*going on with the old one", count=2)
        assert server.get("/").status == 200


# ---- The others


def test_signals_that_arrive_together_all_count():
    with Server("faults:app", "--workers", "1") as server:
        os.kill(server.pid, signal.SIGSTOP)
        wait_until(lambda: process(server.pid).state == "T", what="the stop")
        for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGTERM):
            server.signal(number)
        server.signal(signal.SIGCONT)
        assert server.wait_exit() == 0
        for name in ("usr1", "hup", "term"):
            assert server.count_log(f"Handling signal: {name}") == 1
