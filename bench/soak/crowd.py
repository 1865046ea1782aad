"""All kinds of clients at once, and the sums of what became of their requests."""

import contextlib

from suite.connections.clients import Client, total

EVERY = 5  # seconds, in which each tells of itself

ASKING = {
    "busy": {"connections": 60, "think_ms": "0,50", "paths": "/,/sleep/1,/sleep/3"},
    "now and then": {"connections": 40, "think_ms": "1000,20000", "paths": "/,/sleep/2"},
    "a connection each": {"connections": 10, "think_ms": "20,100", "paths": "/sleep/1", "close": 1},
    "uploads": {"connections": 6, "think_ms": "100,500", "body": 300_000},
    "large answers": {"connections": 6, "think_ms": "100,500", "paths": "/bytes/3000000"},
    "slow requests": {"connections": 3, "think_ms": "500,1500", "paths": "/sleep/300"},
}
SLOW = {"senders": 40, "readers": 40, "rate": 20_000, "bytes": 1_000_000, "again": 1, "ramp": 10}


class Crowd:
    """Running clients; a context that ends them."""

    def __init__(self, plan, folder, port):
        common = {"port": port, "seconds": 1_000_000, "every": EVERY}
        self._stack = contextlib.ExitStack()
        self.clients = {
            name: self._stack.enter_context(Client(plan, folder, "keep_asking", **common, **options))
            for name, options in ASKING.items()
        }
        self.slow = self._stack.enter_context(Client(plan, folder, "slow_clients", **common, **SLOW))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def sums(self):
        """What all have told so far; None before the first has."""
        told = [client.latest() for client in self.clients.values()]
        slow = self.slow.latest()
        return sums_of(told, slow) if slow and all(told) else None

    def stop(self):
        slow = self.slow.stop()
        told = {name: client.stop(90) for name, client in self.clients.items()}
        return sums_of(list(told.values()), slow), told | {"slow": slow}

    def said(self):
        return {name: client.said() for name, client in self.clients.items()}


def sums_of(told, slow):
    """cut: an answer that had begun and ended early. A slow client's connection is a request, or the whole of one."""
    sums = total(told) | {"p99_ms": told[0]["p99_ms"]}  # of the busy
    sums["lost"] -= sums["cut"]
    for side in ("senders", "readers"):
        sums["answered"] += slow[side]["done"]
        sums["errors"] += slow[side]["errors"]
        sums["wrong"] += slow[side]["wrong"]
    sums["lost"] += slow["senders"]["cut"]
    sums["cut"] += slow["readers"]["cut"]
    return sums
