"""What a process and all its descendants use: CPU time and memory."""

import pathlib
import re

PROC = pathlib.Path("/proc")


def children(pid):
    found = []
    for task in _tasks(pid):
        found += [int(child) for child in _read(task / "children").split()]
    return found


def workers(pid):
    """Of a pre-fork server's master: its children but for cppcorn's helpers, which no reload replaces all at once."""
    helpers = (b"cppcorn: lookout [", b"cppcorn: understudy [", b"cppcorn: status [")
    return [child for child in children(pid) if not _read_bytes(PROC / str(child) / "cmdline").startswith(helpers)]


def tree(pid):
    found = [pid]
    for child in children(pid):
        found += tree(child)
    return found


def cpu_nanoseconds(pid):
    """Of each thread that there is, so that two readings can be compared thread by thread."""
    clocks = {}
    for process in tree(pid):
        for task in _tasks(process):
            if clock := _read(task / "schedstat").split():
                clocks[(process, task.name)] = int(clock[0])
    return clocks


def cpu_between(before, after):
    """Seconds. What a thread used that began and ended in between is lost."""
    return sum(clock - before.get(thread, 0) for thread, clock in after.items()) / 1e9


def pss_bytes(pid):
    """Memory that is shared by n processes counts as a n-th for each."""
    total = 0
    for process in tree(pid):
        if match := re.search(r"^Pss:\s+(\d+) kB", _read(PROC / str(process) / "smaps_rollup"), re.MULTILINE):
            total += int(match[1]) * 1024
    return total


def _tasks(pid):
    try:
        return list((PROC / str(pid) / "task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []


def _read(path):
    return _read_bytes(path).decode()


def _read_bytes(path):
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return b""
