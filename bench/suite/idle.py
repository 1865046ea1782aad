"""Ten thousand connections that ask for nothing: what they cost, and what they cost somebody who does ask."""

import contextlib
import socket
import time

from . import load, process_tree
from .server import Failed, receive_response

CONNECTIONS = 10_000
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def measure(scenario, plan, servers):
    rows = {}
    for server in servers:
        plan.say(f"{scenario.key}: {server.name}")
        try:
            with plan.start(scenario, server) as running:
                rows[server.name] = _row(running, plan.seconds)
        except (Failed, OSError) as error:
            rows[server.name] = {"error": str(error)}
    return rows


def _row(running, seconds):
    load.run(running, 64, min(0.5, seconds))  # the memory that an active server has anyhow
    without = load.run(running, 64, seconds)
    before = process_tree.pss_bytes(running.pid)
    with contextlib.ExitStack() as stack:
        deadline = time.monotonic() + 30
        for number in range(CONNECTIONS):
            if time.monotonic() > deadline:
                raise Failed(f"has answered only {number} of {CONNECTIONS} connections within 30 seconds")
            client = stack.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=20))
            client.sendall(REQUEST)
            receive_response(client)
        time.sleep(0.2)
        after = process_tree.pss_bytes(running.pid)
        with_them = load.run(running, 64, seconds)
    if without.errors or with_them.errors:
        raise Failed(without.errors or with_them.errors)
    return {
        "bytes_each": (after - before) / CONNECTIONS,
        "cpu_us_without": without.cpu_us,
        "cpu_us_with": with_them.cpu_us,
        "p99_ms_without": without.p99_ms,
        "p99_ms_with": with_them.p99_ms,
    }
