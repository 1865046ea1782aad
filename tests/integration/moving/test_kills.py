"""A worker may be killed at any of its instructions: that costs the request in its app, and nobody else notices.

Each test is a row of kills, each of another worker, one step further than the one before.
"""

import os
import select
import signal
import socket

import pytest

from harness import SANITIZED, Disconnected, Server, open_files, process, read_response
from tracing import Traced, tracing  # noqa: F401
from unfinished import GET, Kind, OneWorker, Stopped, understudies

pytestmark = [
    pytest.mark.usefixtures("tracing"),
    pytest.mark.skipif(SANITIZED, reason="a sanitizer has threads and system calls of its own"),
]

# The app is being called, of those calls that are met here: the lookout is woken, and what /pid does.
IN_APP = ("write", "getpid")
MOST_STOPS = 100


class Client:
    """Sends `before` and has the worker see it, then `last` on the same connection, and waits for the answers."""

    def __init__(self, last, before=b"", rest=b"", is_kept=False, keeps=True, count=1):
        """`rest`: what it sends when the worker is dead. `count`: of its requests."""
        self._count = count
        self._last, self._before, self._rest = last, before, rest
        self._is_kept, self._keeps = is_kept, keeps

    def begin(self, server):
        self.sock = None
        if self._is_kept:
            self._connect(server)
            Kind.ask(self.sock)
            if self._before:
                self.sock.sendall(self._before)
                server.wait_for(lambda: has_read(self.sock), what="the worker's read")

    def go_on(self, server):
        if self.sock is None:
            self._connect(server)
        self.sock.sendall(self._last)

    def is_done(self):
        return bool(self._rest) or self.is_answered()

    def is_held(self, server):
        """Whether a worker has it, and has come to rest."""
        port = f":{self.sock.getsockname()[1]:04X}"
        sockets = {f"socket:[{fields[9]}]" for fields in tcp_table() if fields[2].endswith(port)}
        return any(sockets & set(files_of(pid)) for pid in server.worker_pids() if is_asleep(pid))

    def is_answered(self):
        """Or closed."""
        return bool(select.select([self.sock], [], [], 0)[0])

    def end(self):
        """Returns the last status."""
        self.sock.sendall(self._rest)
        for _ in range(self._count):
            response = read_response(self.sock)
            if response.status != 200:
                break
        if response.status == 200 and self._keeps:
            Kind.ask(self.sock)
        return response.status

    def leave(self, server):
        """The same, or what went wrong. The next worker that dies has nobody but the next client."""
        if self._rest:  # it must not be sent away before that
            server.wait_for(lambda: self.is_held(server) or self.is_answered(), what="another worker")
        with self.sock:
            try:
                return self.end()
            except (OSError, Disconnected) as error:
                return repr(error)

    def _connect(self, server):
        self.sock = server.connect(timeout=10)


class UnixClient(Client):
    """The same over a unix socket."""

    def is_held(self, server):
        return True  # who has one, nobody tells

    def __init__(self, path, *args, **more):
        super().__init__(*args, **more)
        self._path = str(path)

    def _connect(self, server):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self._path)


def files_of(pid):
    try:
        return list(open_files(pid).values())
    except OSError:
        return []  # it is gone


def is_asleep(pid):
    found = process(pid)
    return found is not None and found.state == "S"


def tcp_table():
    """Each socket's fields: at 1 its own address, at 2 the other one, at 4 what waits, at 9 its number."""
    with open("/proc/net/tcp") as table:
        return [line.split() for line in list(table)[1:]]


def has_read(sock):
    """Whether what `sock` has sent is not in the other end any more."""
    port = f":{sock.getsockname()[1]:04X}"
    return all(fields[4].endswith(":00000000") for fields in tcp_table() if fields[2].endswith(port))


HEAD = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n"
CLIENTS = {
    "newcomer": lambda: Client(GET % b"/pid"),
    "newcomer that says nothing": lambda: Client(b"", rest=GET % b"/pid"),
    "newcomer with half a head": lambda: Client(b"GET /pi", rest=b"d HTTP/1.1\r\nHost: x\r\n\r\n"),
    "newcomer with half a body": lambda: Client(HEAD + b"x" * 5000, rest=b"y" * 4000),
    "newcomer for one request": lambda: Client(b"GET /pid HTTP/1.0\r\n\r\n", keeps=False),
    "kept": lambda: Client(GET % b"/pid", is_kept=True),
    "kept, with half a head": lambda: Client(b"d HTTP/1.1\r\nHost: x\r\n\r\n", before=b"GET /pi", is_kept=True),
    "kept, with half a body": lambda: Client(b"y" * 4000, before=HEAD + b"x" * 5000, is_kept=True),
}


UNIX_CLIENTS = {
    "newcomer": lambda path: UnixClient(path, GET % b"/pid"),
    "newcomer with half a head": lambda path: UnixClient(path, b"GET /pi", rest=b"d HTTP/1.1\r\nHost: x\r\n\r\n"),
    "newcomer with half a body": lambda path: UnixClient(path, HEAD + b"x" * 5000, rest=b"y" * 4000),
    "kept": lambda path: UnixClient(path, GET % b"/pid", is_kept=True),
    "kept, with three requests": lambda path: UnixClient(path, GET % b"/big?bytes=3000" * 3, is_kept=True, count=3),
}


def goes_to(traced, number, client):
    """The stop of that number, and whether the worker was done with the client before."""
    for count in range(1, number + 1):
        stop = traced.next_stop()
        is_asleep = stop.call == "epoll_wait" and not stop.is_behind and count > 1
        if is_asleep and client.is_done():
            return stop, True
    return stop, False


def goes_behind(traced, call, instructions):
    while traced.next_stop() != (call, True):
        pass
    traced.step(instructions)


def kills_one_after_another(server, kill):
    """`kill(number)` returns the stop, the client's status, and whether it was the last one."""
    for number in range(1, MOST_STOPS):
        stop, status, is_last = kill(number)
        assert status == 200 or (status == 500 and stop.call in IN_APP), (number, stop, status)
        if is_last:
            return
    raise AssertionError("the worker never comes to an end")


def wait_for_pairs(server):
    """An understudy that has just come still has the worker's title, and would be taken for one."""
    server.wait_for(lambda: len(understudies(server)) == 2, what="understudies")


def kills_at_each_call(server, make_client):
    def kill(number):
        client = make_client()
        wait_for_pairs(server)
        with OneWorker(server, 2) as victim:
            client.begin(server)
            with Traced(victim.pid) as traced:
                client.go_on(server)
                stop, is_last = goes_to(traced, number, client)
                traced.kill()
        return stop, client.leave(server), is_last

    kills_one_after_another(server, kill)


@pytest.mark.parametrize("kind", CLIENTS)
def test_at_any_system_call(kind):
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        kills_at_each_call(server, CLIENTS[kind])


@pytest.mark.parametrize("kind", UNIX_CLIENTS)
def test_at_any_system_call_over_a_unix_socket(kind, tmp_path):
    with Server("collapse:app", "--workers", "2", bind=f"unix:{tmp_path}/s", wait=2) as server:
        kills_at_each_call(server, lambda: UNIX_CLIENTS[kind](tmp_path / "s"))


MOVED = {kind: make for kind, make in CLIENTS.items() if kind.startswith("kept")}


def kill_after_move(server, client, go):
    """`go(traced)` takes the worker that the connection comes to to where it is killed. Returns what it returns, and the client's status."""
    wait_for_pairs(server)
    first, second = server.wait_workers(2)
    with Stopped([second]):
        client.begin(server)
    with Stopped([server.pid]), Traced(second) as traced:  # no other worker is made meanwhile
        os.kill(first, signal.SIGSTOP)
        client.go_on(server)
        os.kill(first, signal.SIGKILL)
        reached = go(traced)
        traced.kill()
    return reached, client.leave(server)


@pytest.mark.parametrize("kind", MOVED)
def test_at_any_system_call_with_a_connection_of_another_worker(kind):
    with Server("collapse:app", "--workers", "2", wait=2) as server:

        def kill(number):
            client = MOVED[kind]()
            (stop, is_last), status = kill_after_move(server, client, lambda traced: goes_to(traced, number, client))
            return stop, status, is_last

        kills_one_after_another(server, kill)


def test_at_any_instruction_behind_an_accept():
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        for instructions in range(0, 1200, 97):
            client = CLIENTS["newcomer"]()
            wait_for_pairs(server)
            with OneWorker(server, 2) as victim, Traced(victim.pid) as traced:
                client.begin(server)
                client.go_on(server)
                goes_behind(traced, "accept4", instructions)
                traced.kill()
            assert (instructions, client.leave(server)) == (instructions, 200)


def test_behind_the_first_read_of_a_newcomer_that_has_said_nothing():
    """The next worker does not send it away. Nobody has had its seat before."""
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        client = CLIENTS["newcomer that says nothing"]()
        wait_for_pairs(server)
        with OneWorker(server, 2) as victim, Traced(victim.pid) as traced:
            client.begin(server)
            client.go_on(server)
            goes_behind(traced, "recvfrom", 0)
            traced.kill()
        assert client.leave(server) == 200


def test_at_any_instruction_behind_a_look_into_the_queue():
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        for instructions in range(0, 1200, 97):
            client = MOVED["kept, with half a head"]()
            _, status = kill_after_move(server, client, lambda traced: goes_behind(traced, "recvmsg", instructions))
            assert (instructions, status) == (instructions, 200)


def test_while_it_gives_its_connections_away():
    """None of them is lost, and none is given away twice."""
    with Server("collapse:app", "--workers", "2", wait=2) as server:
        for number in range(1, 9):
            clients = [CLIENTS["kept"]() for _ in range(2)]
            wait_for_pairs(server)
            with OneWorker(server, 2) as victim:
                for client in clients:
                    client.begin(server)
                with Traced(victim.pid) as traced:
                    os.kill(victim.pid, signal.SIGTERM)
                    while traced.next_stop().call != "sendmmsg":
                        pass
                    for _ in range(1, number):
                        traced.next_stop()
                    traced.kill()
            for client in clients:
                client.go_on(server)
                assert client.end() == 200, number
            server.wait_for(lambda: count_connections(server) == len(clients), what="one worker for each")
            for client in clients:
                client.sock.close()


def count_connections(server):
    """In how many tables of descriptors, of the workers, those connections are that clients hold open."""
    sockets = set()
    for fields in tcp_table():
        is_open = fields[3] == "01"
        if is_open and int(fields[1].split(":")[1], 16) == server.port:
            sockets.add(f"socket:[{fields[9]}]")
    return sum(file in sockets for pid in server.worker_pids() for file in files_of(pid))
