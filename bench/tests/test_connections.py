"""What the scenarios of connections make of what they have measured."""

import pytest

from soak import crowd
from suite import report
from suite.connections import clients, queue_model, service
from suite.connections.scenarios import CONNECTIONS


def test_one_queue_serves_in_order_of_arrival():
    trace = [(0.0, 1.0), (0.5, 1.0), (0.6, 0.1)]
    assert queue_model.waits(trace, 1) == pytest.approx([1.0, 1.5, 1.5])
    assert queue_model.waits(trace, 2) == pytest.approx([1.0, 1.0, 0.5])
    assert queue_model.waits(trace, 3) == pytest.approx([1.0, 1.0, 0.1])


def test_a_queue_at_half_load_waits_as_theory_says():
    """M/D/1 at a load of a half: the mean wait is half a service."""
    trace = queue_model.poisson_trace(50, 4000, seed=3, slow_share=0)
    trace = [(when, 0.01) for when, _ in trace]
    mean = sum(queue_model.waits(trace, 1)) / len(trace)
    assert mean == pytest.approx(0.015, rel=0.05)


def test_a_trace_is_the_same_for_the_same_seed_and_has_its_rate_and_share():
    trace = queue_model.poisson_trace(200, 1000, seed=1)
    assert trace == queue_model.poisson_trace(200, 1000, seed=1)
    assert len(trace) == pytest.approx(200_000, rel=0.02)
    assert sum(service == queue_model.SLOW for _, service in trace) == pytest.approx(2000, rel=0.1)


def test_the_fast_are_told_from_the_slow():
    trace = [(0, queue_model.FAST)] * 99 + [(0, queue_model.SLOW)] * 5
    assert queue_model.fast_p99(trace, [1.0] * 98 + [7.0] + [500.0] * 5) == 7.0


@pytest.mark.parametrize(("ideal", "limit"), [(2, 10), (16, 24), (40, 60)])
def test_the_limit_is_half_as_much_again_or_eight_milliseconds(ideal, limit):
    assert queue_model.limit(ideal) == limit


def outcome(**more):
    times = {"p50_ms": 1, "p99_ms": 2, "max_ms": 3}
    return {name: 0 for name in clients.COUNTS} | times | {"statuses": {"200": 5}} | more


def test_lost_requests_are_those_without_a_whole_answer():
    sums = clients.total([outcome(unanswered=1, cut=2, closed_idle=9), outcome(refused=4, reconnects=3, p99_ms=8)])
    assert (sums["lost"], sums["reconnects"], sums["p99_ms"], sums["errors"]) == (7, 3, 8, 0)


def test_each_5xx_is_an_error():
    assert clients.total([outcome(statuses={"200": 5, "500": 2, "504": 1, "413": 1})])["errors"] == 3


def test_ends_within_a_request_are_counted(tmp_path):
    log = tmp_path / "log"
    log.write_text(
        "[1] [ERROR] Worker (pid:2) was sent SIGKILL while serving GET /x HTTP/1.1, for 0.1 s. Somebody sent it\n"
        "[1] [ERROR] Worker (pid:3) was sent SIGKILL. Somebody sent it\n"
        "[1] [ERROR] Worker (pid:4) was sent SIGKILL while serving POST / HTTP/1.1, for 0.0 s\n"
    )
    assert service.ends_while_serving(log) == 2


def test_the_soak_tells_cut_answers_from_lost_requests():
    quiet = {"cut": 0, "done": 0, "errors": 0, "wrong": 0}
    slow = {"senders": quiet | {"cut": 1, "done": 3, "errors": 2}, "readers": quiet | {"cut": 4}}
    sums = crowd.sums_of([outcome(cut=2, refused=3), outcome(answered=7, statuses={"500": 1})], slow)
    assert (sums["lost"], sums["cut"], sums["answered"], sums["errors"]) == (3 + 1, 2 + 4, 7 + 3, 1 + 2)


def result(commit, **scenarios):
    return {"machine": {"Commit": commit, "Date": "today"}, "servers": {commit: {}}, "scenarios": scenarios}


def test_pages_keep_what_a_run_has_not_measured():
    kept = result("old", close={"n": 1}, kills={"n": 2, "measured": "earlier"})
    long = report.merged(kept, result("new", kills={"n": 3}), is_ordinary=False)
    assert long["machine"]["Commit"] == "old"
    assert long["scenarios"] == {"close": {"n": 1}, "kills": {"n": 3, "measured": "Measured at new on today."}}
    ordinary = report.merged(long, result("newer", close={"n": 4}), is_ordinary=True)
    assert ordinary["machine"]["Commit"] == "newer"
    assert ordinary["scenarios"]["close"] == {"n": 4}
    assert ordinary["scenarios"]["kills"]["n"] == 3


def test_long_scenarios_are_run_by_a_command_of_their_own():
    assert all(scenario.suite == "connections" for scenario in CONNECTIONS)
