"""A server that is measured, and how it is run."""

import dataclasses
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Setup:
    port: int  # on 127.0.0.1
    workers: int  # processes, or threads where the server has those
    folder: pathlib.Path  # scratch: configurations, sockets, logs
    body_size: int  # of the answer to GET /: 14 ("Hello, world!\n"), or so many x
    from_file: bool  # the body is folder/"body", by sendfile where the server has it
    programs: pathlib.Path  # our C++ programs
    threads: int = 4  # in each process, where a server can have several
    arguments: tuple[str, ...] = ()  # more flags, for cppcorn and gunicorn, whose are alike
    app: str = "hello"  # a module in bench/apps/python, where the server takes one

    @property
    def body(self):
        return b"Hello, world!\n" if self.body_size == 14 else b"x" * self.body_size


@dataclasses.dataclass(frozen=True)
class Server:
    name: str
    command: Callable[[Setup], list[str]]  # in the foreground; may write files into setup.folder
    version: Callable[[], str | None]  # None: not installed, or not built
    differs: str = ""  # from the others, told under the table
    scenarios: frozenset[str] | None = None  # None: all that are for everyone
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    reload: signal.Signals | None = None  # to the main process: replaces its workers without losing requests
    churn: frozenset[str] = frozenset()  # how its workers can be replaced: reload, upgrade (SIGUSR2), recycle (--max-requests)
    flags: tuple[str, ...] = ()  # of this record, before those of a scenario
    binary: pathlib.Path | None = None  # of a cppcorn

    @property
    def key(self):
        return self.name.replace(" ", "-")


class Failed(Exception):
    """This server cannot be measured in this scenario; the others can."""


class Running:
    """A started server, in a process group of its own; a context that ends it."""

    def __init__(self, server, setup, more_environment=()):
        self.server = server
        self.port = setup.port
        self.setup = setup
        self.log = setup.folder / "log"
        environment = {**os.environ, **server.environment, **dict(more_environment)}
        command = [str(word) for word in server.command(setup)]
        with self.log.open("wb") as log:
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            self.process = subprocess.Popen(command, env=environment, cwd=setup.folder, start_new_session=True, **streams)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_until_ready(self, seconds=20):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Failed(f"ended with {self.process.returncode}: {self.last_words()}")
            try:
                if self.get(timeout=5).startswith(b"HTTP/1.1 200"):
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise Failed(f"does not answer: {self.last_words()}")

    def get(self, timeout=5, fields=""):
        """The whole response to GET /, which has to have a Content-Length."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as client:
            client.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode())
            return receive_response(client)

    def check_answer(self, fields="", body=None):
        """Raises Failed unless the answer is the right one; returns the head."""
        expected = self.setup.body if body is None else body
        head, _, body = self.get(20, fields).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise Failed(f"answers {head[:60]!r}")
        if body != expected:
            raise Failed(f"answers {len(body)} bytes instead of {len(expected)}, or other ones")
        return head.decode("latin-1")

    def last_words(self):
        return self.log.read_text(errors="replace").strip()[-300:]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.pid, signal.SIGKILL)  # our own session: nothing of it is left behind
        except ProcessLookupError:
            pass
        self.process.wait()


def receive_response(client):
    response = bytearray()
    while b"\r\n\r\n" not in response:
        response += _receive(client)
    head = bytes(response[: response.index(b"\r\n\r\n") + 4])
    length = re.search(rb"^content-length: *(\d+)", head, re.IGNORECASE | re.MULTILINE)
    if not length:
        raise Failed(f"gives no Content-Length: {head[:60]!r}")
    while len(response) < len(head) + int(length[1]):
        response += _receive(client)
    return bytes(response)


def _receive(client):
    if piece := client.recv(1 << 18):
        return piece
    raise ConnectionError("closed before the end")


def free_port():
    """Below those that the kernel gives to clients, so that none of them takes it first."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def output_of(*command):
    """What the command prints, or None if there is no such command."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        return None
    return (result.stdout + result.stderr).strip()
