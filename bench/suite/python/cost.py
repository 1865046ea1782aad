"""What a request, a start and workers cost, and how that compares with the fastest peer's and with gunicorn's."""

import statistics

from .. import memory, rounds, start


def measure(scenario, plan, servers):
    rows = rounds.measure(scenario, plan, servers)
    peers = {name: row for name, row in rows.items() if "error" not in row and name not in plan.cppcorns}
    for name in plan.cppcorns:
        if "error" not in rows.get(name, {"error": ""}) and peers:
            rows[name] |= compared(rows[name], peers)
    return rows


def compared(row, peers):
    fastest = min(peers, key=lambda name: peers[name]["cpu_us"])
    found = {"fastest": fastest, "of_fastest": ratio(row, peers[fastest])}
    if "gunicorn sync" in peers:
        found["of_gunicorn"] = ratio(row, peers["gunicorn sync"])
    return found


def ratio(row, other):
    return statistics.median(a["cpu_us"] / b["cpu_us"] for a, b in zip(row["rounds"], other["rounds"]))


def measure_start(scenario, plan, servers):
    rows = start.measure(scenario, plan, servers)
    gunicorns = [row["start_ms"] for name, row in rows.items() if name.startswith("gunicorn") and "error" not in row]
    for name in plan.cppcorns:
        if gunicorns and "error" not in rows.get(name, {"error": ""}):
            rows[name]["of_gunicorn"] = rows[name]["start_ms"] / min(gunicorns)
    return rows


def measure_memory(scenario, plan, servers):
    rows = memory.measure(scenario, plan, servers)
    for name in plan.cppcorns:
        if "worked_mib" in (preloaded := rows.get(f"{name} --preload", {})):
            rows[name]["preloaded_mib"] = preloaded["worked_mib"]
    return rows
