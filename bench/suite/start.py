"""From the start of the program to its first answer."""

import statistics
import time

from .server import Failed, Running, Setup, free_port


def measure(scenario, plan, servers):
    times = {server.name: [] for server in servers}
    failures = {}
    for number in range(plan.rounds):
        for server in servers:
            if server.name in failures:
                continue
            plan.say(f"{scenario.key}: round {number + 1} of {plan.rounds}: {server.name}")
            try:
                times[server.name].append(_milliseconds(scenario, plan, server))
            except (Failed, OSError) as error:
                failures[server.name] = {"error": str(error)}
    return {server.name: failures.get(server.name) or _row(times[server.name]) for server in servers}


def _row(times):
    return {"start_ms": statistics.median(times), "start_low": min(times), "start_high": max(times), "rounds": times}


def _milliseconds(scenario, plan, server):
    setup = Setup(free_port(), scenario.workers, plan.folder_for(scenario, server), 14, False, plan.programs, app=scenario.app)
    began = time.monotonic()
    with Running(server, setup) as running:
        while time.monotonic() < began + 20:
            try:
                if running.get(timeout=20).startswith(b"HTTP/1.1 200"):
                    return (time.monotonic() - began) * 1000
            except OSError:
                time.sleep(0.0002)
            if running.process.poll() is not None:
                raise Failed(f"ended: {running.last_words()}")
    raise Failed("did not answer within 20 seconds")
