"""Our own clients (bench/clients), as processes that end by themselves or when they are told to."""

import json
import os
import signal
import subprocess

from ..server import Failed

COUNTS = ("answered", "wrong", "announced", "unanswered", "cut", "refused", "closed_idle", "reconnects")


class Client:
    """A running client; a context that ends it. Its options are of bench/clients/<program>.cpp."""

    def __init__(self, plan, folder, program, **options):
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
        name = f"{program}-{os.urandom(3).hex()}"
        self.output, self.complaints = folder / f"{name}.out", folder / f"{name}.err"
        with self.output.open("wb") as output, self.complaints.open("wb") as errors:
            command = [str(plan.programs / program), *words]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def finish(self, seconds):
        """Waits for its own end; returns what it says."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"a client does not end: {self.said()}") from error
        found = self.latest()
        if self.process.returncode != 0 or found is None:
            raise Failed(f"a client ended with {self.process.returncode}: {self.said()}")
        return found

    def latest(self):
        """What it has said last, or None."""
        lines = self.output.read_text().rpartition("\n")[0].splitlines()
        return json.loads(lines[-1]) if lines else None

    def stop(self, seconds=60):
        """Ends it once it has the answers that are due."""
        self.process.send_signal(signal.SIGTERM)
        return self.finish(seconds)

    def said(self):
        """What it told of requests that went wrong, a line each."""
        return self.complaints.read_text(errors="replace").strip()


def total(outcomes):
    """The sums of what several clients say, with the slowest's times."""
    sums = {name: sum(outcome[name] for outcome in outcomes) for name in COUNTS}
    statuses = [(int(status), count) for outcome in outcomes for status, count in outcome["statuses"].items()]
    sums["errors"] = sum(count for status, count in statuses if status >= 500)
    sums["lost"] = sums["unanswered"] + sums["cut"] + sums["refused"]
    for name in ("p50_ms", "p99_ms", "max_ms"):
        sums[name] = max(outcome[name] for outcome in outcomes)
    return sums
