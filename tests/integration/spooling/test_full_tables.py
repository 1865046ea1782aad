"""When no place or no descriptor is left, a newcomer gets that of the connection that has been idle longest."""

import socket

import pytest

from harness import Server, open_files, read_end, read_response, request_bytes
from test_downloads import BIG, ask
from test_uploads import pattern


def keep_alive(server, path="/"):
    """A connection that has had an answer and is idle."""
    sock = server.connect()
    sock.sendall(request_bytes(path))
    assert read_response(sock).status == 200
    return sock


def is_open(sock):
    """Whether a connection that is idle is still served."""
    try:
        sock.sendall(request_bytes("/"))
        return read_response(sock).status == 200
    except Exception:
        return False


def test_the_one_that_has_been_idle_longest_makes_place():
    with Server("spools:app", "--worker-connections", "5") as server:
        clients = [keep_alive(server) for _ in range(5)]
        clients[0].sendall(request_bytes("/"))  # idle for less time than the others, from here on
        assert read_response(clients[0]).text == "here\n"
        newcomers = [keep_alive(server) for _ in range(2)]
        assert read_end(clients[1]) == read_end(clients[2]) == b""
        assert all(map(is_open, [clients[0], *clients[3:], *newcomers]))


def test_newcomers_are_never_locked_out_by_idle_ones():
    with Server("spools:app", "--worker-connections", "20") as server:
        (worker,) = server.wait_workers(1)
        before = len(open_files(worker))
        clients = [keep_alive(server) for _ in range(100)]
        # The last one has its answer before another one is closed for it, which must not be asking by then.
        server.wait_for(lambda: len(open_files(worker)) == before + 20, what="the last one's place")
        assert sum(map(is_open, clients)) == 20


def test_one_between_requests_goes_before_one_that_has_said_nothing():
    with Server("spools:app", "--worker-connections", "2") as server:
        idle = keep_alive(server)
        begun = server.connect()
        begun.sendall(b"GET / HT")
        newcomer = keep_alive(server)
        assert read_end(idle) == b""
        begun.sendall(b"TP/1.1\r\nHost: x\r\n\r\n")
        assert read_response(begun).text == "here\n"
        assert is_open(newcomer)


def test_where_none_is_idle_the_newcomer_waits():
    with Server("spools:app", "--worker-connections", "2") as server:
        begun = [server.connect() for _ in range(2)]
        for each in begun:
            each.sendall(b"GET / HT")
        newcomer = server.connect()
        newcomer.sendall(request_bytes("/"))
        newcomer.settimeout(0.5)
        with pytest.raises(socket.timeout):
            newcomer.recv(1)
        begun[0].sendall(b"TP/1.1\r\nHost: x\r\n\r\n")
        assert read_response(begun[0]).text == "here\n"
        newcomer.settimeout(10)
        assert read_response(newcomer).text == "here\n"


def test_an_answer_on_its_way_is_not_lost():
    """Who has not taken all of its answer is not closed for a newcomer."""
    with Server("spools:app", "--worker-connections", "2") as server:
        reader = ask(server, f"/write?bytes={BIG}")
        others = [keep_alive(server) for _ in range(5)]
        assert is_open(others[-1])
        assert read_response(reader).body == pattern(BIG)


def test_descriptors_that_are_used_up():
    wrapper = ["sh", "-c", 'ulimit -n 60; exec "$0" "$@"']
    with Server("spools:app", wrapper=wrapper) as server:
        clients = [keep_alive(server) for _ in range(200)]
        assert is_open(clients[-1])
        assert server.count_log("Cannot accept a connection") == 0
