import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

pytest.register_assert_rewrite("load", "clients")

import harness  # noqa: E402
from bounded import bounded_in_time  # noqa: E402
from network import Network, why_none  # noqa: E402

bounded = bounded_in_time(100)


def pytest_sessionstart(session):
    for path in (harness.BINARY, harness.APPS):
        if not Path(path).exists():
            pytest.exit(f"{path} is missing; build the project first, or set CPPCORN_BINARY and CPPCORN_APPS", 2)


@pytest.fixture(scope="module")
def network():
    """Three machines and the one in front of them, on which the test runs from here on."""
    reason = why_none()
    if reason:
        pytest.skip(reason)
    with Network() as made:
        yield made
