"""How long it takes until all workers are new ones while clients ask on, and what the clients notice."""

import time

from . import load, process_tree
from .server import Failed


def measure(scenario, plan, servers):
    rows = {}
    for server in servers:
        plan.say(f"{scenario.key}: {server.name}")
        try:
            with plan.start(scenario, server) as running:
                rows[server.name] = _row(running, server.reload, scenario.connections)
        except (Failed, OSError) as error:
            rows[server.name] = {"error": str(error)}
    return rows


def _row(running, signal, connections):
    wrk = load.Wrk(running.port, connections)
    try:
        time.sleep(0.5)
        old = set(process_tree.workers(running.pid))
        began = time.monotonic()
        running.process.send_signal(signal)
        while not _is_new(running, old):
            if time.monotonic() > began + 20:
                raise Failed("old workers are still there after 20 seconds")
            time.sleep(0.002)
        took = time.monotonic() - began
        time.sleep(0.5)
        figures = load.parse(wrk.stop(), 0)
    finally:
        wrk.kill()
    return {"reload_ms": took * 1000, "requests": figures.requests, "seen": figures.errors or "none", "p99_ms": figures.p99_ms}


def _is_new(running, old):
    workers = set(process_tree.workers(running.pid))
    return len(workers) >= len(old) and not workers & old
