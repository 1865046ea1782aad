"""Servers under wrk, in turns: what disturbs the machine for a while disturbs all of them alike."""

import contextlib
import statistics

from . import load
from .server import Failed


def measure(scenario, plan, servers):
    with contextlib.ExitStack() as stack:
        running, rows = {}, {}
        for server in servers:
            try:
                running[server.name] = stack.enter_context(plan.start(scenario, server))
                load.run(running[server.name], scenario.connections, min(0.3, plan.seconds), scenario.options)  # to warm up
            except (Failed, OSError) as error:
                rows[server.name] = {"error": str(error)}
                running.pop(server.name, None)
        figures = {name: [] for name in running}
        for number in range(plan.rounds):
            turns = list(running.items())
            for name, server in turns if number % 2 == 0 else reversed(turns):  # who comes first is not always the same
                plan.say(f"{scenario.key}: round {number + 1} of {plan.rounds}: {name}")
                figures[name].append(load.run(server, scenario.connections, plan.seconds, scenario.options))
        baseline = figures.get(scenario.baseline)
        for name, of_server in figures.items():
            rows[name] = row(of_server, baseline)
            rows[name]["head_bytes"] = len(running[name].head) + 4
        return {server.name: rows[server.name] for server in servers}


def row(figures, baseline):
    """Medians of a server's rounds; its ratio to the baseline is taken within each round first."""
    if complaints := [figure.errors for figure in figures if figure.errors]:
        return {"error": complaints[0], "rounds": [vars(figure) for figure in figures]}

    def middle(field):
        known = [value for figure in figures if (value := getattr(figure, field)) is not None]
        return statistics.median(known) if known else None

    result = {field: middle(field) for field in ("requests_per_second", "p50_ms", "p99_ms", "cpu_us")}
    if baseline and not any(figure.errors for figure in baseline):
        ratios = [figure.cpu_us / base.cpu_us for figure, base in zip(figures, baseline) if base.cpu_us]
        result |= {"ratio": statistics.median(ratios), "ratio_low": min(ratios), "ratio_high": max(ratios)}
    return result | {"rounds": [vars(figure) for figure in figures]}


def measure_access_log(scenario, plan, servers):
    """Each cppcorn with and without an access log; the rows tell the difference."""
    from .servers import with_access_log

    pairs = [(server, with_access_log(server)) for server in servers]
    rows = measure(scenario, plan, [server for pair in pairs for server in pair])
    for server, logged in pairs:
        if "rounds" not in rows[server.name] or "cpu_us" not in rows[logged.name]:
            continue
        both = zip(rows[logged.name]["rounds"], rows[server.name]["rounds"])
        differences = [more["cpu_us"] - less["cpu_us"] for more, less in both]
        low, high = min(differences), max(differences)
        rows[logged.name] |= {"added_us": statistics.median(differences), "added_low": low, "added_high": high}
    return rows
