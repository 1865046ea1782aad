"""What happens to connections, and to those who wait: the records of the scenarios in this folder."""

import dataclasses

from ..scenario import Column, Scenario
from . import churn, cost, idle_wait, kills, open_loop, slow_clients, understudy_memory

LOST = Column("lost", "requests without an answer")
ERRORS = Column("errors", "answered 5xx")
RECONNECTS = Column("reconnects", "reconnects")
RATIO = (Column("ratio", "× without", 3), Column("ratio_low", "lowest", 2), Column("ratio_high", "highest", 2))
LOAD = (Column("requests_per_second", "requests/s"), Column("p99_ms", "p99 ms", 2), Column("cpu_us", "CPU µs/request", 2))


def _kills(key, title, paths):
    return Scenario(
        key,
        title,
        kills.measure,
        (
            *(Column("answered", "answered 200"), LOST, ERRORS, Column("while_serving", "workers killed within a request")),
            *(RECONNECTS, Column("p99_ms", "p99 ms", 1), Column("max_ms", "longest ms")),
        ),
        connections=200,
        workers=4,
        by_path=True,
        paths=paths,
        targets=(("lost", 0), ("wrong", 0), ("errors_beyond", 0), ("reconnects_beyond", 0)),
        note="Whose worker is killed within a request is answered with a 5xx at best. cppcorn's log says how many were.",
    )


def _cost(key, title, limit, options=()):
    return Scenario(key, title, cost.measure, LOAD + RATIO, options=options, targets=(("ratio", limit),))


_long = [
    _kills("kills", "100 workers killed: 4 workers, 200 busy clients, an app of 2 to 5 ms", tuple(f"/sleep/{ms}" for ms in (2, 3, 4, 5))),
    _kills("kills_hello", "100 workers killed: 4 workers, 200 busy clients, hello", ("/",)),
    Scenario(
        "churn",
        "60 s of a reload each second, 20 upgrades, 60 s of recycling after 500 requests: 4 workers, 60 clients",
        churn.measure,
        tuple(
            Column(f"{kind}_{name}", f"{what}: {heading}")
            for kind, what in (("reload", "reloads"), ("upgrade", "upgrades"), ("recycle", "recycling"))
            for name, heading in (("lost", "unanswered"), ("reconnects", "reconnects"))
        ),
        workers=4,
        by_path=True,
        paths=("/sleep/1", "/sleep/3"),
        targets=(("lost", 0), ("reconnects", 0)),
        note="40 of the clients ask 40 times a second each, 20 every few seconds.",
    ),
    Scenario(
        "openloop",
        "1 % of the requests take 500 ms, the others 1 ms: 4 workers, 64 connections, open loop",
        open_loop.measure,
        tuple(Column(f"p99_{rate}", f"fast p99 ms, {rate}/s", 1) for rate in open_loop.RATES)
        + (Column("unanswered", "unanswered"),),
        workers=4,
        threads=1,
        by_path=True,
        targets=tuple((f"over_{rate}", 0) for rate in open_loop.RATES) + (("unanswered", 0),),
        note="Each worker or process does one request at a time. Aim: 1.5 times the one queue's, or 8 ms more.",
    ),
    Scenario(
        "idlewait",
        "A connection whose worker is busy for 300 ms, while the other of two is idle",
        idle_wait.measure,
        (Column("wait_ms", "its wait, ms", 1), Column("wait_low", "shortest", 1), Column("wait_high", "longest", 1)),
        threads=1,
        by_path=True,
        targets=(("wait_high", 10),),
    ),
    _cost("understudycost", "What understudies cost: keep-alive, 64 connections", 1.04),
    _cost("understudyclose", "What understudies cost: a connection for each request", 1.02, ("-H", "Connection: close")),
    Scenario(
        "understudymemory",
        "Memory of an understudy for itself alone, 4 workers",
        understudy_memory.measure,
        (
            Column("understudy_kib", "understudy, KiB"),
            Column("lookout_kib", "lookout, KiB"),
            Column("worker_kib", "worker, KiB"),
        ),
        workers=4,
        targets=(("understudy_kib", 200),),
        note="Private pages, after a second of load; the largest of each.",
    ),
    Scenario(
        "slowclients",
        "1,000 clients that send 10 MB and 1,000 that read 10 MB, at 20 KB/s each: 2 workers",
        slow_clients.measure,
        (
            Column("p99_without", "a normal client's p99 ms without", 1),
            *(Column("p99_coming", "while they come", 1), Column("p99_with", "with them", 1)),
            *(Column("unanswered", "normal requests unanswered"), Column("worker_mib", "largest worker, MiB")),
            *(Column("cut", "slow clients cut"), Column("late", "held up"), Column("waiting", "got nothing at all")),
        ),
        by_path=True,
        targets=(("p99_added", 5), ("worker_mib", 64), ("unanswered", 0), ("cut", 0), ("wrong", 0)),
    ),
]

CONNECTIONS = [dataclasses.replace(scenario, suite="connections") for scenario in _long]
