"""One run of wrk, and what it says."""

import dataclasses
import re
import signal
import subprocess
import time

from . import process_tree

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclasses.dataclass
class Figures:
    requests: int
    requests_per_second: float
    p50_ms: float | None  # None: wrk knows none, as with pipelined requests that take long
    p99_ms: float | None
    cpu_us: float  # of the server's processes, a request
    errors: str = ""  # what wrk complained about; such a run counts for nothing


class Wrk:
    """Runs until stop(). wrk itself knows whole seconds only, and is therefore ended by the signal it takes for that."""

    def __init__(self, port, connections, options=()):
        threads = "2" if connections > 1 else "1"
        command = ["wrk", f"-t{threads}", f"-c{connections}", "-d600s", "--latency", *options, f"http://127.0.0.1:{port}/"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.communicate(timeout=30)[0]
        except subprocess.TimeoutExpired:
            self.kill()
            return ""

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def run(server, connections, seconds, options=()):
    """Loads the running server, and returns Figures. Answers of megabytes are under way when a run ends: their CPU time
    is by what has come, in parts of an answer."""
    before = process_tree.cpu_nanoseconds(server.pid)
    wrk = Wrk(server.port, connections, options)
    try:
        time.sleep(seconds)
        output = wrk.stop()
    finally:
        wrk.kill()
    used = process_tree.cpu_between(before, process_tree.cpu_nanoseconds(server.pid))
    return parse(output, used, server.setup.body_size)


def parse(output, cpu_seconds, body_size=0):
    total = re.search(r"(\d+) requests in", output)
    requests = int(total[1]) if total else 0
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    return Figures(
        requests=requests,
        requests_per_second=float(rate[1]) if rate else 0.0,
        p50_ms=_percentile(output, 50),
        p99_ms=_percentile(output, 99),
        cpu_us=cpu_seconds / _answers(output, requests, body_size) * 1e6 if requests else 0.0,
        errors=_errors(output) or ("" if requests else "no request was answered: " + output.strip()[-200:]),
    )


def _answers(output, requests, body_size):
    read = re.search(r"requests in \S+, ([\d.]+)([KMGT])B read", output)
    if body_size < 65536 or not read:
        return requests
    return float(read[1]) * 1024 ** (1 + "KMGT".index(read[2])) / body_size


def _percentile(output, percent):
    match = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)$", output, re.MULTILINE)
    return float(match[1]) * UNITS[match[2]] * 1000 if match and float(match[1]) > 0 else None


def _errors(output):
    lines = re.findall(r"^\s*(Socket errors: .*|Non-2xx or 3xx responses: \d+)$", output, re.MULTILINE)
    return "; ".join(lines)
