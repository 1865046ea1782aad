"""Three instances of a server, each on a machine of its own."""

import os
import signal

from harness import Server, is_alive, is_sleeping, wait_until
from network import FRONT, MACHINES

WORKERS = 4
NAMES = ("app1", "app2", "app3")
STATUS_PORT = 9000


class Instance:
    """One instance, over any number of restarts and upgrades."""

    def __init__(self, network, machine, args):
        self.name = NAMES[machine]
        self.address = MACHINES[machine]
        self._wrapper = network.on(machine)
        self._args = args
        self._server = None

    def start(self, stop_code=0):
        self._server = Server(
            "faults:app",
            "--workers", WORKERS,
            "--env", f"INSTANCE={self.name}",
            "--forwarded-allow-ips", FRONT,
            "--status-bind", f"{self.address}:{STATUS_PORT}",
            *self._args,
            bind=f"{self.address}:8000",
            wait=WORKERS,
            wrapper=self._wrapper,
            stop_code=stop_code,
        )
        self._server.__enter__()
        self.pid = self._server.pid

    def tell_to_stop(self):
        os.kill(self.pid, signal.SIGTERM)

    def stop(self):
        self.tell_to_stop()
        wait_until(lambda: not is_alive(self.pid), 30, f"the end of {self.name}")
        server, self._server = self._server, None
        server.__exit__(None)

    def upgrade(self):
        """As docs/operating.md has it: USR2, the new workers' lines, TERM to the old master."""
        ready = self._server.count_log("Worker ready")
        os.kill(self.pid, signal.SIGUSR2)
        new = int(self._server.wait_log(r"started the new master \(pid:(\d+)\)", 20)[-1][1])
        self._server.wait_log("Worker ready", 20, count=ready + WORKERS)
        os.kill(self.pid, signal.SIGTERM)
        wait_until(lambda: not is_alive(self.pid), 30, f"the end of {self.name}'s old master")
        self.pid = new

    def busy(self):
        """How many of its workers are in the app's sleep."""
        return sum(map(is_sleeping, self._server.worker_pids()))

    def kill(self):
        """All of its processes at once, as a machine dies whose kernel lives on."""
        os.killpg(self._server.pid, signal.SIGKILL)
        self.discard()

    def discard(self):
        """What is left of it, if anything, without a look at how it ended."""
        if self._server is not None:
            server, self._server = self._server, None
            server.__exit__(KeyboardInterrupt)

    def complaints(self):
        return self._server.complaints()


class Fleet:
    """The three, for one `with` block."""

    def __init__(self, network, *args):
        self.instances = [Instance(network, machine, args) for machine in range(len(MACHINES))]

    def __enter__(self):
        for instance in self.instances:
            instance.start()
        return self

    def __exit__(self, kind, *_):
        for instance in self.instances:
            if kind is None and instance._server is not None:
                instance.stop()
            instance.discard()
