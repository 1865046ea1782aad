"""The processes of a running server that is killed, reloaded and upgraded: which is what, and when they are ready."""

import os
import pathlib
import re
import signal
import time

from .. import process_tree
from ..server import Failed

OURS = "cppcorn: "


def title(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def is_alive(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def processes(master, role):
    """Those of cppcorn's of that role: worker, understudy, lookout, stand-in."""
    return [pid for pid in process_tree.children(master) if title(pid).startswith(OURS + role) and is_alive(pid)]


def workers(master):
    """Of cppcorn by their title; of others, whatever the main process has started, but for a proxy and a new master."""
    if title(master).startswith(OURS):
        return processes(master, "worker")
    children = [pid for pid in process_tree.children(master) if is_alive(pid) and not title(pid).startswith("nginx")]
    return [pid for pid in children if not process_tree.children(pid)]


def is_ready(pid):
    """cppcorn's workers have an epoll that waits for something once they serve. Others are ready when they are there."""
    if not title(pid).startswith(OURS):
        return True
    proc = pathlib.Path(f"/proc/{pid}")
    try:
        epolls = [entry.name for entry in (proc / "fd").iterdir() if "[eventpoll]" in os.readlink(entry)]
        return any("tfd:" in (proc / "fdinfo" / name).read_text() for name in epolls)
    except OSError:
        return False


def wait_for(predicate, seconds, what):
    """The predicate's first true value."""
    deadline = time.monotonic() + seconds
    while not (value := predicate()):
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds} seconds")
        time.sleep(0.005)
    return value


def wait_for_workers(master, count, seconds=20):
    wait_for(lambda: len([pid for pid in workers(master) if is_ready(pid)]) >= count, seconds, f"{count} workers")


def successor(master, count):
    """The new master that SIGUSR2 has started, once it has its workers; None before."""
    for child in process_tree.children(master):
        own = workers(child)
        if len(own) >= count and all(map(is_ready, own)):
            return child
    return None


def upgrade(master, count):
    """SIGUSR2, then SIGTERM to the old master once the new one serves. Returns the new one."""
    os.kill(master, signal.SIGUSR2)
    new = wait_for(lambda: successor(master, count), 20, "a new master with its workers")
    if not title(new).startswith(OURS):
        time.sleep(1)  # nothing says when its workers are ready
    os.kill(master, signal.SIGTERM)
    wait_for(lambda: not is_alive(master), 60, "the end of the old master")
    return new


def ends_while_serving(log):
    """How many workers of cppcorn ended within a request, by its error log."""
    return len(re.findall(r"Worker \(pid:\d+\) .* while serving ", log.read_text(errors="replace")))


def memory(pid, field):
    """Bytes by smaps_rollup: Rss, Pss, or Private (the sum of clean and dirty)."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return 1024 * sum(int(size) for size in re.findall(rf"^{field}(?:_Clean|_Dirty)?:\s+(\d+) kB", text, re.MULTILINE))
