"""What the understudies cost a request: cppcorn with and without them, round by round."""

import dataclasses

from .. import rounds
from ..server import output_of

FLAG = "--no-understudy"


def measure(scenario, plan, servers):
    rows = {}
    for server in servers:
        if FLAG not in (output_of(str(server.binary), "--help") or ""):
            rows[server.name] = {"error": f"skipped: it has no {FLAG}"}
            continue
        without = dataclasses.replace(server, name=f"{server.name} without understudies", flags=(*server.flags, FLAG))
        pair = dataclasses.replace(scenario, baseline=without.name)
        rows |= rounds.measure(pair, plan, [without, server])
    return rows
