"""Tests of a wheel in virtual environments of their own, with what PyPI has today: script/test-wheel runs them.

CPPCORN_WHEEL names the wheel; by default it is that of script/wheel. CPPCORN_WHEEL_PYTHONS are the interpreters, with
blanks between them; by default each CPython from 3.10 on that is found here.
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests/integration"), str(Path(__file__).parent)]

from bounded import bounded_in_time  # noqa: E402
from environments import WHEEL, Environment, interpreters  # noqa: E402

bounded = bounded_in_time(120)  # an environment is made in the first of them


def pytest_sessionstart(session):
    if WHEEL is None or not WHEEL.exists():
        pytest.exit("there is no wheel: script/wheel builds one, CPPCORN_WHEEL names one", 2)


def pytest_generate_tests(metafunc):
    if "each" in metafunc.fixturenames:
        found = interpreters()
        metafunc.parametrize("each", list(found.values()), ids=list(found), indirect=True, scope="session")


@pytest.fixture(scope="session")
def each(request, tmp_path_factory):
    """Of each Python, with the newest Flask and Django for it."""
    return Environment(request.param, tmp_path_factory.mktemp("each"), "flask", "django")


@pytest.fixture(scope="session")
def usual(tmp_path_factory):
    """Of the first Python, with nothing beside the wheel."""
    return Environment(next(iter(interpreters().values())), tmp_path_factory.mktemp("usual"))


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch):
    """Nothing that surrounds the tests names an interpreter."""
    for name in ("VIRTUAL_ENV", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
