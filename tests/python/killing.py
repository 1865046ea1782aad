"""Kills a worker while its app waits: then one request is in the app, and it is known which process has it."""

import os
import signal
import time
from pathlib import Path

from harness import SLOWNESS, is_ready, process

# As the app waits: in time.sleep (select, up to Python 3.10), or for an answer of its database.
SLEEPS = {"35", "230", "23", "270", "101", "115", "72"}
POLLS = {"7", "271", "73"}


def _stopped_in(pid):
    """The system call that the process is stopped in; None if it is gone."""
    while (found := process(pid)) is not None and found.state not in "TZX":
        time.sleep(0)
    try:
        return Path(f"/proc/{pid}/syscall").read_text().split()[0]
    except OSError:
        return None


def kill_one_in_app(server, calls):
    """Kills one of the server's workers that waits in such a system call, and returns its pid.

    Not one that still loads its app, and may wait for its database as well: that is a start that failed, and as long
    as no other worker serves, a stand-in answers.
    """
    deadline = time.monotonic() + 20 * SLOWNESS
    while time.monotonic() < deadline:
        for pid in filter(is_ready, server.worker_pids()):
            try:
                os.kill(pid, signal.SIGSTOP)
                is_waiting = _stopped_in(pid) in calls
                os.kill(pid, signal.SIGKILL if is_waiting else signal.SIGCONT)
            except ProcessLookupError:
                continue
            if is_waiting:
                return pid
    raise AssertionError("no worker was found that waits in its app")
