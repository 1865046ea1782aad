"""A deadline that passes while the worker is busy with another client: who was in time is answered, who was not is sent away."""

import socket
import threading
import time

import pytest

from harness import Disconnected, Server, is_sleeping, read_end, read_response, request_bytes, wait_until

TIMEOUT = 1  # seconds, of the deadline under test
BUSY_MS = 2500  # for which a worker then sees nothing
BUSY = request_bytes(f"/sleep?ms={BUSY_MS}")
ANSWER = 20_000_000  # bytes; far more than the kernel takes for a client
FULL_HEAD = {f"X-{number}": 7000 * "x" for number in range(8)}  # more than a worker reads at once


def server_with(*options):
    return Server("faults:app", "--workers", "1", *options)


class Busy:
    """The worker is in another client's request at the begin of the block, and has answered it at its end."""

    def __init__(self, server):
        self._server = server

    def __enter__(self):
        (worker,) = self._server.worker_pids()
        self._sock = self._server.connect()
        self._sock.sendall(BUSY)
        wait_until(lambda: is_sleeping(worker), what="the request that takes long")

    def __exit__(self, kind, *_):
        if kind is None:
            assert read_response(self._sock).status == 200


def used_connection(server):
    sock = server.connect()
    sock.sendall(request_bytes("/"))
    assert read_response(sock).status == 200
    return sock


def test_a_request_within_the_keep_alive_time_is_answered():
    with server_with("--keep-alive", TIMEOUT) as server:
        clients = [used_connection(server) for _ in range(3)]
        with Busy(server):
            for sock in clients:
                sock.sendall(request_bytes("/pid"))
        assert [read_response(sock).status for sock in clients] == [200, 200, 200]


def test_who_says_nothing_is_closed_when_the_worker_gets_round_to_it():
    """Each kind of silence: on a connection that was used, on a new one, in a head and in a body."""
    timeouts = [f"--{each}-timeout={TIMEOUT}" for each in ("header", "body")]
    with server_with("--keep-alive", TIMEOUT, *timeouts) as server:
        idle, fresh, head, body = used_connection(server), *(server.connect() for _ in range(3))
        head.sendall(b"GET / HT")
        body.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n1")
        with Busy(server):
            pass
        assert read_end(idle) == b""
        assert read_end(fresh) == b""
        assert read_end(head).startswith(b"HTTP/1.1 408 ")
        assert read_end(body).startswith(b"HTTP/1.1 408 ")


def halves(request, at):
    return request[:at], request[at:]


LATE_HALVES = {
    "head": halves(request_bytes("/"), 10),
    "long head": halves(request_bytes("/", FULL_HEAD), 10),
    "body": halves(request_bytes("/", method="POST", body=b"x" * 60_000), 500),
    "body that nobody reads": halves(request_bytes("/", method="POST", body=b"x" * 200_000), 80_000),
    "PROXY header": halves(b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n" + request_bytes("/"), 10),
}


@pytest.mark.parametrize("what", LATE_HALVES)
def test_the_rest_of_a_request_that_waits_unread_is_in_time(what):
    first, rest = LATE_HALVES[what]
    options = ["--proxy-protocol", "auto"] if what == "PROXY header" else []
    timeouts = [f"--{each}-timeout={TIMEOUT}" for each in ("header", "body")]
    with server_with(*timeouts, *options) as server:
        sock = server.connect()
        sock.sendall(first)
        used_connection(server).close()  # the worker has read the first half by now
        with Busy(server):
            sock.sendall(rest)
        assert read_response(sock).status == 200
        sock.sendall(request_bytes("/pid"))  # and nothing of it is left
        assert read_response(sock).status == 200


class Reader(threading.Thread):
    """Reads all the time."""

    def __init__(self, sock):
        super().__init__()
        self._sock = sock
        self.status, self.size = None, 0

    def run(self):
        try:
            response = read_response(self._sock)
            self.status, self.size = response.status, len(response.body)
        except (OSError, Disconnected) as error:
            self.status = repr(error)[:100]


def test_a_client_that_reads_all_the_time_gets_all_of_a_large_answer():
    with server_with("--write-timeout", TIMEOUT) as server:
        sock = server.send(f"/big?bytes={ANSWER}")
        busy = [server.connect() for _ in range(3)]  # one after the other keeps the worker from the reader
        sock.recv(1, socket.MSG_PEEK)
        for other in busy:
            other.sendall(BUSY)
        reader = Reader(sock)
        reader.start()
        assert [read_response(other).status for other in busy] == [200, 200, 200]
        reader.join()
        assert (reader.status, reader.size) == (200, ANSWER)


def test_a_client_that_reads_nothing_is_given_up_when_the_worker_gets_round_to_it():
    with server_with("--write-timeout", TIMEOUT) as server:
        sock = server.send(f"/big?bytes={ANSWER}")
        sock.recv(1, socket.MSG_PEEK)
        with Busy(server):
            pass
        server.wait_log("was cut: the client does not read")  # before it begins to
        with pytest.raises((OSError, Disconnected)):
            read_response(sock)


def test_many_clients_that_take_turns_at_a_slow_app_lose_nothing():
    """One round of them takes longer than the keep-alive time."""
    clients, rounds, app_ms = 25, 2, 100
    with server_with("--keep-alive", TIMEOUT) as server:
        socks = [server.connect(timeout=60) for _ in range(clients)]
        answers, failures = [], []

        def ask_again_and_again(sock):
            try:
                for _ in range(rounds):
                    sock.sendall(request_bytes(f"/sleep?ms={app_ms}"))
                    answers.append(read_response(sock).status)
            except (OSError, Disconnected) as error:
                failures.append(repr(error))

        threads = [threading.Thread(target=ask_again_and_again, args=(sock,)) for sock in socks]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began > 2 * TIMEOUT  # or nothing was tested
        assert failures == []
        assert answers == clients * rounds * [200]


def test_the_time_that_the_app_takes_before_it_reads_is_not_the_clients():
    """A client that waits for 100 Continue gets that with the first read, and its time begins there."""
    with Server("reader:app", "--workers", "1", "--body-timeout", TIMEOUT) as server:
        sock = server.connect()
        fields = {"Content-Length": "100000", "Expect": "100-continue"}
        sock.sendall(request_bytes(f"/?mode=count&sleep_ms={BUSY_MS}", fields, "POST"))
        assert read_response(sock).status == 100
        sock.sendall(b"x" * 100_000)
        assert read_response(sock).text == "read 100000 bytes\n"
