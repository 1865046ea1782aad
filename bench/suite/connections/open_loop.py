"""Requests that come when they come, some of them slow: how long the fast ones take, beside one ideal queue."""

import math

from ..server import Failed
from . import queue_model, service
from .clients import Client

SECONDS = 120
RATES = (100, 150, 200)
PATHS = {queue_model.FAST: "/sleep/1", queue_model.SLOW: "/sleep/500"}
IDEAL = "one queue, simulated"


def measure(scenario, plan, servers):
    traces = {rate: queue_model.poisson_trace(rate, SECONDS * plan.length, seed=rate) for rate in RATES}
    ideal = {
        rate: queue_model.fast_p99(trace, queue_model.waits(trace, scenario.workers)) * 1000 for rate, trace in traces.items()
    }
    rows = {IDEAL: {f"p99_{rate}": value for rate, value in ideal.items()} | {"unanswered": 0}}
    for server in servers:
        try:
            with plan.start(scenario, server) as running:
                service.wait_for_workers(running.pid, scenario.workers)
                rows[server.name] = _row(scenario, plan, running, traces, ideal)
        except (Failed, OSError) as error:
            rows[server.name] = {"error": str(error)}
    return rows


def _row(scenario, plan, running, traces, ideal):
    row = {"unanswered": 0}
    for rate, trace in traces.items():
        plan.say(f"{scenario.key}: {rate} a second: {running.server.name}")
        taken, found = follow(plan, running, scenario.connections, [(when, PATHS[takes]) for when, takes in trace])
        p99 = queue_model.fast_p99(trace, taken)
        row[f"p99_{rate}"] = None if math.isinf(p99) else p99
        row[f"over_{rate}"] = None if math.isinf(p99) else p99 - queue_model.limit(ideal[rate])
        row["unanswered"] += sum(map(math.isinf, taken))
        row[f"clients_{rate}"] = found
    return row


def follow(plan, running, connections, arrivals):
    """Runs a trace of (when, path). Returns the milliseconds of each, infinite without an answer, and the client's tally."""
    folder = running.setup.folder
    trace, results = folder / "trace", folder / "results"
    trace.write_text("".join(f"{when:.6f} {path}\n" for when, path in arrivals))
    options = {"port": running.port, "connections": connections, "trace": trace, "results": results}
    with Client(plan, folder, "follow_trace", **options) as client:
        found = client.finish(arrivals[-1][0] + 40)
    taken = [float(line) for line in results.read_text().splitlines()]
    return [took if took >= 0 else math.inf for took in taken], found
