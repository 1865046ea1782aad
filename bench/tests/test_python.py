"""The scenarios with Python apps: who takes part, and how figures are compared."""

import pathlib

import pytest

from suite import report
from suite.python import cost, headline, picture
from suite.python.scenarios import PYTHON
from suite.python.servers import python_servers
from suite.scenarios import SCENARIOS, takes_part
from suite.servers import all_servers

OURS = {"cppcorn": pathlib.Path("build/release")}


def row(*costs):
    return {"cpu_us": sorted(costs)[len(costs) // 2], "rounds": [{"cpu_us": each} for each in costs]}


def test_servers_of_python_apps_run_their_scenarios_and_no_others():
    for scenario in SCENARIOS:
        takers = [server.name for server in python_servers(OURS) if takes_part(server, scenario, OURS)]
        others = [server.name for server in all_servers(OURS) if takes_part(server, scenario, OURS)]
        assert bool(takers) == (scenario in PYTHON), scenario.key
        assert bool(others) == (scenario not in PYTHON), scenario.key


def test_cppcorn_is_compared_with_the_fastest_and_with_gunicorn_within_a_round():
    peers = {"gunicorn sync": row(100, 300, 200), "bjoern": row(10, 30, 20)}
    found = cost.compared(row(5, 30, 10), peers)
    assert found["fastest"] == "bjoern"
    assert found["of_fastest"] == pytest.approx(0.5)
    assert found["of_gunicorn"] == pytest.approx(0.05)


def test_a_scenario_of_a_new_run_takes_the_place_of_its_old_one():
    machine = {"Commit": "a", "Date": "today", "Load before": "0.1"}
    kept = {"servers": {"a": 1}, "scenarios": {"one": {"x": 1}, "two": {"x": 2}}}
    now = {"machine": machine, "length": 0.5, "servers": {"b": 2}, "scenarios": {"two": {"x": 3}}}
    pages = report.renewed(kept, now)
    assert pages["scenarios"]["one"] == {"x": 1}
    assert pages["scenarios"]["two"]["x"] == 3
    assert "load before: 0.1, at 0.5 of its length" in pages["scenarios"]["two"]["measured"]
    assert pages["servers"] == {"a": 1, "b": 2}


def test_the_picture_has_who_answered_the_least_first():
    scenario = {"servers": {"a": {"cpu_us": 3}, "b": {"error": "x"}, "c": {"cpu_us": 1}}}
    assert picture.costs(scenario) == [("c", 1), ("a", 3)]


def test_both_figures_stand_in_words():
    def costs(**servers):
        return {"servers": {name.replace("_", " "): {"cpu_us": cost} for name, cost in servers.items()}}

    scenarios = {
        "python_bare": costs(cppcorn=6.1, gunicorn_sync=119, bjoern=7.84),
        "python_flask": costs(cppcorn=90, gunicorn_sync=231.4, gunicorn_gthread=180),
        "python_instructions": {"servers": {"cppcorn": {"hello": 300, "loop": 294}}},
    }
    text = " ".join(headline.text({"scenarios": scenarios, "machine": {"Load before": "0.4"}}).split())
    assert "bare app, a request takes 6.1 µs of a processor; 119 behind gunicorn sync, 7.8 behind bjoern" in text
    assert "hello, a request takes 90 µs of a processor; 231 behind gunicorn sync, 180 behind gunicorn gthread." in text
    assert "98 % of the instructions" in text
    assert "busy" not in text
    assert "load 12" in headline.text({"scenarios": scenarios, "machine": {"Load before": "12.0"}})
    assert headline.text({"scenarios": {}}) == ""
