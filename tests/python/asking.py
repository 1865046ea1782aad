"""A client that tells what became of a request in words: for the behaviours, which other servers are asked for, too."""

import re
import socket
import time
from typing import NamedTuple

PATIENCE = 3.0  # seconds without a byte are no answer


class Answer(NamedTuple):
    head: bytes  # with the status line
    body: bytes
    end: str  # "whole", "cut", "garbled", "closed" (as long as the connection lasted) or "late" (no more came)

    @property
    def status(self):
        code = self.head[9:12]
        return int(code) if code.isdigit() else 0

    @property
    def reason(self):
        return self.head.partition(b"\r\n")[0][13:].decode("latin-1")

    def field(self, name):
        """The value of a field, or None."""
        found = re.search(rb"(?mi)^%s:[ \t]*(.*?)[ \t]*\r?$" % name.encode(), self.head)
        return found[1].decode("latin-1") if found else None

    @property
    def is_whole(self):
        return self.end in ("whole", "closed")

    def __str__(self):
        if not self.head:
            return {"late": "no answer"}.get(self.end, "the connection is closed without an answer")
        code = str(self.status) if self.status else f"`{self.head[:40].decode('latin-1').splitlines()[0]}`"
        return code + {"cut": ", cut", "garbled": ", garbled", "late": ", without an end"}.get(self.end, "")


class Connection:
    """One to the server; a context that closes it."""

    def __init__(self, server):
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        self._pending = b""
        self._is_over = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, data):
        try:
            self._socket.sendall(data)
        except OSError:
            pass  # what the server has answered, or not, tells more

    def ask(self, path, **more):
        self.send(request(path, **more))
        return self.answer(more.get("method", "GET"))

    def answer(self, method="GET"):
        """One whole response, 1xx being one of its own."""
        if not self._read_until(lambda: b"\r\n\r\n" in self._pending):
            return Answer(b"", b"", "late" if not self._is_over else "cut")
        head, _, self._pending = self._pending.partition(b"\r\n\r\n")
        framing = Answer(head, b"", "whole")
        length = framing.field("content-length")
        if method == "HEAD" or framing.status < 200 or framing.status in (204, 304):
            return framing
        if (framing.field("transfer-encoding") or "").lower() == "chunked":
            return self._chunked(head)
        if length is not None:
            return self._of_length(head, int(length))
        self._read_until(lambda: False)
        return Answer(head, self._taken(len(self._pending)), "closed" if self._is_over else "late")

    def wait_for(self, data, patience=PATIENCE):
        """Whether these bytes come, before anything of them is taken as an answer."""
        return self._read_until(lambda: data in self._pending, patience)

    def is_closed(self):
        """Whether the server has ended the connection, with nothing before that."""
        self._read_until(lambda: bool(self._pending), patience=1.0)
        return self._is_over and not self._pending

    def _chunked(self, head):
        body = b""
        while self._read_until(lambda: b"\r\n" in self._pending):
            line = self._pending.partition(b"\r\n")[0].partition(b";")[0]
            if not re.fullmatch(b"[0-9A-Fa-f]+", line):
                return Answer(head, body, "garbled")
            size = int(line, 16)
            self._pending = self._pending.partition(b"\r\n")[2]
            whole = self._read_until(lambda: len(self._pending) >= size + 2)
            body += self._taken(size)
            if not whole:
                break
            self._taken(2)
            if size == 0:
                return Answer(head, body, "whole")
        return Answer(head, body, "cut" if self._is_over else "late")

    def _of_length(self, head, length):
        whole = self._read_until(lambda: len(self._pending) >= length)
        end = "whole" if whole else "cut" if self._is_over else "late"
        return Answer(head, self._taken(length), end)

    def _taken(self, size):
        taken, self._pending = self._pending[:size], self._pending[size:]
        return taken

    def _read_until(self, holds, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while not holds():
            self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                return False
            except OSError:
                data = b""
            if not data:
                self._is_over = True
                return holds()
            self._pending += data
        return True


def request(path, method="GET", fields="", body=None, version="1.1"):
    length = f"Content-Length: {len(body)}\r\n" if body is not None else ""
    return f"{method} {path} HTTP/{version}\r\nHost: test\r\n{length}{fields}\r\n".encode("latin-1") + (body or b"")


def ask(server, path, **more):
    with Connection(server) as connection:
        return connection.ask(path, **more)
