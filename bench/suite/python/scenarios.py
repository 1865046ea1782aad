"""What Python apps cost: the records of the scenarios in this folder, and of others' with Python apps."""

import dataclasses

from ..connections import kills, open_loop
from ..scenario import Column, Scenario
from . import cost, growth, instructions

LOAD = (
    *(Column("requests_per_second", "requests/s"), Column("p99_ms", "p99 ms", 2), Column("cpu_us", "CPU µs/request", 1)),
    *(Column("ratio", "× cppcorn", 2), Column("ratio_low", "lowest", 2), Column("ratio_high", "highest", 2)),
)


def _cost(key, title, app, targets):
    return Scenario(key, title, cost.measure, LOAD, app=app, baseline="cppcorn", targets=targets)


_all = [
    _cost("python_bare", "A bare WSGI app, keep-alive, 64 connections", "bare", (("of_fastest", 1), ("of_gunicorn", 1 / 18))),
    _cost("python_flask", "Flask's hello, keep-alive, 64 connections", "hello", (("of_gunicorn", 0.5),)),
    Scenario(
        "python_instructions",
        "Instructions of a request, by callgrind",
        instructions.measure,
        (
            *(Column("bare", "bare app"), Column("hello", "Flask's hello")),
            *(Column("loop", "Flask called in a loop"), Column("of_loop", "×", 3)),
        ),
        targets=(("bare", 11_000), ("of_loop", 1.12)),
        note="User space, in one worker. The loop makes an environ and calls the app, in the same interpreter, without a server.",
    ),
    Scenario(
        "python_queue",
        "Flask behind nginx with kept connections, 1 % of the views take 500 ms, the others 1 ms: 4 workers, open loop",
        open_loop.measure,
        tuple(Column(f"p99_{rate}", f"fast p99 ms, {rate}/s", 1) for rate in open_loop.RATES) + (Column("unanswered", "unanswered"),),
        app="hello",
        workers=4,
        by_path=True,
        targets=tuple((f"over_{rate}", 0) for rate in open_loop.RATES) + (("unanswered", 0),),
        note="One queue of 4 servers with the same arrivals is simulated, without the time that Flask and nginx take."
        " Aim: 1.5 times that, or 8 ms more.",
    ),
    Scenario(
        "python_start",
        "Flask, from start to first answer, 4 workers",
        cost.measure_start,
        (Column("start_ms", "ms"), Column("start_low", "lowest"), Column("start_high", "highest")),
        app="hello",
        workers=4,
        targets=(("of_gunicorn", 1),),
    ),
    Scenario(
        "python_memory",
        "Memory of 4 workers with Flask (PSS)",
        cost.measure_memory,
        (Column("fresh_mib", "started, MiB", 1), Column("worked_mib", "after work, MiB", 1), Column("processes", "processes")),
        app="hello",
        workers=4,
        targets=(("preloaded_mib", 45),),
    ),
    Scenario(
        "python_growth",
        "A million requests to a bare app in one worker",
        growth.measure,
        (
            *(Column("requests", "requests"), Column("rss_mib", "RSS at the end, MiB", 1)),
            *(Column("growth_kib", "growth in the last half, KiB"), Column("references", "references left by 1,000 requests", 2)),
        ),
        app="counted",
        workers=1,
        targets=(("growth_kib", 0), ("references", 0)),
        note="References: sys.gettotalrefcount() of Debian's python3-dbg, with a module that counts its own, too.",
    ),
    Scenario(
        "python_kills",
        "100 workers killed: 4 workers with Flask, 100 busy clients on kept connections",
        kills.measure,
        (
            *(Column("answered", "answered 200"), Column("lost", "requests without an answer"), Column("errors", "answered 5xx")),
            *(Column("while_serving", "workers killed within a request"), Column("reconnects", "reconnects")),
            *(Column("p99_ms", "p99 ms", 1), Column("max_ms", "longest ms")),
        ),
        app="hello",
        connections=100,
        workers=4,
        by_path=True,
        targets=(("lost", 0), ("wrong", 0), ("errors_beyond", 0), ("reconnects_beyond", 0)),
        note="Whose worker is killed within a request is answered with a 5xx at best. cppcorn's log says how many were.",
    ),
]

PYTHON = [dataclasses.replace(scenario, suite="python") for scenario in _all]
