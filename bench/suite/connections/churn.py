"""Workers that come and go by plan: a reload each second, upgrades, recycling. Clients should notice none of it."""

import contextlib
import time

from ..server import Failed
from . import service
from .clients import Client, total

SECONDS = 60
UPGRADES = 20
BUSY, LONG_IDLE = 40, 20  # clients: those that ask all the time, and those that ask every few seconds
MAX_REQUESTS = ("--max-requests", "500")


def measure(scenario, plan, servers):
    return {server.name: _row(scenario, plan, server) for server in servers}


def _row(scenario, plan, server):
    row = {}
    kinds = {"reload": (_reload, ()), "upgrade": (_upgrade, ()), "recycle": (_recycle, MAX_REQUESTS)}
    for kind, (do, arguments) in kinds.items():
        if kind not in server.churn:
            row |= {f"{kind}_lost": None, f"{kind}_reconnects": None}
            continue
        plan.say(f"{scenario.key}: {kind}: {server.name}")
        try:
            with plan.start(scenario, server, arguments) as running:
                found = _under_load(scenario, plan, running, lambda: do(plan, running, scenario.workers, server))
        except (Failed, OSError) as error:
            return {"error": f"{kind}: {error}"}
        row |= {f"{kind}_{name}": value for name, value in found.items()}
    row["lost"] = sum(row[f"{kind}_lost"] or 0 for kind in kinds)
    row["reconnects"] = sum(row[f"{kind}_reconnects"] or 0 for kind in kinds)
    return row


def _under_load(scenario, plan, running, churn):
    service.wait_for_workers(running.pid, scenario.workers)
    path = ",".join(scenario.paths)
    kinds = [(BUSY, "0,50"), (LONG_IDLE, "2000,8000")]
    with contextlib.ExitStack() as stack:
        clients = []
        for connections, think in kinds:
            options = {"port": running.port, "connections": connections, "think_ms": think, "paths": path, "seconds": 900}
            clients.append(stack.enter_context(Client(plan, running.setup.folder, "keep_asking", **options)))
        time.sleep(1)
        times = churn()
        time.sleep(1)
        found = total([client.stop() for client in clients])
        return found | {"times": times, "said": "\n".join(client.said() for client in clients)}


def _reload(plan, running, workers, server):
    """One signal a second, whether or not the one before is done."""
    end = time.monotonic() + SECONDS * plan.length
    times = 0
    while time.monotonic() < end:
        running.process.send_signal(server.reload)
        times += 1
        time.sleep(1)
    service.wait_for_workers(running.pid, workers)
    return times


def _upgrade(plan, running, workers, _):
    master = running.pid
    times = max(1, round(UPGRADES * plan.length))
    for _ in range(times):
        master = service.upgrade(master, workers)
        running.process.poll()  # the first master is our child
        time.sleep(0.5)
    return times


def _recycle(plan, running, workers, _):
    """Counts how many workers there were."""
    seen = set()
    end = time.monotonic() + SECONDS * plan.length
    while time.monotonic() < end:
        seen |= set(service.workers(running.pid))
        time.sleep(0.05)
    return len(seen) - workers
