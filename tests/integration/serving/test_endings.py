"""How a connection ends when not all goes well: what is left unread, what is cut, who is gone, who is too slow."""

import ctypes
import fcntl
import socket
import struct
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import SLOWNESS, Server, open_files, read_end, read_response, request_bytes, wait_until

DRAINED = 256 * 1024  # what a worker reads of a body that the app has left, for the sake of the next request


@pytest.fixture(scope="module")
def reader():
    # An app that reads bodies as they arrive, and none of a GET. Without a buffer, nothing of a body is read before it is
    # called, so all of it is what the app leaves.
    with Server("spools:early", "--workers", "1", "--body-buffer", "0") as server:
        yield server


def with_body(body, chunked):
    if not chunked:
        return request_bytes("/", body=body)
    head = request_bytes("/", {"Transfer-Encoding": "chunked"})
    return head + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize("chunked", [False, True])
def test_what_the_app_leaves_of_a_body_is_read_for_the_sake_of_the_next_request(reader, chunked):
    with reader.connect() as sock:
        sock.sendall(with_body(b"x" * DRAINED, chunked))
        assert read_response(sock).status == 200
        sock.sendall(request_bytes("/"))
        assert read_response(sock).status == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_more_than_that_is_not_read_and_the_connection_ends(reader, chunked):
    with reader.connect() as sock:
        next_one = request_bytes("/", {"Connection": "close"})
        sock.sendall(with_body(b"x" * (DRAINED + 1), chunked) + next_one)
        assert read_response(sock).status == 200
        assert read_end(sock) == b""  # no second answer


def test_a_cut_response_whose_only_end_is_the_connections_is_reset():
    """Or the client would take it for complete."""
    with Server("faults:app", "--workers", "1") as server:
        with server.connect() as sock:
            sock.sendall(b"GET /late-throw HTTP/1.0\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                read_end(sock)
        # Chunks have a mark of their own for the end, which is missing here.
        with server.connect() as sock:
            sock.sendall(request_bytes("/late-throw"))
            answer = read_end(sock)
            assert answer.endswith(b"first half\n\r\n")
        assert server.get("/").status == 200


@pytest.mark.parametrize("reading", ["before the app is called", "by the app"])
def test_a_client_that_leaves_in_mid_body_is_not_told_of_a_bad_request(tmp_path, reading):
    log = tmp_path / "access.log"
    buffer = ("--body-buffer", "0") if reading == "by the app" else ()
    with Server("plain_c:app", "--workers", "1", "--access-logfile", log, *buffer) as server:
        with server.connect() as sock:
            sock.sendall(request_bytes("/left", {"Content-Length": 100}, "POST"))
            sock.shutdown(socket.SHUT_WR)
            assert read_end(sock) == b""
        assert server.get("/next").status == 200
        wait_until(lambda: "/next" in log.read_text(), what="the next request's line")
        assert '" 400 ' not in log.read_text()


def test_a_client_that_leaves_in_mid_body_gets_no_end_of_a_response_that_had_begun():
    # What does not fit into the spool the app reads while it arrives.
    with Server("echo:app", "--workers", "1", "--spool-limit", "1") as server, server.connect() as sock:
        body = b"%x\r\n" % 100_000 + b"x" * 100_000 + b"\r\n"
        sock.sendall(request_bytes("/", {"Transfer-Encoding": "chunked"}, "POST") + body)
        sock.shutdown(socket.SHUT_WR)
        answer = read_end(sock)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert not answer.endswith(b"0\r\n\r\n")


# ---- Readers that are too slow


CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1


@contextmanager
def small_socket_buffers():
    """A network of our own in which a socket takes 4 KiB to send, so that a reader can be slow in small steps."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as before:
        if libc.unshare(CLONE_NEWNET) != 0:
            pytest.skip("only root can have a network of its own")
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
                fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
            try:
                Path("/proc/sys/net/ipv4/tcp_wmem").write_text("4096 4096 4096")
            except OSError as error:
                pytest.skip(f"the buffers of sockets cannot be made smaller here: {error}")
            yield
        finally:
            libc.setns(before.fileno(), CLONE_NEWNET)


class Download:
    """A client that has asked for something large and has not read any of it yet, on a connection of the worker's."""

    def __init__(self, server, worker):
        before = self._sockets(worker)
        self._worker = worker
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # as little as there can be
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.sock.settimeout(10 * SLOWNESS)
        self.sock.connect(("127.0.0.1", server.port))
        self.sock.sendall(request_bytes("/big?bytes=1000000"))
        (self._fd,) = server.wait_for(lambda: self._sockets(worker) - before, what="the connection")
        self.sock.recv(1, socket.MSG_PEEK)

    @staticmethod
    def _sockets(worker):
        return {number for number, target in open_files(worker).items() if target.startswith("socket:")}

    def is_open(self):
        """At the worker's end."""
        return self._fd in self._sockets(self._worker)

    def arrived(self):
        """Bytes that wait to be read."""
        return struct.unpack("i", fcntl.ioctl(self.sock, 0x541B, b"\0" * 4))[0]  # FIONREAD


def test_a_reader_that_takes_a_little_now_and_then_is_given_up_like_one_that_takes_nothing():
    """Its deadline is for the whole, unless 1 KiB a second gets through: bytes now and then do not prolong it."""
    timeout = 3 * SLOWNESS
    with small_socket_buffers(), Server("faults:app", "--workers", "1", "--write-timeout", timeout) as server:
        (worker,) = server.wait_workers(1)
        slow = Download(server, worker)
        time.sleep(1)  # by which the other one begins later: that is what is tested
        deaf = Download(server, worker)
        # Enough for the worker to send a little more, and less than 1 KiB for each second of the timeout.
        arrived = slow.arrived()
        read = len(slow.sock.recv(1500))
        server.wait_for(lambda: slow.arrived() > arrived - read or not slow.is_open(), what="a little more")
        server.wait_for(lambda: not slow.is_open() or not deaf.is_open(), what="the first to be given up")
        assert not slow.is_open()
        assert deaf.is_open()
        server.wait_for(lambda: not deaf.is_open(), what="the end of the other")
        for each in (slow, deaf):
            each.sock.close()
