"""User space instructions of one request, counted by callgrind: a figure that a busy machine does not change.

Each count is the difference of two runs, so that starting and stopping cancel out. One connection, one worker, one
request at a time.
"""

import json
import pathlib
import re
import signal
import socket
import tempfile

from .server import Failed, Running, Server, Setup, free_port, receive_response
from . import process_tree

FILE = pathlib.Path(__file__).resolve().parents[1] / "instructions.json"
REQUESTS = 1000
TOLERANCE = 0.02
UPDATE = "script/bench instructions --update"
BROWSER_LUA = pathlib.Path(__file__).resolve().parents[1] / "wrk/browser.lua"


def browser_fields():
    return re.findall(r"""^wrk\.headers\["(.+?)"\] = (?:"|')(.*)(?:"|')$""", BROWSER_LUA.read_text(), re.MULTILINE)


def requests():
    fields = "".join(f"{name}: {value}\r\n" for name, value in browser_fields())
    start = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    return {"small request": f"{start}\r\n".encode(), "browser's request": f"{start}{fields}\r\n".encode()}


def check(build, apps, update):
    """Returns the exit status."""
    binary = build / "cppcorn" if build.is_dir() else build
    found = {name: count(binary, apps, request) for name, request in requests().items()}
    if update:
        FILE.write_text(json.dumps(found, indent=1) + "\n")
        print(f"written: {found}")
        return 0
    return compare(json.loads(FILE.read_text()), found)


def compare(known, found):
    status = 0
    for name, now in found.items():
        before = known[name]
        change = f"{name}: {now} instructions, {before} in {FILE.name} ({(now / before - 1) * 100:+.1f} %)"
        if now > before * (1 + TOLERANCE):
            print(f"{change}: MORE. If that is meant to be: {UPDATE}")
            status = 1
        elif now < before * (1 - TOLERANCE):
            print(f"{change}: fewer, which the file should hold on to: {UPDATE}")
        else:
            print(f"{change}: as before")
    return status


def count(binary, apps, request):
    few, many = (worker_total(binary, apps, request, number) for number in (REQUESTS, 3 * REQUESTS))
    return round((many - few) / (2 * REQUESTS))


def worker_total(binary, apps, request, number):
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = pathlib.Path(name)
        valgrind = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={folder}/out.%p"]

        def command(setup):
            return [*valgrind, binary, "hello:app", "--app-dir", apps, "--bind", f"127.0.0.1:{setup.port}", "--workers", 1]

        setup = Setup(free_port(), 1, folder, 14, False, apps)
        with Running(Server("cppcorn", command, lambda: ""), setup) as running:
            running.wait_until_ready(60)
            workers = process_tree.children(running.pid)
            if len(workers) != 1:
                raise Failed(f"expected one worker, found {workers}")
            ask(running.port, request, number)
            running.process.send_signal(signal.SIGTERM)
            running.process.wait(60)
            return total(folder / f"out.{workers[0]}", running)


def ask(port, request, number):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        for _ in range(number):
            client.sendall(request)
            if not receive_response(client).startswith(b"HTTP/1.1 200"):
                raise Failed("did not answer 200")


def total(path, running):
    match = re.search(r"^(?:totals|summary): (\d+)", path.read_text(), re.MULTILINE) if path.exists() else None
    if not match:
        raise Failed(f"callgrind has written nothing for the worker: {running.last_words()}")
    return int(match[1])
