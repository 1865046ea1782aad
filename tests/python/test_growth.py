"""No kind of request leaves an object or a reference behind.

With a debugging Python all references are counted, for which the bridge has to be built (docs/hacking.md); else those to
what requests have in common, and the blocks of memory.
"""

import json
import random
import re
from pathlib import Path

import pytest
from harness import Disconnected, read_response, request_bytes
from python_server import PythonServer

MANY = 100
CASES = {
    name: (f"/{name}", {}, None)
    for name in (
        "hello", "show_environ", "pieces", "late_start", "no_pieces", "several", "write", "raise_before", "raise_after_start",
        "raise_in_first_piece", "raise_later", "exc_info_replaces", "exc_info_too_late", "start_twice", "no_start",
        "exit_in_view", "interrupt_in_view", "returns_str", "returns_none", "yields_str", "no_content", "not_modified",
        "reason", "crlf", "crlf_in_status", "latin_1", "beyond_latin_1", "file_like", "too_short", "too_long", "closes",
        "closes_after_error", "close_raises", "keep", "use_kept", "errors", "early_hints",
    )
}
CASES["cookies"] = ("/show_environ?q", {"Cookie": "a=1", "cookie": "b=2", "X-Two": "\xfc"}, None)
CASES["body"] = ("/body", {}, b"x" * 5000)
CASES["chunked"] = ("/body", {"Transfer-Encoding": "chunked"}, b"3\r\nabc\r\n0\r\n\r\n")
for _steps in ("read:5", "readline", "readlines", "iter", "readlines:3,read"):
    CASES[_steps] = (f"/body_sizes?{_steps}", {}, b"one\ntwo\nthree")


@pytest.fixture(scope="module")
def server():
    with PythonServer("counted:app") as running:
        yield running


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("growth") / "file"
    path.write_bytes(random.Random(1).randbytes(50_000))
    return path


class Client:
    """Asks on one connection, as long as that is kept open."""

    def __init__(self, server):
        self._server = server
        self._sock = None

    def ask(self, path, headers, body):
        if self._sock is None:
            self._sock = self._server.connect()
        chunked = "Transfer-Encoding" in headers
        data = request_bytes(path, headers, "GET" if body is None else "POST", None if chunked else body)
        self._sock.sendall(data + (body if chunked else b""))
        try:
            response = read_response(self._sock)
            while response.status < 200:
                response = read_response(self._sock)
        except Disconnected:
            self.close()
            return None
        if response.headers.get("connection") == "close":
            self.close()
        return response

    def close(self):
        if self._sock is not None:
            self._sock.close()
        self._sock = None


def growth(server, request):
    """What many more requests add, once there were many."""
    client = Client(server)
    counts = []
    for _ in range(2):
        for _ in range(MANY):
            client.ask(*request)
        counts.append(json.loads(client.ask("/count", {}, None).body))
    client.close()
    return {name: counts[1][name] - counts[0][name] for name in counts[0]}


def assert_none(server, request):
    """What grows a few times is a cache, or one of the interpreter's lists of free objects; what leaks grows each time."""
    for _ in range(12):
        added = {name: count for name, count in growth(server, request).items() if count > MANY // 4}
        if not added:
            return
    assert added == {}


@pytest.mark.parametrize("case", CASES)
def test_a_request_leaves_nothing_behind(server, case):
    assert_none(server, CASES[case])


@pytest.mark.parametrize("case", ["file", "file_from_position", "file_part"])
def test_a_file_leaves_nothing_behind(server, file, case):
    assert_none(server, (f"/{case}?{file}", {}, None))


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1])


def test_memory_does_not_grow(server):
    """A short one; script/bench python has the long one."""
    (pid,) = server.worker_pids()
    batch = b"".join(request_bytes(path) for path in ("/hello", "/pieces", "/show_environ", "/several", "/closes") for _ in range(20))
    sizes = []
    with server.connect() as sock:
        for _ in range(3):
            for _ in range(30):
                sock.sendall(batch)
                for _ in range(100):
                    assert read_response(sock).status == 200
            sizes.append(resident(pid))
    assert sizes[2] - sizes[1] <= 256, sizes
