"""Two thousand clients that send or read 20 KB a second: what another client notices, and what they cost in memory."""

import math
import threading

from ..server import Failed, output_of
from . import queue_model, service
from .clients import Client
from .open_loop import follow

SECONDS = 60
RAMP = 60  # seconds within which they come, since the readers' answers are 10 GB; normal clients are looked at then, too
SENDERS = READERS = 1000
RATE, BYTES = 20_000, 10_485_760
NORMAL_RATE, NORMAL_CONNECTIONS = 100, 8  # requests a second of the normal clients, in an open loop


def measure(scenario, plan, servers):
    rows = {}
    for server in servers:
        try:
            with plan.start(scenario, server, _spool(server)) as running:
                service.wait_for_workers(running.pid, scenario.workers)
                rows[server.name] = _row(scenario, plan, running)
        except (Failed, OSError) as error:
            rows[server.name] = {"error": str(error)}
    return rows


def _spool(server):
    """A thousand answers of 10 MB are more than the default."""
    has_it = server.binary and "--spool-limit" in (output_of(str(server.binary), "--help") or "")
    return ("--spool-limit", "12G") if has_it else ()


def _row(scenario, plan, running):
    seconds, ramp = SECONDS * plan.length, RAMP * plan.length
    plan.say(f"{scenario.key}: without: {running.server.name}")
    without, _ = _normal_client(plan, running, seconds / 2)
    plan.say(f"{scenario.key}: with: {running.server.name}")
    many = {"senders": round(SENDERS * plan.length), "readers": round(READERS * plan.length)}
    options = many | {"rate": RATE, "bytes": BYTES, "seconds": 600, "ramp": ramp}
    with Client(plan, running.setup.folder, "slow_clients", port=running.port, **options) as slow:
        with _Watch(running.pid) as watch:
            coming, unanswered_then = _normal_client(plan, running, ramp)
            with_them, unanswered = _normal_client(plan, running, seconds)
        found = slow.stop()
    added = None if with_them is None or without is None else with_them - without
    senders, readers = found["senders"], found["readers"]
    return {
        "p99_without": without,
        "p99_coming": coming,
        "p99_with": with_them,
        "p99_added": added,
        "unanswered": unanswered_then + unanswered,
        "worker_mib": watch.highest / 2**20,
        "cut": senders["cut"] + senders["refused"] + readers["cut"] + readers["refused"],
        "late": senders["late"] + readers["late"],
        "waiting": senders["waiting"] + readers["waiting"],
        "wrong": readers["wrong"],
        "slow_clients": found,
    }


def _normal_client(plan, running, seconds):
    """The 99th percentile in ms, or None where that many got no answer; and how many got none."""
    trace = queue_model.poisson_trace(NORMAL_RATE, seconds, seed=1, slow_share=0)
    taken, _ = follow(plan, running, NORMAL_CONNECTIONS, [(when, "/sleep/1") for when, _ in trace])
    p99 = queue_model.percentile(taken, 0.99)
    return (None if math.isinf(p99) else p99), sum(map(math.isinf, taken))


class _Watch:
    """The most memory (RSS) that any one worker had, looked at twice a second."""

    def __init__(self, master):
        self.master = master
        self.highest = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _run(self):
        while not self._end.wait(0.5):
            self.highest = max([self.highest, *(service.memory(pid, "Rss") for pid in service.workers(self.master))])
