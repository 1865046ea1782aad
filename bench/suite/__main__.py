"""The benchmarks' command line.

  script/bench                      what servers cost: tables here, docs/benchmarks.md, docs/benchmarks.json and the plots
  script/bench connections          what becomes of connections when workers die, leave or are busy: the same, an hour
  script/bench python               what Python apps cost: docs/benchmarks-python.md and its figures, half an hour
  script/bench quick                floor, cppcorn and nginx in a few scenarios, under two minutes
  script/bench run --servers cppcorn,nginx --scenarios keepalive64 --also-cppcorn before=/path/to/build
  script/bench redraw               the pages and plots anew, from docs/benchmarks.json
  script/bench list                 the names of servers and scenarios
  script/bench instructions         user space instructions a request, against bench/instructions.json
"""

import argparse
import json
import pathlib
import resource
import signal
import sys
import time

from . import instructions, machine, plots, report
from .scenario import Plan
from .python import headline, picture
from .python.servers import python_servers
from .scenarios import SCENARIOS, takes_part
from .servers import all_servers

ROOT = machine.ROOT
DOCS = ROOT / "docs"
COMMANDS = ["all", "connections", "python", "quick", "run", "redraw", "list", "instructions"]
QUICK_SERVERS = "floor,cppcorn,nginx"
QUICK_SCENARIOS = "keepalive64,browser,pipelined,close,body100k,accesslog,start"


def main():
    options = parse()
    if options.command == "instructions":
        sys.exit(instructions.check(pathlib.Path(options.cppcorn), pathlib.Path(options.apps), options.update))
    if options.command == "redraw":
        document(json.loads((DOCS / "benchmarks.json").read_text()))
        document_python(json.loads((DOCS / "benchmarks-python.json").read_text()))
        return
    cppcorns = {"cppcorn": pathlib.Path(options.cppcorn)}
    cppcorns |= {name: pathlib.Path(path) for name, _, path in (text.partition("=") for text in options.also_cppcorn)}
    servers = python_servers(cppcorns) if options.python else all_servers(cppcorns)
    if options.command == "list":
        print("servers:  ", ", ".join(server.key for server in servers))
        print("of Python:", ", ".join(server.key for server in python_servers(cppcorns)))
        print("scenarios:", ", ".join(scenario.key for scenario in SCENARIOS))
        return
    servers = chosen(servers, options.servers, "server", cppcorns)
    suite = options.command if options.command in ("connections", "python") else "all"
    ordinary = [scenario for scenario in SCENARIOS if scenario.suite == suite]
    scenarios = chosen(SCENARIOS, options.scenarios, "scenario") if options.scenarios else ordinary
    raise_file_limit()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    began = time.monotonic()
    programs = pathlib.Path(options.programs).resolve()
    with Plan(options.rounds, options.seconds, programs, cppcorns, progress(began), options.length) as plan:
        result = run(plan, scenarios, servers)
    sys.stderr.write("\r\033[K" if sys.stderr.isatty() else "")
    report.terminal(result)
    report.save_json(result, pathlib.Path(options.json))
    if options.command in ("all", "connections"):
        kept = json.loads((DOCS / "benchmarks.json").read_text())
        pages = report.merged(kept, result, is_ordinary=options.command == "all")
        report.save_json(pages, DOCS / "benchmarks.json")
        document(pages)
    if options.command == "python":
        kept = DOCS / "benchmarks-python.json"
        pages = report.renewed(json.loads(kept.read_text()), result) if kept.exists() else result
        report.save_json(pages, kept)
        document_python(pages)
    print(f"\n{time.monotonic() - began:.0f} seconds; {options.json}")


def document(result):
    if pictures := plots.draw(result, DOCS / "benchmarks"):
        report.update_markdown(result, DOCS, pictures)


def document_python(result):
    if pictures := plots.draw(result, DOCS / "benchmarks"):
        picture.draw(result, DOCS / "benchmarks")
        report.update_page(result, DOCS / "benchmarks-python.md", pictures)
        report.replace(DOCS / "python.md", headline.text(result))


def parse():
    parser = argparse.ArgumentParser("script/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="?", default="all", choices=COMMANDS)
    parser.add_argument("--servers", help="names with commas in between; all by default")
    parser.add_argument("--scenarios", help="names with commas in between; all by default")
    parser.add_argument("--rounds", type=int, help="each round runs every server once (7; quick: 3)")
    parser.add_argument("--seconds", type=float, help="of load for each server in each round (1.0)")
    parser.add_argument("--length", type=float, default=1.0, help="of the long scenarios: 0.1 for a tenth of their work (1.0)")
    parser.add_argument("--cppcorn", default=ROOT / "build/release", help="the build, or binary, to measure")
    another = "another one beside it; may be repeated"
    parser.add_argument("--also-cppcorn", action="append", default=[], metavar="NAME=BUILD", help=another)
    parser.add_argument("--programs", default=ROOT / "build/release/bench", help="where ninja bench_programs has put them")
    parser.add_argument("--apps", default=ROOT / "build/release/apps", help="for instructions: where hello.so is")
    parser.add_argument("--json", default=ROOT / "build/bench/latest.json", help="where all figures go")
    parser.add_argument("--update", action="store_true", help="for instructions: write bench/instructions.json anew")
    options = parser.parse_args()
    options.python = options.command == "python" or "python_" in (options.scenarios or "")
    quick = options.command == "quick"
    options.servers = options.servers or (QUICK_SERVERS if quick else None)
    options.scenarios = options.scenarios or (QUICK_SCENARIOS if quick else None)
    options.rounds = options.rounds or {"quick": 3, "connections": 15, "python": 9}.get(options.command, 7)
    options.seconds = options.seconds or 1.0
    return options


def chosen(items, names, what, always=()):
    if not names:
        return items
    wanted = names.split(",")
    if "floor" in wanted:
        wanted.append("blocking-floor")  # its twin for connections that are not kept
    if unknown := set(wanted) - {item.key for item in items}:
        sys.exit(f"no such {what}: {', '.join(sorted(unknown))}; there are: {', '.join(item.key for item in items)}")
    return [item for item in items if item.key in wanted or (item.key in always and item.key != "cppcorn")]


def run(plan, scenarios, servers):
    facts = machine.describe()
    print(" · ".join(f"{key}: {value}" for key, value in facts.items()))
    versions = {server.name: server.version() for server in servers}
    left_out = [f"{name} is left out: it is not installed" for name, version in versions.items() if version is None]
    for line in left_out:
        print(line)
    present = [server for server in servers if versions[server.name] is not None]
    result = {
        "machine": facts,
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "length": plan.length,
        "cppcorns": list(plan.cppcorns),
        "servers": {server.name: {"version": versions[server.name], "differs": server.differs} for server in present},
        "left_out": left_out,
        "scenarios": {},
    }
    for scenario in scenarios:
        takers = [server for server in present if takes_part(server, scenario, plan.cppcorns)]
        if takers:
            result["scenarios"][scenario.key] = {
                "title": scenario.title,
                "columns": [(column.field, column.heading, column.decimals) for column in scenario.columns],
                "targets": scenario.targets,
                "note": scenario.note,
                "servers": scenario.measure(scenario, plan, takers),
            }
    return result


def progress(began):
    """One line that changes on a terminal; lines elsewhere."""
    terminal = sys.stderr.isatty()

    def say(text):
        sys.stderr.write(f"\r\033[K[{time.monotonic() - began:4.0f} s] {text}" if terminal else f"{text}\n")
        sys.stderr.flush()

    return say


def raise_file_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if 0 < hard < 65536 else 65536
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\ninterrupted; all servers are stopped")
