"""A connection whose worker is busy with another's request, while the other worker has nothing to do: how long it waits."""

import random
import re
import socket
import statistics
import time

from ..server import Failed, receive_response

TRIALS = 60
CONNECTIONS = 8
BUSY_MS = 300


def measure(scenario, plan, servers):
    rows = {}
    for server in servers:
        plan.say(f"{scenario.key}: {server.name}")
        try:
            with plan.start(scenario, server) as running:
                rows[server.name] = _row(running, max(5, round(TRIALS * plan.length)))
        except (Failed, OSError) as error:
            rows[server.name] = {"error": str(error)}
    return rows


def _row(running, trials):
    clients = [socket.create_connection(("127.0.0.1", running.port), timeout=20) for _ in range(CONNECTIONS)]
    try:
        waits = [_trial(clients) for _ in range(trials)]
    finally:
        for client in clients:
            client.close()
    return {"wait_ms": statistics.median(waits), "wait_high": max(waits), "wait_low": min(waits), "waits": waits}


def _trial(clients):
    """One of two connections that the same worker answered last asks for something slow, the other for something fast."""
    owners = [_ask(client, "/pid") for client in clients]
    shared = [owner for owner in owners if owners.count(owner) > 1]  # there are two workers and more connections
    pair = [at for at, owner in enumerate(owners) if owner == random.choice(shared)]
    pair = pair if len(pair) > 1 else [at for at, owner in enumerate(owners) if owner == shared[0]]
    slow, fast = (clients[at] for at in random.sample(pair, 2))
    _send(slow, f"/sleep/{BUSY_MS}")
    time.sleep(random.uniform(0.001, 0.02))
    began = time.monotonic()
    _ask(fast, "/")
    wait = (time.monotonic() - began) * 1000
    receive_response(slow)
    return wait


def _send(client, path):
    client.sendall(f"GET {path}?q HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())


def _ask(client, path):
    _send(client, path)
    head, _, body = receive_response(client).partition(b"\r\n\r\n")
    if not re.match(rb"HTTP/1.1 200", head):
        raise Failed(f"answers {head[:60]!r}")
    return body
