"""SIGKILL to workers while clients ask on: what it costs them."""

import os
import random
import signal
import time

from ..server import Failed
from . import service
from .clients import Client, total

KILLS = 100


def measure(scenario, plan, servers):
    rows = {}
    for server in servers:
        plan.say(f"{scenario.key}: {server.name}")
        try:
            with plan.start(scenario, server) as running:
                rows[server.name] = _row(scenario, plan, running)
        except (Failed, OSError) as error:
            rows[server.name] = {"error": str(error)}
    return rows


def _row(scenario, plan, running):
    count = max(1, round(KILLS * plan.length))
    service.wait_for_workers(running.pid, scenario.workers)
    options = {"connections": scenario.connections, "paths": ",".join(scenario.paths), "seconds": 600}
    with Client(plan, running.setup.folder, "keep_asking", port=running.port, **options) as client:
        time.sleep(1)
        for _ in range(count):
            kill_one(running.pid)
            time.sleep(random.uniform(0.1, 0.4))
            service.wait_for_workers(running.pid, scenario.workers)
        found = total([client.stop()])
        found["said"] = client.said()
    time.sleep(0.2)  # for the last lines of the log
    return found | {"kills": count} | _by_log(running, found)


def kill_one(master, number=signal.SIGKILL):
    if pids := service.workers(master):
        try:
            os.kill(random.choice(pids), number)
        except ProcessLookupError:
            pass


def _by_log(running, found):
    if not service.title(running.pid).startswith(service.OURS):
        return {"while_serving": None}
    ends = service.ends_while_serving(running.log)
    return {
        "while_serving": ends,
        "errors_beyond": max(0, found["errors"] - ends),
        "reconnects_beyond": max(0, found["reconnects"] - found["errors"]),
    }
