"""What is done to the service: workers are killed, everything is reloaded, and a new master takes over."""

import os
import random
import signal
import threading
import time

from suite.connections import service
from suite.server import Failed

# A worker that is stopped is deaf, and ends by --timeout; TERM lets it finish.
SIGNALS = {signal.SIGKILL: 10, signal.SIGSEGV: 4, signal.SIGABRT: 2, signal.SIGTERM: 3, signal.SIGSTOP: 1}
KILL_EVERY, RELOAD_EVERY, UPGRADE_EVERY = 3.0, 10.0, 60.0


class Disturbances:
    """Two threads: one kills, the other reloads and upgrades. A context that ends them."""

    def __init__(self, master, workers):
        self.master = master
        self.workers = workers
        self.counts = {"kills": 0, "reloads": 0, "upgrades": 0, "refused upgrades": 0}
        self.faults = []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._guarded, args=(do,)) for do in (self._kill, self._replace)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self._end.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _guarded(self, do):
        try:
            do()
        except (Failed, OSError) as error:
            self.faults.append(f"{time.strftime('%H:%M:%S')} {do.__name__}: {error}")
            if service.is_alive(self.master) and not self._end.wait(5):
                self._guarded(do)

    def _kill(self):
        while not self._end.wait(random.uniform(0.5, 1.5) * KILL_EVERY):
            pids = service.workers(self.master)
            if not pids:
                continue
            try:
                os.kill(random.choice(pids), random.choices(list(SIGNALS), SIGNALS.values())[0])
                self.counts["kills"] += 1
            except ProcessLookupError:
                pass

    def _replace(self):
        next_upgrade = time.monotonic() + UPGRADE_EVERY
        while not self._end.wait(random.uniform(0.5, 1.5) * RELOAD_EVERY):
            if time.monotonic() < next_upgrade:
                os.kill(self.master, signal.SIGHUP)
                self.counts["reloads"] += 1
                continue
            service.wait_for_workers(self.master, self.workers)
            self._upgrade()
            next_upgrade = time.monotonic() + UPGRADE_EVERY

    def _upgrade(self):
        try:
            self.master = service.upgrade(self.master, self.workers)
            self.counts["upgrades"] += 1
        except Failed as error:
            self.counts["refused upgrades"] += 1
            self.faults.append(f"{time.strftime('%H:%M:%S')} upgrade: {error}")
