import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import harness  # noqa: E402

LONGEST_TEST = 40 * harness.SLOWNESS


def pytest_sessionstart(session):
    for path in (harness.BINARY, harness.APPS):
        if not os.path.exists(path):
            pytest.exit(f"{path} is missing; build the project first, or set CPPCORN_BINARY and CPPCORN_APPS", 2)


def _too_long(signum, frame):
    raise TimeoutError(f"the test took longer than {LONGEST_TEST} s")


@pytest.fixture(autouse=True)
def bounded_in_time():
    """Ends a test that hangs in a way that lets it clean up."""
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LONGEST_TEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
