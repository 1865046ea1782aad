"""What the status process costs: the service with it, scraped once a second, and without, by turns.

    PYTHONPATH=bench /usr/bin/python3 -m status_cost [--pairs N] [--seconds S] [--build BUILD] [--wide WORKERS]

Each pair runs all kinds within seconds of each other, in an order that changes, so that whatever else the machine does
happens to all. Of a request counts the CPU time of the worker. On a machine that is busy only the instructions say
anything.
"""

import argparse
import os
import pathlib
import socket
import statistics
import tempfile
import threading
import time
import urllib.request

from suite import instructions, process_tree
from suite.load import Wrk, parse
from suite.server import Running, Server, Setup, free_port

ROOT = pathlib.Path(__file__).resolve().parents[1]
CONNECTIONS = 16


def nanoseconds(pid):
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def status_pid(master):
    for child in process_tree.children(master):
        if pathlib.Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"cppcorn: status ["):
            return child
    return None


def private_kib(pid):
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))


class Scraper:
    """Asks for /metrics once a second, as Prometheus does."""

    def __init__(self, port):
        self.port, self.times, self.stopped = port, [], threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def ask(self):
        began = time.monotonic()
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10).read()
        self.times.append(time.monotonic() - began)

    def run(self):
        while not self.stopped.wait(1):
            self.ask()

    def stop(self):
        self.stopped.set()
        self.thread.join()


def start(options, folder, kind, workers):
    """The server of one kind, and the port of its status process."""
    status_port = free_port()
    more = {"off": [], "scraped": ["--status-bind", f"127.0.0.1:{status_port}"], "statsd": ["--statsd-host", "127.0.0.1"]}

    def command(setup):
        args = ["hello:app", "--app-dir", options.build / "apps", "--bind", f"127.0.0.1:{setup.port}"]
        return [options.build / "cppcorn", *args, "--workers", workers, *more[kind]]

    setup = Setup(free_port(), workers, folder, 14, False, options.build / "apps")
    return Running(Server("cppcorn", command, lambda: ""), setup), status_port


def measure(options, kind):
    """Microseconds of a request. And of the status process: the part of a core, private KiB."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        running, status_port = start(options, pathlib.Path(folder), kind, 1)
        with running:
            running.wait_until_ready(20)
            [worker] = process_tree.workers(running.pid)
            status = status_pid(running.pid)
            scraper = Scraper(status_port) if kind == "scraped" else None
            before, began = nanoseconds(worker), time.monotonic()
            status_before = nanoseconds(status) if status else 0
            wrk = Wrk(running.port, CONNECTIONS)
            time.sleep(options.seconds)
            figures = parse(wrk.stop(), 0)
            used = nanoseconds(worker) - before
            share = (nanoseconds(status) - status_before) / 1e9 / (time.monotonic() - began) if status else 0
            memory = private_kib(status) if status else 0
            if scraper:
                scraper.stop()
    return used / figures.requests / 1e3, share, memory


def wide(options):
    """At many workers: seconds of one answer, its CPU time, and the status process's memory."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        running, port = start(options, pathlib.Path(folder), "scraped", options.wide)
        with running:
            running.wait_until_ready(60)
            status = status_pid(running.pid)
            with socket.create_connection(("127.0.0.1", port)) as sock:
                times = []
                before = nanoseconds(status)
                for _ in range(200):
                    began = time.monotonic()
                    sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                    answer = b""
                    while not answer.endswith(b"\n") or b"log_lines_dropped_total " not in answer:
                        answer += sock.recv(1 << 16)
                    times.append(time.monotonic() - began)
                spent = (nanoseconds(status) - before) / 200 / 1e9
            # And once a second, as it is asked as a rule.
            scraper = Scraper(port)
            before, began = nanoseconds(status), time.monotonic()
            time.sleep(5)
            share = (nanoseconds(status) - before) / 1e9 / (time.monotonic() - began)
            scraper.stop()
            return statistics.median(times), min(times), spent, share, private_kib(status)


def count_instructions(options):
    """In the worker, of one small request."""
    more = {
        "off": (),
        "scraped": ("--status-bind", f"127.0.0.1:{free_port()}"),
        "statsd": ("--statsd-host", "127.0.0.1"),
    }
    found = {}
    for kind, arguments in more.items():
        found[kind] = instructions.count(options.build / "cppcorn", options.build / "apps", instructions.Kind(arguments=arguments))
    for kind, count in found.items():
        print(f"{kind:8} {count} instructions a request, {count / found['off']:.4f} of those without")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--wide", type=int, default=64)
    options = parser.parse_args()
    options.build = options.build.resolve()
    count_instructions(options)
    kinds = ["off", "scraped", "statsd"]
    found = {kind: [] for kind in kinds}
    for pair in range(options.pairs):
        for kind in kinds[pair % 3 :] + kinds[: pair % 3]:
            found[kind].append(measure(options, kind))
    print(f"load {os.getloadavg()[0]:.1f}; {options.pairs} pairs of {options.seconds} s, one worker, {CONNECTIONS} connections")
    for kind in kinds:
        time_of_one, share, memory = (statistics.median(column) for column in zip(*found[kind]))
        ratio = statistics.median(one[0] / off[0] for one, off in zip(found[kind], found["off"]))
        least = min(one[0] for one in found[kind]) / min(off[0] for off in found["off"])
        print(
            f"{kind:8} {time_of_one:.2f} µs of CPU a request; to off: {ratio:.4f} (median of pairs), {least:.4f} (of the least); "
            f"status process {share * 100:.3f} % of a core, {memory} KiB private"
        )
    median, least, spent, share, memory = wide(options)
    print(
        f"{options.wide} workers: /metrics in {median * 1e3:.2f} ms (median; least {least * 1e3:.2f}), {spent * 1e3:.2f} ms of CPU; "
        f"scraped once a second {share * 100:.3f} % of a core, {memory} KiB private"
    )


if __name__ == "__main__":
    main()
