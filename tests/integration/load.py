"""Clients that keep a server busy while something is done to it."""

import socket
import threading
from collections import Counter

from harness import Disconnected, read_response, request_bytes, wait_until


class Load:
    """Clients that send requests one after another until the end of the block.

    With `keep_alive`, each has one connection, which it expects nobody to close.
    """

    def __init__(self, server, clients=2, keep_alive=False, request=request_bytes("/")):
        self.answers = Counter()
        self.bodies = Counter()
        self.failures = []
        self.closed = 0  # by an answer that says so, where the client would have kept it
        self._server = server
        self._request = request
        self._keep_alive = keep_alive
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def _run(self):
        sock = None
        while not self._stop.is_set():
            try:
                if sock is None:
                    sock = self._connect()
                sock.sendall(self._request)
                response = read_response(sock)
            except (OSError, Disconnected) as error:
                self.failures.append(repr(error))
                if sock is not None:
                    sock.close()
                sock = None
                continue
            self.answers[response.status] += 1
            self.bodies[response.body] += 1
            is_closed = response.headers.get("connection") == "close"
            self.closed += self._keep_alive and is_closed
            if not self._keep_alive or is_closed:
                sock.close()
                sock = None
        if sock is not None:
            sock.close()

    def _connect(self):
        return socket.create_connection(("127.0.0.1", self._server.port), timeout=10)

    def __enter__(self):
        self._server.port
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        self._stop.set()

    def __exit__(self, *_):
        self.stop()
        for thread in self._threads:
            thread.join()

    def wait_more(self, count=20):
        """Until so many more requests were answered."""
        before = sum(self.answers.values())
        wait_until(lambda: sum(self.answers.values()) >= before + count, what=f"{count} more answers")

    def assert_flawless(self):
        assert self.failures == []
        assert set(self.answers) == {200}
        assert self.closed == 0
