"""A server of statsd, as far as tests need one: it adds up what it is sent."""

import re
import socket
from collections import Counter

LINE = re.compile(r"([A-Za-z0-9_.-]+):(-?[0-9.e+-]+)\|(c|g|ms)(?:\|@([0-9.e-]+))?(?:\|#(\S+))?")


class StatsdReceiver:
    """At a UDP port of its own, or at `path`, a unix socket."""

    def __init__(self, path=None, port=0):
        if path is not None:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.sock.bind(str(path))
            self.address = f"unix://{path}"
        else:
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.bind(("127.0.0.1", port))
            self.address = f"127.0.0.1:{self.sock.getsockname()[1]}"
        self.sock.setblocking(False)
        self.sizes = []
        self.counts, self.gauges, self.times, self.tags = Counter(), {}, {}, set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def take(self):
        """Adds what has come; returns itself."""
        while True:
            try:
                datagram = self.sock.recv(65536)
            except BlockingIOError:
                return self
            self.sizes.append(len(datagram))
            for line in datagram.decode("ascii").split("\n"):
                self.add(*LINE.fullmatch(line).groups())

    def add(self, name, value, kind, rate, tags):
        self.tags.add(tags)
        if kind == "c":
            self.counts[name] += int(value)
        elif kind == "g":
            self.gauges[name] = int(value)
        else:
            self.times.setdefault(name, []).append((float(value), 1 / float(rate or 1)))

    def count(self, name):
        return self.take().counts[name]
