"""A child that the app forks, and starts no program in, is no second worker: it has nothing of the server's."""

import os
import re
import signal
import socket
from contextlib import contextmanager

from harness import Server, free_port, is_alive, open_files, process, read_end, read_response, request_bytes, wait_until

ENDED = r"\[WARNING\] A child that the app has forked came back to the server, and is ended"


@contextmanager
def ended_at_last(pid):
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)


def shared_files(pid):
    return {target for target in open_files(pid).values() if "eventpoll" in target or "pipe:" in target}


def test_a_child_that_lives_on_keeps_no_port():
    port = free_port()
    with Server("forks:app", bind=f"127.0.0.1:{port}") as server, ended_at_last(int(server.get("/daemon").body)) as child:
        server.stop()
        assert is_alive(child)
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_a_child_that_lives_on_keeps_no_connection():
    with Server("forks:app") as server:
        others = [server.connect() for _ in range(3)]
        for sock in others:
            sock.sendall(request_bytes("/"))
            assert read_response(sock).status == 200
        sock = server.connect()
        sock.sendall(request_bytes("/daemon", headers={"Connection": "close"}))
        with ended_at_last(int(read_response(sock).body)) as child:
            assert read_end(sock) == b""
            wait_until(lambda: len(shared_files(child)) <= 2, what="nothing but its standard streams")
            assert is_alive(child)
            server.signal(signal.SIGINT)
            server.wait_exit()
            for other in others:
                assert read_end(other) == b""


def test_a_child_that_lives_on_obeys_term():
    with Server("forks:app") as server:
        child = int(server.get("/daemon").body)
        wait_until(lambda: len(shared_files(child)) <= 2, what="nothing but its standard streams")
        os.kill(child, signal.SIGTERM)
        wait_until(lambda: not is_alive(child), what="its end")
        assert server.get("/").status == 200


def test_a_child_that_returns_from_a_request_is_ended():
    with Server("forks:app") as server:
        pid = int(server.get("/").body)
        sock = server.connect()
        for count in range(1, 4):
            sock.sendall(request_bytes("/return"))
            assert read_response(sock).body == b"0\n"  # what it ended with; there is one answer
            server.wait_log(ENDED, count=count)
        sock.sendall(request_bytes("/"))
        assert int(read_response(sock).body) == pid
        server.wait_for(lambda: [each.pid for each in server.children()] == [pid], what="the worker alone")


def test_what_a_child_writes_goes_nowhere():
    with Server("forks:app") as server:
        sock = server.send("/write")
        assert read_response(sock).body == b"the parent's\n"
        sock.sendall(request_bytes("/"))
        assert read_response(sock).status == 200
        server.wait_log(ENDED)


def test_what_a_child_looks_at_stays_as_it_was():
    with Server("forks:app") as server:
        sock = server.send("/look/at-this")
        child = int(read_response(sock).body)
        server.wait_for(lambda: process(child).state == "T", what="a child that has stopped itself")
        for path in ("/not/at-that", "/and/not/at/that/at-all"):
            sock.sendall(request_bytes(path))
            assert read_response(sock).status == 200
        os.kill(child, signal.SIGCONT)
        assert server.wait_log("forks: (.*)")[0][1] == "the same"


def test_a_child_that_returns_from_worker_start_is_ended():
    with Server("forks:app", env={"FORKS_IN_START": "1"}) as server:
        server.wait_log(ENDED)
        assert server.get("/").status == 200
        server.wait_for(lambda: len(server.children()) == 1, what="the worker alone")


def test_a_crash_of_a_child_is_none_of_the_worker():
    with Server("forks:app") as server:
        pid = int(server.get("/").body)
        assert int(server.get("/crash").body) == signal.SIGABRT
        assert int(server.get("/").body) == pid
        os.kill(pid, signal.SIGSEGV)
        server.wait_log(rf"Stack of pid {pid} at SIGSEGV: sent by pid {os.getpid()}")
        server.wait_for(lambda: pid not in server.worker_pids(), what="its end")
        server.wait_ready()
        assert len(re.findall("Stack of pid", server.log_text())) == 1
