"""Clients in the middle of something, who are not to notice what becomes of the worker that has their connection.

Each kind has begin(sock), after which the connection is in its state, and end(sock), which sees the rest come as if
nothing had happened. They need an app that answers /echo with the request's body and /pid with the worker's, as
tests/apps/collapse.cpp does.
"""

import os
import re
import signal
import socket
from pathlib import Path

from harness import SLOWNESS, command_line, processes, read_end, read_response

GET = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"


def understudies(server):
    alive = [each.pid for each in processes() if each.parent == server.pid and each.state not in "ZX"]
    return sorted(pid for pid in alive if command_line(pid).startswith("cppcorn: understudy ["))


def switches(pid):
    """How often it has gone to sleep by itself."""
    return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1])


class Stopped:
    """Processes that do nothing for the time of a block."""

    def __init__(self, pids):
        self._pids = pids

    def __enter__(self):
        for pid in self._pids:
            os.kill(pid, signal.SIGSTOP)
        return self

    def __exit__(self, *_):
        for pid in self._pids:
            os.kill(pid, signal.SIGCONT)


class OneWorker(Stopped):
    """Of the workers, all but one are stopped, so that all connections that are made are that one's."""

    def __init__(self, server, workers):
        self.pid, *others = server.wait_workers(workers)
        super().__init__(others)


def connect(port, receive_buffer=None):
    """A connection; `receive_buffer` makes it one over which little is in flight."""
    sock = socket.socket()
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(30 * SLOWNESS)
    sock.connect(("127.0.0.1", port))
    return sock


class Kind:
    receive_buffer = None

    def __init__(self, file=None):
        """`file`: what the app answers /file with."""
        self.file = file

    def open(self, port):
        return connect(port, self.receive_buffer)

    def begin(self, sock):
        pass

    def end(self, sock):
        self.ask(sock)

    @staticmethod
    def ask(sock):
        """Returns the pid of the worker that answers."""
        sock.sendall(GET % b"/pid")
        response = read_response(sock)
        assert response.status == 200
        assert "connection" not in response.headers
        return int(response.body)


class Idle(Kind):
    """Nothing was sent yet."""


class Answered(Kind):
    def begin(self, sock):
        self.ask(sock)


class HalfHead(Kind):
    def begin(self, sock):
        sock.sendall(b"POST /echo HTTP/1.1\r\nHo")

    def end(self, sock):
        sock.sendall(b"st: x\r\nContent-Length: 3\r\n\r\nabc")
        assert read_response(sock)[::2] == (200, b"abc")
        self.ask(sock)


class HalfBody(Kind):
    def begin(self, sock):
        self.ask(sock)
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" + b"a" * 7000)

    def end(self, sock):
        sock.sendall(b"b" * 13000)
        assert read_response(sock)[::2] == (200, b"a" * 7000 + b"b" * 13000)
        self.ask(sock)


class HalfChunks(Kind):
    def begin(self, sock):
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1")

    def end(self, sock):
        sock.sendall(b"0\r\n0123456789abcdef\r\n0\r\nA: b\r\n\r\n")
        assert read_response(sock)[::2] == (200, b"hello0123456789abcdef")
        self.ask(sock)


class SlowReader(Kind):
    """Has got the first bytes of an answer that is larger than what the kernel holds."""

    receive_buffer = 4096
    size = 6_000_000
    path = b"/big?bytes=%d" % size

    def begin(self, sock):
        sock.sendall(GET % self.path)
        self.begun = sock.recv(1000, socket.MSG_PEEK)
        assert self.begun.startswith(b"HTTP/1.1 200")

    def end(self, sock):
        response = read_response(sock)
        assert response.status == 200
        assert response.body == b"x" * self.size
        self.ask(sock)


class SlowFile(SlowReader):
    """The same of an answer that is a file."""

    path = b"/file"

    def end(self, sock):
        response = read_response(sock)
        assert response.status == 200
        with open(self.file, "rb") as file:
            assert response.body == file.read()
        self.ask(sock)


class SlowPipeline(SlowReader):
    """The same, with requests behind it that have been sent already."""

    def begin(self, sock):
        super().begin(sock)
        sock.sendall((GET % b"/pid") * 3 + b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")

    def end(self, sock):
        response = read_response(sock)
        assert (response.status, len(response.body)) == (200, self.size)
        assert [read_response(sock).status for _ in range(3)] == [200] * 3
        assert read_response(sock)[::2] == (200, b"hi")
        self.ask(sock)


class Lingering(Kind):
    """Was refused, and still sends what it had to say: it must not be reset, or the answer might be lost."""

    def begin(self, sock):
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n")
        assert read_response(sock).status == 400
        assert read_end(sock) == b""

    def end(self, sock):
        for _ in range(20):
            sock.sendall(os.urandom(5000))


KINDS = [Idle, Answered, HalfHead, HalfBody, HalfChunks, SlowReader, SlowFile, SlowPipeline, Lingering]


def make_file(folder):
    file = folder / "large"
    file.write_bytes(os.urandom(SlowReader.size))
    return file
