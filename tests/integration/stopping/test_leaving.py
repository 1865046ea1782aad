"""What clients see of workers that leave, and of a master that dies."""

import os
import re
import signal
import socket
import threading
import time

import pytest

from harness import (
    CpuTime,
    Disconnected,
    Server,
    free_port,
    is_alive,
    is_refused,
    is_sleeping,
    open_files,
    read_response,
    wait_until,
)

GET = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_worker_leaves_as_soon_as_its_last_answer_is_out():
    """Also where the last connection came from the backlog and was closed at once."""
    with Server("faults:app", "--workers", "1", "--graceful-timeout", "20") as server:
        running, waiting = server.connect(), server.connect()
        running.sendall(b"GET /sleep?ms=600 HTTP/1.0\r\n\r\n")
        waiting.sendall(b"GET /pid HTTP/1.0\r\n\r\n")
        time.sleep(0.1)  # so that the app is busy; nothing outside tells
        server.signal(signal.SIGTERM)
        assert read_response(running)[0] == 200
        assert read_response(waiting)[0] == 200
        began = time.monotonic()
        assert server.wait_exit() == 0
        assert time.monotonic() - began < server.within(5)


def test_a_request_on_an_idle_connection_that_crosses_the_stop_is_answered():
    with Server("faults:app", "--workers", "1") as server:
        idle, running = server.connect(), server.connect()
        idle.sendall(GET % b"/pid")
        assert read_response(idle)[0] == 200
        running.sendall(GET % b"/sleep?ms=600")
        time.sleep(0.1)  # so that the app is busy; nothing outside tells
        server.signal(signal.SIGTERM)
        idle.sendall(GET % b"/pid")
        assert read_response(running)[0] == 200
        status, headers, _ = read_response(idle)
        assert (status, headers["connection"]) == (200, "close")
        assert server.wait_exit() == 0


def has_unread_signal(pid):
    """Whether a process has been sent a signal and has not got round to it: its handler has counted it on an eventfd."""
    eventfds = [number for number, target in open_files(pid).items() if "[eventfd]" in target]
    infos = [open(f"/proc/{pid}/fdinfo/{number}").read() for number in eventfds]
    return any(int(re.search(r"eventfd-count:\s*([0-9a-f]+)", info)[1], 16) > 0 for info in infos)


def test_a_request_that_crosses_the_stop_on_a_connection_that_was_idle_for_long_is_answered():
    """Such a connection has no second to wait in: the worker looks once more before it closes it."""
    with Server("faults:app", "--workers", "1") as server:
        (worker,) = server.worker_pids()
        idle, running = server.connect(), server.connect()
        idle.sendall(GET % b"/pid")
        assert read_response(idle)[0] == 200
        running.sendall(GET % b"/sleep?ms=2000")
        wait_until(lambda: is_sleeping(worker), what="the request")
        server.signal(signal.SIGTERM)
        # The signal comes first, so that the worker begins to leave before it gets to the connections.
        wait_until(lambda: has_unread_signal(worker), what="the signal in the worker")
        idle.sendall(GET % b"/pid")
        assert read_response(running)[0] == 200
        status, headers, _ = read_response(idle)
        assert (status, headers["connection"]) == (200, "close")
        assert server.wait_exit() == 0


def test_old_workers_leave_under_steady_load():
    """A reload under load: no request fails and no old worker is killed at the end of its grace."""
    with Server("faults:app", "--workers", "2", "--graceful-timeout", "6") as server:
        old = set(server.worker_pids())
        failures, done = [], threading.Event()

        def client():
            while not done.is_set():
                try:
                    if server.get("/sleep?ms=20", headers={"Connection": "close"}).status != 200:
                        failures.append("status")
                except (OSError, Disconnected) as error:
                    failures.append(repr(error))

        clients = [threading.Thread(target=client) for _ in range(8)]
        for thread in clients:
            thread.start()
        server.signal(signal.SIGHUP)
        wait_until(lambda: not old & set(server.worker_pids()), 5)
        done.set()
        for thread in clients:
            thread.join()
        assert failures == []
        assert "Killing worker" not in server.log_text()


@pytest.mark.parametrize("path", [b"/spin", b"/deaf"])
def test_a_stuck_worker_does_not_outlive_a_killed_master(path):
    with Server("faults:app", "--workers", "2", "--timeout", "0", stop_code=-signal.SIGKILL) as server:
        workers = server.worker_pids()
        with server.connect() as sock:
            sock.sendall(GET % path)
            time.sleep(0.1)  # so that the app is busy; nothing outside tells
            os.kill(server.pid, signal.SIGKILL)
            wait_until(lambda: not any(is_alive(pid) for pid in workers), 3)
        assert server.wait_exit() == -signal.SIGKILL


def test_a_reload_lets_go_of_the_address_before(tmp_path):
    settings = tmp_path / "cppcorn.toml"

    first, second = free_port(), free_port()
    settings.write_text(f'bind = "127.0.0.1:{first}"\n')
    with Server("hello:app", "--workers", "2", cwd=tmp_path, bind=None) as server:
        for port in (second, first, second):
            settings.write_text(f'bind = "127.0.0.1:{port}"\n')
            old = set(server.worker_pids())
            server.signal(signal.SIGHUP)
            wait_until(lambda: not old & set(server.worker_pids()) and len(server.worker_pids()) == 2)
            socket.create_connection(("127.0.0.1", port)).close()
            # The last of those that have it may close it a moment after the workers are gone.
            wait_until(lambda: is_refused(first + second - port), 1, what="the end of the old address")
        assert "Reload failed" not in server.log_text()


def test_two_listeners_get_their_turns():
    with Server("faults:app", "--bind", "127.0.0.1:0", "--workers", "1") as server:
        ports = [int(match.group(2)) for match in server.wait_log(r"Listening at: http://([^:]+):(\d+) ", count=2)]
        served, done = {port: 0 for port in ports}, threading.Event()

        def client(port):
            while not done.is_set():
                with socket.create_connection(("127.0.0.1", port)) as sock:
                    sock.sendall(b"GET /sleep?ms=1 HTTP/1.0\r\n\r\n")
                    while sock.recv(4096):
                        pass
                served[port] += 1

        clients = [threading.Thread(target=client, args=(port,)) for port in ports * 4]
        for thread in clients:
            thread.start()
        wait_until(lambda: sum(served.values()) > 400, 20)
        done.set()
        for thread in clients:
            thread.join()
        assert min(served.values()) > max(served.values()) / 3


def test_a_service_that_was_stopped_and_continued_kills_nobody():
    with Server("faults:app", "--workers", "1", "--timeout", "1.5") as server:
        worker = server.worker_pids()
        with server.connect() as sock:
            sock.sendall(GET % b"/sleep?ms=700")
            time.sleep(0.1)  # so that the app is busy; nothing outside tells
            for pid in (server.pid, *worker):
                os.kill(pid, signal.SIGSTOP)
            time.sleep(2.5)  # the time that nobody runs is what is tested
            os.kill(server.pid, signal.SIGCONT)
            server.wait_log("Master was suspended for")
            os.kill(worker[0], signal.SIGCONT)
            assert read_response(sock)[0] == 200
        assert server.worker_pids() == worker
        assert "WORKER TIMEOUT" not in server.log_text()


def test_a_retiring_worker_does_not_spin_when_its_lifetime_passes(tmp_path):
    with open(tmp_path / "large", "wb") as file:
        file.truncate(100_000_000)  # more than the kernel holds for a client that does not read
    with Server(f'files:app("{tmp_path}")', "--max-worker-lifetime", "1") as server:
        (worker,) = server.wait_workers(1)
        its_life = time.monotonic() + 1
        with server.connect() as sock:
            sock.sendall(GET % b"/large")
            sock.recv(1)
            server.signal(signal.SIGTERM)
            server.wait_log("Handling signal: term")
            wait_until(lambda: time.monotonic() > its_life, what="the end of its life")
            used = CpuTime(worker)
            time.sleep(1)  # in which it waits for the client
            used.assert_little()
