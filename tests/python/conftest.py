import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

import harness  # noqa: E402
from bounded import bounded_in_time  # noqa: E402

bounded = bounded_in_time(60)


def pytest_sessionstart(session):
    if not Path(harness.BINARY).with_name("python").joinpath("cppcorn/_cppcorn.abi3.so").exists():
        pytest.exit("the bridge to Python is missing; build the project with Python's headers first", 2)


@pytest.fixture(autouse=True)
def no_virtual_environment(monkeypatch):
    """The tests' interpreter is named, not found by what surrounds the tests."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # with it, what workers print is no longer line by line
    os.environ.pop("PYTHONPATH", None)
