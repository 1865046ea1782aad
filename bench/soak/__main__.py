"""Everything at once, for an hour: workers are killed, the service is reloaded and upgraded, and clients of every kind
ask on: busy, idle, slow, with a connection for each request, with uploads and large answers.

  script/bench soak --minutes 60 --cppcorn build/release --folder build/soak

A line each minute, of that minute; then the sums. Exit status 1 if a request was lost, if more or fewer were answered
with an error than the log has workers that ended within a request, or if anybody had to connect anew for another reason.
The folder keeps the log, what the clients told, and memory and descriptors over time (census.json).
"""

import argparse
import json
import pathlib
import sys
import time

from suite import machine, server, servers
from suite.connections import service

from . import census
from .crowd import Crowd
from .disturbances import Disturbances

WORKERS = 4
FLAGS = ("--timeout", "10", "--graceful-timeout", "30")
SUMS = ("answered", "lost", "wrong", "errors", "cut", "within", "reconnects", "kills", "reloads", "upgrades")
HEADINGS = ["minute", *SUMS, "p99 ms", *(f"{role} MiB" for role in census.ROLES), *(f"{role} fds" for role in census.ROLES[:3])]


class Programs:
    """Where the clients are."""

    def __init__(self, folder):
        self.programs = folder


def main():
    options = parse()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    ours = servers.cppcorn("cppcorn", options.cppcorn)
    setup = server.Setup(server.free_port(), WORKERS, folder, 14, False, options.programs.resolve(), arguments=FLAGS)
    with server.Running(ours, setup, {"BY_PATH": "1"}) as running:
        running.wait_until_ready()
        service.wait_for_workers(running.pid, WORKERS)
        sys.exit(0 if Soak(running, folder, options.minutes).run() else 1)


def parse():
    root = machine.ROOT
    parser = argparse.ArgumentParser("script/bench soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--cppcorn", type=pathlib.Path, default=root / "build/release", help="the build, or binary")
    parser.add_argument("--programs", type=pathlib.Path, default=root / "build/release/bench")
    parser.add_argument("--folder", type=pathlib.Path, default=root / "build/soak")
    return parser.parse_args()


class Soak:
    def __init__(self, running, folder, minutes):
        self.running, self.folder, self.minutes = running, folder, minutes
        self.samples = []
        self.before = dict.fromkeys(SUMS, 0)

    def run(self):
        """Returns whether all was well."""
        print("  ".join(HEADINGS), flush=True)
        with Crowd(Programs(self.running.setup.programs), self.folder, self.running.port) as crowd:
            with Disturbances(self.running.pid, WORKERS) as disturbances:
                self._watch(crowd, disturbances)
            time.sleep(2)
            master = disturbances.master
            sums, told = crowd.stop()
            said = crowd.said()
        self._sample(master)
        sums = self._with_log(sums, disturbances)
        (self.folder / "census.json").write_text(json.dumps(self.samples, indent=1))
        (self.folder / "clients.json").write_text(json.dumps({"sums": sums, "clients": told, "said": said}, indent=1))
        return self._verdict(sums, disturbances, said)

    def _watch(self, crowd, disturbances):
        end = time.monotonic() + self.minutes * 60
        next_line = time.monotonic() + 60
        while time.monotonic() < end:
            time.sleep(min(5, max(0, end - time.monotonic())))
            self.running.process.poll()  # the first master is our child
            self._sample(disturbances.master)
            if time.monotonic() >= next_line and (sums := crowd.sums()):
                self._print(self._with_log(sums, disturbances))
                next_line += 60

    def _sample(self, master):
        self.samples.append({"time": round(time.time()), **census.take(master)})

    def _with_log(self, sums, disturbances):
        return sums | disturbances.counts | {"within": service.ends_while_serving(self.running.log)}

    def _print(self, sums):
        minute = [sums[name] - self.before[name] for name in SUMS]
        self.before = {name: sums[name] for name in SUMS}
        roles = self.samples[-1]["roles"]
        sizes = [f"{roles[role]['rss_mib']:.1f}" if role in roles else "–" for role in census.ROLES]
        descriptors = [roles[role]["descriptors"] if role in roles else "–" for role in census.ROLES[:3]]
        cells = [time.strftime("%H:%M"), *minute, f"{sums['p99_ms']:.0f}", *sizes, *descriptors]
        print("  ".join(str(cell).rjust(len(heading)) for cell, heading in zip(cells, HEADINGS)), flush=True)

    def _verdict(self, sums, disturbances, said):
        print("\nsums:", ", ".join(f"{name} {sums[name]}" for name in SUMS))
        for fault in disturbances.faults:
            print(fault)
        for name, text in said.items():
            for line in text.splitlines()[:5]:
                print(f"{name}: {line}")
        for part in ("rss_mib", "descriptors"):
            print(f"{part}, after a minute and at the end: {_ends(self.samples, part)}")
        wrong = {
            "requests without an answer": sums["lost"],
            "answers that were wrong": sums["wrong"],
            "errors and cuts but for the workers that ended within a request": sums["errors"] + sums["cut"] - sums["within"],
            "reconnects but for those": max(0, sums["reconnects"] - sums["errors"] - sums["cut"]),
            "faults of the service": len(disturbances.faults),
        }
        for what, count in wrong.items():
            print(f"{what}: {count}{'' if count == 0 else '  NOT 0'}")
        return not any(wrong.values())


def _ends(samples, part):
    first, last = samples[min(12, len(samples) - 1)]["roles"], samples[-1]["roles"]
    return {role: f"{first[role][part]:.4g} -> {last[role][part]:.4g}" for role in census.ROLES if role in first and role in last}


if __name__ == "__main__":
    main()
