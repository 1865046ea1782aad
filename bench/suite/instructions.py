"""User space instructions of one request, counted by callgrind: a figure that a busy machine hardly changes.

Each count is the difference of two runs, so that starting and stopping cancel out. One worker and one client, which
waits for its answers before it asks again. What a busy machine changes is how often the worker wakes for one
connection: it can only add wakes, so a count that is too high is taken again, and the lowest holds.
"""

import dataclasses
import functools
import json
import pathlib
import re
import signal
import socket
import tempfile

from . import machine, process_tree
from .server import Failed, Running, Server, Setup, free_port

FILE = pathlib.Path(__file__).resolve().parents[1] / "instructions.json"
REQUESTS = 960
ATTEMPTS = 3
UPDATE = "script/bench instructions --update"
BROWSER_LUA = pathlib.Path(__file__).resolve().parents[1] / "wrk/browser.lua"


def browser_fields():
    return re.findall(r"""^wrk\.headers\["(.+?)"\] = (?:"|')(.*)(?:"|')$""", BROWSER_LUA.read_text(), re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Kind:
    fields: str = ""
    at_once: int = 1  # requests that are sent before any answer is read
    closes: bool = False  # a connection for each
    arguments: tuple[str, ...] = ()  # more flags for the server
    tolerance: float = 0.03

    @property
    def bytes(self):
        closing = "Connection: close\r\n" if self.closes else ""
        return f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{self.fields}{closing}\r\n".encode() * self.at_once


def kinds():
    return {
        "small request": Kind(),
        "browser's request": Kind("".join(f"{name}: {value}\r\n" for name, value in browser_fields())),
        "pipelined by 16": Kind(at_once=16),
        # How often the worker wakes for a connection is up to the scheduler: 1 % between runs, 3 % between machines.
        "connection for each": Kind(closes=True, tolerance=0.06),
    }


def check(build, apps, update):
    """Returns the exit status."""
    binary = build / "cppcorn" if build.is_dir() else build
    cpu = machine.cpu_model()
    if update:
        found = {name: count(binary, apps, kind) for name, kind in kinds().items()}
        FILE.write_text(json.dumps({"CPU": cpu, "instructions": found}, indent=1) + "\n")
        print(f"written: {found}")
        return 0
    known = json.loads(FILE.read_text())
    if known["CPU"] != cpu:
        print(f"note: {FILE.name} was counted on {known['CPU']}; on {cpu} the C library may choose other functions")
    found = {}
    for name, kind in kinds().items():
        limit = known["instructions"][name] * (1 + kind.tolerance)
        found[name] = lowest(functools.partial(count, binary, apps, kind), limit)
    return compare(known["instructions"], found, {name: kind.tolerance for name, kind in kinds().items()})


def lowest(count_once, limit):
    """The first count within the limit, or the lowest of all attempts."""
    found = count_once()
    for _ in range(ATTEMPTS - 1):
        if found <= limit:
            break
        found = min(found, count_once())
    return found


def compare(known, found, tolerances):
    status = 0
    for name, now in found.items():
        before, tolerance = known[name], tolerances[name]
        change = f"{name}: {now} instructions, {before} in {FILE.name} ({(now / before - 1) * 100:+.1f} %)"
        if now > before * (1 + tolerance):
            print(f"{change}: MORE. If that is meant to be: {UPDATE}")
            status = 1
        elif now < before * (1 - tolerance):
            print(f"{change}: fewer, which the file should hold on to: {UPDATE}")
        else:
            print(f"{change}: as before")
    return status


def count(binary, apps, kind):
    few, many = (worker_total(binary, apps, kind, number) for number in (REQUESTS, 3 * REQUESTS))
    return round((many - few) / (2 * REQUESTS))


def worker_total(binary, apps, kind, number):
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = pathlib.Path(name)
        valgrind = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={folder}/out.%p"]

        def command(setup):
            args = ["hello:app", "--app-dir", apps, "--bind", f"127.0.0.1:{setup.port}", "--workers", 1]
            # valgrind knows no clone() with CLONE_FILES
            return [*valgrind, binary, *args, "--no-understudy", *kind.arguments]

        setup = Setup(free_port(), 1, folder, 14, False, apps)
        with Running(Server("cppcorn", command, lambda: ""), setup) as running:
            running.wait_until_ready(60)
            children = process_tree.children(running.pid)
            if len(children) != (2 if kind.arguments else 1):  # those that are used here start a status process
                raise Failed(f"expected one worker, found {children}")
            ask(running.port, kind, number)
            running.process.send_signal(signal.SIGTERM)
            running.process.wait(60)
            # A status process has much less to do.
            return max(total(folder / f"out.{child}", running) for child in children)


def ask(port, kind, number):
    client = None
    for _ in range(number // kind.at_once):
        if client is None:
            client = socket.create_connection(("127.0.0.1", port), timeout=60)
        client.sendall(kind.bytes)
        _receive(client, kind)
        if kind.closes:
            client.close()
            client = None
    if client is not None:
        client.close()


def _receive(client, kind):
    """All answers, and the end of a connection that is to be closed."""
    answers = b""
    while kind.closes or answers.count(b"Hello, world!\n") < kind.at_once:
        piece = client.recv(1 << 16)
        if not piece:
            break
        answers += piece
    if answers.count(b"HTTP/1.1 200 ") != kind.at_once or not answers.endswith(b"Hello, world!\n"):
        raise Failed(f"did not answer each of {kind.at_once} with 200")


def total(path, running):
    match = re.search(r"^(?:totals|summary): (\d+)", path.read_text(), re.MULTILINE) if path.exists() else None
    if not match:
        raise Failed(f"callgrind has written nothing for the worker: {running.last_words()}")
    return int(match[1])
