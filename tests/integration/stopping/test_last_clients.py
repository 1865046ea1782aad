"""Clients that come while the service stops: each is answered or refused, none is let in and then reset."""

import errno
import signal
import socket
import threading

import pytest

from harness import Server, is_sleeping, read_end, read_response, request_bytes, wait_until

STOPS = 12
ENDS = ("answered", "refused")


def ask(address):
    """What became of one request on a connection of its own."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as sock:
        sock.settimeout(30)
        try:
            sock.connect(address)
        except OSError as error:
            # A unix socket's file goes with the master.
            return "refused" if error.errno in (errno.ECONNREFUSED, errno.ENOENT) else repr(error)
        try:
            sock.sendall(request_bytes("/", {"Connection": "close"}))
            return "answered" if read_end(sock).startswith(b"HTTP/1.1 200 ") else "closed without an answer"
        except OSError as error:
            return repr(error)


class Asking(threading.Thread):
    """Asks again and again until it is refused, or something is amiss."""

    def __init__(self, address):
        super().__init__()
        self.ends = []
        self._address = address

    def run(self):
        while not self.ends or self.ends[-1] == "answered":
            self.ends.append(ask(self._address))


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_who_asks_again_and_again_is_answered_until_it_is_refused(kind, tmp_path):
    """At many stops, since a reset takes a client that connects in the last moment."""
    for stop in range(STOPS):
        path = str(tmp_path / f"{stop}.sock")
        options = ["--bind", f"unix:{path}"] if kind == "unix" else []
        with Server("faults:app", "--workers", "2", *options, wait=2) as server:
            running = server.send("/sleep?ms=300")
            wait_until(lambda: any(map(is_sleeping, server.worker_pids())), what="the request that takes a while")
            clients = [Asking(path if kind == "unix" else ("127.0.0.1", server.port)) for _ in range(3)]
            for client in clients:
                client.start()
            wait_until(lambda: all(client.ends for client in clients), what="the first answers")
            server.signal(signal.SIGTERM)
            assert read_response(running).status == 200
            for client in clients:
                client.join()
            assert server.wait_exit() == 0
        assert {end for client in clients for end in client.ends} <= set(ENDS)
        assert all(client.ends[-1] == "refused" for client in clients)


def test_who_comes_after_term_does_not_wait_for_a_busy_worker():
    """The idle one has left by then, and has left nobody in who would have to."""
    with Server("faults:app", "--workers", "2", wait=2) as server:
        running = server.send("/sleep?ms=4000")
        wait_until(lambda: any(map(is_sleeping, server.worker_pids())), what="the request that takes long")
        server.signal(signal.SIGTERM)
        wait_until(lambda: len(server.worker_pids()) == 1, what="the idle worker's end")
        assert ask(("127.0.0.1", server.port)) == "refused"
        assert is_sleeping(*server.worker_pids())
        assert read_response(running).status == 200
        assert server.wait_exit() == 0


def test_a_socket_that_was_passed_on_goes_on_listening():
    """Whoever passed it on has the next service take up what waits."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        fd = listener.fileno()
        for _ in range(2):
            with Server("faults:app", "--workers", "1", bind=f"fd://{fd}", pass_fds=[fd]):
                assert ask(("127.0.0.1", port)) == "answered"
        with socket.create_connection(("127.0.0.1", port)) as waiting:
            waiting.sendall(request_bytes("/pid", {"Connection": "close"}))
            with Server("faults:app", "--workers", "1", bind=f"fd://{fd}", pass_fds=[fd]):
                assert read_end(waiting).startswith(b"HTTP/1.1 200 ")
