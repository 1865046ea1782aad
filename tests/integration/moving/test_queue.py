"""The queue by which connections go from worker to worker: one for the service, from the first worker on, through
reloads and upgrades."""

import os
import shutil
import signal

import pytest

from harness import BINARY, Server, is_worker, open_files, processes, read_end, read_response, request_bytes


def sockets(pid):
    return {target for target in open_files(pid).values() if target.startswith("socket:")}


def workers_of(master):
    alive = [each.pid for each in processes() if each.parent == master and each.state not in "ZX"]
    return list(filter(is_worker, alive))


def upgrade(server):
    server.signal(signal.SIGUSR2)
    new = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])
    server.wait_log("Worker ready", count=2)
    return new


@pytest.fixture
def program(tmp_path):
    """A copy of the program, to be replaced by what the new master is to be."""
    binary = tmp_path / "cppcorn"
    shutil.copy(BINARY, binary)
    real = tmp_path / "real"
    shutil.copy(BINARY, real)

    def replace(before_exec):
        script = tmp_path / "new"
        script.write_text(f'#!/bin/sh\n{before_exec}\nexec {real} "$@"\n')
        script.chmod(0o755)
        os.replace(script, binary)

    return binary, replace


def test_all_workers_have_one_through_reloads():
    with Server("hello:app", "--workers", "2", wait=2) as server:
        first = set.intersection(*map(sockets, [server.pid, *server.wait_workers(2)]))
        assert len(first) == 3  # the listener, and the two ends
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done")
        second = set.intersection(*map(sockets, [server.pid, *server.wait_workers(2)]))
        assert second == first


def test_a_new_master_has_that_of_the_old_one():
    with Server("hello:app", wait=1) as server:
        before = sockets(server.pid) & sockets(server.wait_workers(1)[0])
        new = upgrade(server)
        (worker,) = workers_of(new)
        assert sockets(new) & sockets(worker) == before
        assert server.complaints() == []
        assert "WARNING" not in server.log_text()
        os.kill(server.pid, signal.SIGTERM)
        assert server.wait_exit() == 0
        server.wait_log("this one takes its place")
        # And on to the next one.
        os.kill(new, signal.SIGUSR2)
        newest = int(server.wait_log(r"started the new master \(pid:(\d+)\)", count=2)[1][1])
        server.wait_log("Worker ready", count=3)
        assert sockets(newest) & sockets(workers_of(newest)[0]) == before
        for pid in (newest, new):
            os.kill(pid, signal.SIGTERM)
        server.wait_for(lambda: server.tree() == [], what="the end of all")


def test_a_new_program_that_knows_of_no_queue_is_given_none(program):
    """As one of an older release: what the old workers have is closed when they retire, since nobody takes it."""
    binary, replace = program
    with Server("hello:app", binary=binary) as server:
        before = sockets(server.pid) & sockets(server.wait_workers(1)[0])
        sock = server.connect()
        sock.sendall(request_bytes("/"))
        assert read_response(sock).status == 200
        replace("unset CPPCORN_CONNECTIONS")
        new = upgrade(server)
        (worker,) = workers_of(new)
        assert len((sockets(new) & sockets(worker)) - before) >= 2  # another queue
        os.kill(server.pid, signal.SIGTERM)
        assert read_end(sock) == b""
        assert server.wait_exit() == 0
        os.kill(new, signal.SIGTERM)
        server.wait_for(lambda: server.tree() == [], what="the end of all")


@pytest.mark.parametrize("text", ["0 10 11 12", "x", "1", "1 500 501 502", "1 0 1 2"])
def test_a_variable_that_makes_no_sense_leads_to_a_queue_of_its_own_and_a_warning(program, text):
    binary, replace = program
    with Server("hello:app", binary=binary) as server:
        replace(f"CPPCORN_CONNECTIONS='{text}'; export CPPCORN_CONNECTIONS")
        new = upgrade(server)
        server.wait_log(rf"\[WARNING\] CPPCORN_CONNECTIONS='{text}' is not understood: connections of the old master's")
        assert server.get("/").status == 200
        os.kill(server.pid, signal.SIGTERM)
        assert server.wait_exit() == 0
        assert server.get("/").status == 200
        os.kill(new, signal.SIGTERM)
        server.wait_for(lambda: server.tree() == [], what="the end of all")
