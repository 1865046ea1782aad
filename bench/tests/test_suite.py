"""What the benchmarks make of what they have measured."""

import subprocess

import pytest

from suite import __main__ as command_line
from suite import instructions, load, machine, plots, report, rounds, servers

OUTPUT = """Running 10m test @ http://127.0.0.1:8000/
  2 threads and 64 connections
  Latency Distribution
     50%  412.00us
     75%    0.90ms
     99%    2.50ms
  50000 requests in 1.00s, 6.82MB read
Requests/sec:  49876.54
Transfer/sec:      6.81MB
"""


def figures(cpu_us, errors=""):
    return load.Figures(1000, 1000.0, 1.0, None, cpu_us, errors)


def test_wrk_output():
    found = load.parse(OUTPUT, 0.5)
    assert (found.requests, found.requests_per_second, found.errors) == (50000, 49876.54, "")
    assert (found.p50_ms, found.p99_ms) == (pytest.approx(0.412), pytest.approx(2.5))
    assert found.cpu_us == pytest.approx(10)


def test_large_answers_are_counted_by_their_bytes():
    output = OUTPUT.replace("6.82MB read", "100.00MB read")
    assert load.parse(output, 1.0, 10 * 2**20).cpu_us == pytest.approx(100_000)


@pytest.mark.parametrize(
    "complaint", ["  Socket errors: connect 0, read 3, write 0, timeout 0", "  Non-2xx or 3xx responses: 7"]
)
def test_complaints_of_wrk_are_kept(complaint):
    assert load.parse(OUTPUT + complaint + "\n", 0.5).errors == complaint.strip()


def test_output_without_requests_is_an_error():
    assert "unable to connect" in load.parse("unable to connect to 127.0.0.1", 0).errors


def test_ratios_are_taken_within_a_round():
    row = rounds.row([figures(4), figures(30), figures(6)], [figures(2), figures(10), figures(6)])
    assert (row["ratio"], row["ratio_low"], row["ratio_high"]) == (2, 1, 3)
    assert row["cpu_us"] == 6
    assert row["p99_ms"] is None


def test_one_bad_round_fails_the_server():
    assert rounds.row([figures(4), figures(4, "Socket errors")], None)["error"] == "Socket errors"


@pytest.mark.parametrize(("now", "status", "says"), [(1031, 1, "MORE"), (1029, 0, "as before"), (969, 0, "fewer")])
def test_instructions_are_compared(now, status, says, capsys):
    assert instructions.compare({"small": 1000}, {"small": now}, {"small": 0.03}) == status
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(("counts", "takes", "lowest"), [([104], 1, 104), ([112, 104], 2, 104), ([112, 108, 110], 3, 108)])
def test_a_count_above_the_limit_is_taken_again(counts, takes, lowest):
    left = list(counts)
    assert instructions.lowest(lambda: left.pop(0), 105) == lowest
    assert len(counts) - len(left) == takes


def test_a_browser_sends_fourteen_fields():
    kind = instructions.kinds()["browser's request"]
    assert kind.bytes.count(b"\r\n") == 1 + 14 + 1
    assert 650 <= len(kind.bytes) <= 800


@pytest.mark.parametrize(("ratio", "says"), [(1.05, "met"), (1.30, "MISSED by 0.20")])
def test_goals_tell_the_distance(ratio, says):
    columns = [("ratio", "× floor", 2)]
    scenario = {"title": "Small", "columns": columns, "targets": [("ratio", 1.10)], "servers": {"cppcorn": {"ratio": ratio}}}
    (line,) = report.goals({"cppcorns": ["cppcorn"], "scenarios": {"keepalive64": scenario}})
    assert says in line


def scenario_of(*ratios):
    columns = [("cpu_us", "CPU µs/request", 2), ("ratio", "× floor", 2), ("ratio_low", "lowest", 2)]
    rows = {f"server {at}": {"ratio": ratio, "cpu_us": 1000 - ratio} for at, ratio in enumerate(ratios)}
    return {"title": "Small", "columns": columns, "targets": [("ratio", 1.1)], "servers": rows, "note": ""}


def test_pictures_show_the_ratio_where_there_is_one():
    assert plots.leading_field(scenario_of(1, 2)) == "ratio"
    assert plots.leading_field({"columns": [("requests_per_second", "", 0), ("cpu_us", "", 2)]}) == "cpu_us"


def test_an_axis_is_logarithmic_where_figures_are_far_apart_and_says_so():
    assert plots.is_logarithmic([1.0, 1.04, 221.0])
    assert not plots.is_logarithmic([1.0, 1.04, 3.9])
    assert not plots.is_logarithmic([0.0, 1.0, 221.0])
    assert "logarithmic" in plots.explained("× floor", True, True)
    assert "logarithmic" not in plots.explained("× floor", True, False)


def test_aims_are_told_to_those_who_change_the_server_not_to_its_users(tmp_path):
    for name in ("benchmarks.md", "performance.md"):
        (tmp_path / name).write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    scenario = scenario_of(1, 2) | {"servers": {"cppcorn": {"ratio": 1.3}}}
    result = {"machine": {}, "rounds": 7, "seconds": 1, "servers": {}, "left_out": [], "cppcorns": ["cppcorn"]}
    report.update_markdown(result | {"scenarios": {"keepalive64": scenario}}, tmp_path, {})
    assert "MISSED" not in (tmp_path / "benchmarks.md").read_text()
    assert "MISSED by 0.20" in (tmp_path / "performance.md").read_text()
    assert "old" not in (tmp_path / "performance.md").read_text()


def packages(part):
    return subprocess.check_output([machine.ROOT / "script/bootstrap", "--list", part], text=True).split()


def test_only_the_servers_that_run_are_installed():
    serve, quick, everything = packages("serve"), packages(f"bench={command_line.QUICK_SERVERS}"), packages("bench")
    assert set(serve) < set(quick) < set(everything)
    assert {"puma", "gunicorn", "h2o", "nodejs"} <= set(everything) - set(quick)
    assert f"servers={command_line.QUICK_SERVERS}\n" in (machine.ROOT / "script/bench").read_text()


def test_each_peer_has_its_packages():
    for server in servers.all_servers({}):
        if "floor" not in server.key:
            assert len(packages(f"bench={server.key}")) > len(packages("bench=floor")), server.key
