"""Workers that are killed while a hundred clients keep their connections: each request is answered, and only the one in
the app by a 500."""

import re
import selectors
import socket
import threading
from collections import Counter

import pytest
from harness import request_bytes
from killing import SLEEPS, kill_one_in_app
from python_server import PythonServer
from reference import needs

pytestmark = needs("flask")
CLIENTS = 100
HEAD = re.compile(rb"HTTP/1.1 (\d+) .*?\r\nContent-Length: (\d+)\r\n.*?\r\n\r\n", re.DOTALL | re.IGNORECASE)


class Client:
    def __init__(self, number, port):
        self._number = number
        self._port = port
        self.count = 0
        self.connect()

    def connect(self):
        self.sock = socket.create_connection(("127.0.0.1", self._port), timeout=20)

    def ask(self):
        self.count += 1
        self._received = b""
        self.tag = f"{self._number}-{self.count}"
        self.sock.sendall(request_bytes(f"/{self.tag}?s=0.001"))

    def read(self):
        """Status, body and whether the connection ends, once all of the response is there; None before."""
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError(f"closed after {self._received!r}")
        self._received += data
        head = HEAD.match(self._received)
        if head is None or len(self._received) < head.end() + int(head[2]):
            return None
        assert len(self._received) == head.end() + int(head[2]), self._received
        return int(head[1]), self._received[head.end() :], b"\r\nconnection: close\r\n" in head[0].lower()


class Crowd:
    """A hundred clients, each of which asks again when it has its answer, in a thread of their own."""

    def __init__(self, server):
        self.statuses = Counter()
        self.faults = []
        self.closed = 0
        self._clients = [Client(number, server.port) for number in range(CLIENTS)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def asked(self):
        return sum(client.count for client in self._clients)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        for client in self._clients:
            client.sock.close()

    def _run(self):
        with selectors.DefaultSelector() as selector:
            for client in self._clients:
                client.ask()
                selector.register(client.sock, selectors.EVENT_READ, client)
            while selector.get_map():
                ready = selector.select(20)
                if not ready:
                    self.faults.append(f"{len(selector.get_map())} clients wait for their answers in vain")
                    return
                for key, _ in ready:
                    self._go_on(selector, key.data)

    def _go_on(self, selector, client):
        try:
            answer = client.read()
        except OSError as error:
            self.faults.append(f"{client.tag}: {error!r}")
            selector.unregister(client.sock)
            return
        if answer is None:
            return
        self._take(client, *answer)
        if answer[2]:
            selector.unregister(client.sock)
            client.sock.close()
            client.connect()
            selector.register(client.sock, selectors.EVENT_READ, client)
        if self._stop.is_set():
            selector.unregister(client.sock)
        else:
            client.ask()

    def _take(self, client, status, body, is_last):
        self.statuses[status] += 1
        self.closed += is_last
        if status == 200:
            tag = body.decode()
            if tag != client.tag:
                self.faults.append(f"{client.tag} was answered with {tag}")


def statuses_in(log):
    return Counter(int(status) for status in re.findall(r'HTTP/1\.1" (\d+) ', log.read_text()))


# A worker of a preloaded app is there at once; each of the others imports Flask.
@pytest.mark.parametrize("options, kills", [(("--preload",), 100), ((), 10)], ids=["preload", "each"])
def test_kills_under_a_hundred_clients_cost_the_request_in_the_app(tmp_path, options, kills):
    log = tmp_path / "access.log"
    args = ("--workers", "4", "--access-logfile", log, *options)
    with PythonServer("flask_tags:app", *args, wait=4) as server:
        with Crowd(server) as crowd:
            killed = [kill_one_in_app(server, SLEEPS) for _ in range(kills)]
            server.wait_workers(4, server.within(10))
        assert crowd.faults == []
        assert crowd.statuses[500] == crowd.closed == kills == len(set(killed))
        assert set(crowd.statuses) == {200, 500}
        assert sum(crowd.statuses.values()) == crowd.asked
        server.stop()
        assert statuses_in(log) == crowd.statuses
