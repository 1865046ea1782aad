"""Proportional set size of all processes of a server: when it has started, and when it has worked."""

from . import load, process_tree
from .server import Failed


def measure(scenario, plan, servers):
    rows = {}
    for server in servers:
        plan.say(f"{scenario.key}: {server.name}")
        try:
            with plan.start(scenario, server) as running:
                fresh = process_tree.pss_bytes(running.pid)
                load.run(running, scenario.connections, plan.seconds)
                worked = process_tree.pss_bytes(running.pid)
                count = len(process_tree.tree(running.pid))
                rows[server.name] = {"fresh_mib": fresh / 2**20, "worked_mib": worked / 2**20, "processes": count}
        except (Failed, OSError) as error:
            rows[server.name] = {"error": str(error)}
    return rows
