"""What an understudy has in memory for itself alone."""

from .. import load
from ..server import Failed
from . import service


def measure(scenario, plan, servers):
    rows = {}
    for server in servers:
        for name, arguments in {server.name: (), f"{server.name} --preload": ("--preload",)}.items():
            plan.say(f"{scenario.key}: {name}")
            try:
                with plan.start(scenario, server, arguments) as running:
                    rows[name] = _row(running, plan, scenario)
            except (Failed, OSError) as error:
                rows[name] = {"error": str(error)}
    return rows


def _row(running, plan, scenario):
    service.wait_for_workers(running.pid, scenario.workers)
    load.run(running, scenario.connections, plan.seconds)
    understudies = service.processes(running.pid, "understudy")
    if len(understudies) != scenario.workers:
        return {"error": f"skipped: {len(understudies)} understudies of {scenario.workers} workers"}
    lookouts = service.processes(running.pid, "lookout")
    return {
        "understudy_kib": max(service.memory(pid, "Private") for pid in understudies) / 1024,
        "lookout_kib": max((service.memory(pid, "Private") for pid in lookouts), default=0) / 1024,
        "worker_kib": max(service.memory(pid, "Private") for pid in service.workers(running.pid)) / 1024,
    }
