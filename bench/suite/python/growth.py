"""What is left of a million requests: memory of a worker, and references, by an interpreter that counts them."""

import pathlib
import re
import socket
import statistics

from .. import load, process_tree
from ..server import Failed, Running, Setup, free_port, receive_response
from . import servers as ours

REQUESTS = 1_000_000
DEBUG_PYTHON = pathlib.Path("/usr/bin/python3-dbg")


def measure(scenario, plan, servers):
    rows = {}
    for server in servers:
        try:
            rows[server.name] = _memory(scenario, plan, server) | _references(scenario, plan, server)
        except (Failed, OSError) as error:
            rows[server.name] = {"error": str(error)}
    return rows


def _memory(scenario, plan, server):
    """RSS of the worker at the middle and at the end; the spread of the last half is what counts."""
    wanted = round(REQUESTS * plan.length)
    with plan.start(scenario, server) as running:
        worker = process_tree.workers(running.pid)[0]
        done, seen = 0, []
        while done < wanted:
            plan.say(f"{scenario.key}: {done:,} of {wanted:,} requests")
            figures = load.run(running, scenario.connections, plan.seconds)
            if figures.errors:
                raise Failed(figures.errors)
            done += figures.requests
            seen.append((done, rss_kib(worker)))
        half = [kib for at, kib in seen if at >= done / 2]
        return {"requests": done, "rss_mib": half[-1] / 1024, "growth_kib": half[-1] - half[0], "samples": seen}


def _references(scenario, plan, server, requests=10_000):
    """By how many sys.gettotalrefcount() has grown for each thousand requests; nothing where no interpreter counts."""
    package = plan.programs / "counted"
    if not DEBUG_PYTHON.exists() or not package.exists():
        return {}
    plan.say(f"{scenario.key}: references")
    setup = Setup(free_port(), 1, plan.folder_for(scenario, server), 14, False, plan.programs, app="counted")
    with Running(ours.by_interpreter(DEBUG_PYTHON, package), setup) as running:
        running.wait_until_ready(60)
        with socket.create_connection(("127.0.0.1", running.port)) as client:
            counts = [_count_after(client, requests) for _ in range(4)]
    growth = [after - before for before, after in zip(counts[1:], counts[2:])]
    return {"references": statistics.median(growth) / (requests / 1000), "reference_counts": counts}


def _count_after(client, requests):
    for _ in range(requests):
        client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        receive_response(client)
    client.sendall(b"GET /references HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return int(receive_response(client).rpartition(b"\r\n\r\n")[2])


def rss_kib(pid):
    return int(re.search(r"^VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1])
