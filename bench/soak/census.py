"""How much memory and how many descriptors each kind of process has."""

import os

from suite import process_tree
from suite.connections import service

ROLES = ("master", "worker", "understudy", "lookout")


def take(master):
    """{role: {count, rss_mib and descriptors of the largest}} and the PSS of all."""
    found = {}
    for pid in process_tree.tree(master):
        row = found.setdefault(_role(pid), {"count": 0, "rss_mib": 0, "descriptors": 0})
        row["count"] += 1
        row["rss_mib"] = max(row["rss_mib"], service.memory(pid, "Rss") / 2**20)
        row["descriptors"] = max(row["descriptors"], _descriptors(pid))
    return {"pss_mib": process_tree.pss_bytes(master) / 2**20, "roles": found}


def _role(pid):
    title = service.title(pid).removeprefix(service.OURS)
    return next((role for role in ROLES if title.startswith(role)), "other")


def _descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0
