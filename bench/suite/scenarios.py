"""The scenarios, in the order of the tables. One more is one more record; how it is measured is one of the modules'."""

import pathlib

from . import idle, memory, reload, rounds, start
from .connections.scenarios import CONNECTIONS
from .python.scenarios import PYTHON
from .scenario import Column, Scenario

WRK = pathlib.Path(__file__).resolve().parents[1] / "wrk"


def _lua(name):
    return ("-s", str(WRK / f"{name}.lua"))


LOAD = (
    Column("requests_per_second", "requests/s"),
    Column("p50_ms", "p50 ms", 2),
    Column("p99_ms", "p99 ms", 2),
    Column("cpu_us", "CPU µs/request", 2),
)
RATIO = (Column("ratio", "× floor", 2), Column("ratio_low", "lowest", 2), Column("ratio_high", "highest", 2))


def _load(key, title, target=None, baseline="floor", **more):
    limits = (("ratio", target),) if target else ()
    return Scenario(key, title, rounds.measure, LOAD + (RATIO if baseline else ()), baseline=baseline, targets=limits, **more)


SCENARIOS = [
    _load("keepalive64", "Keep-alive, 64 connections", 1.10),
    _load("keepalive256", "Keep-alive, 256 connections", 1.10, connections=256),
    _load("browser", "A browser's request: 14 fields, 700 bytes", 1.20, options=_lua("browser")),
    _load("pipelined", "Pipelined by 16", 1.35, options=_lua("pipelined")),
    _load("close", "A connection for each request", 1.10, "blocking floor", options=("-H", "Connection: close")),
    _load("body100k", "100 KB from memory", 1.15, body_size=102_400),
    _load("body10m", "10 MB from memory", connections=8, body_size=10_485_760),
    _load("file100k", "100 KB from a file", 1.15, body_size=102_400, from_file=True),
    _load("file10m", "10 MB from a file", connections=8, body_size=10_485_760, from_file=True),
    _load("upload", "Uploads of 1 MB", connections=8, options=_lua("upload")),
    _load(
        "slow",
        "An app that takes 5 ms, on 4 workers",
        baseline=None,
        workers=4,
        slow_ms=5,
        note="Four that do one request at a time can answer 800 a second at best.",
    ),
    Scenario(
        "accesslog",
        "With an access log to a file",
        rounds.measure_access_log,
        (*LOAD, Column("added_us", "added µs", 2), Column("added_low", "lowest", 2), Column("added_high", "highest", 2)),
        targets=(("added_us", 0.6),),
    ),
    Scenario(
        "idle",
        "10,000 idle connections",
        idle.measure,
        (
            Column("bytes_each", "bytes each"),
            Column("cpu_us_without", "CPU µs/request without", 2),
            Column("cpu_us_with", "with them", 2),
            Column("p99_ms_without", "p99 ms without", 2),
            Column("p99_ms_with", "with them", 2),
        ),
        targets=(("bytes_each", 400),),
    ),
    Scenario(
        "start",
        "From start to first answer, 4 workers",
        start.measure,
        (Column("start_ms", "ms", 1), Column("start_low", "lowest", 1), Column("start_high", "highest", 1)),
        workers=4,
        targets=(("start_ms", 20),),
    ),
    Scenario(
        "memory",
        "Memory of all processes (PSS)",
        memory.measure,
        (Column("fresh_mib", "started, MiB", 1), Column("worked_mib", "after work, MiB", 1), Column("processes", "processes")),
    ),
    Scenario(
        "reload",
        "Reload under load",
        reload.measure,
        (
            Column("reload_ms", "ms until all workers are new"),
            Column("p99_ms", "p99 ms", 2),
            Column("seen", "errors that clients saw"),
        ),
        note="wrk counts a connection that is closed between two requests among its read errors.",
    ),
    *CONNECTIONS,
    *PYTHON,
]


def takes_part(server, scenario, cppcorns):
    if server.scenarios is not None:
        return scenario.key in server.scenarios
    if scenario.key == "accesslog":
        return server.name in cppcorns
    if scenario.key == "reload":
        return server.reload is not None
    return scenario.suite != "python"
