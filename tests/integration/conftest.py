import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import harness  # noqa: E402
from bounded import bounded_in_time  # noqa: E402

bounded = bounded_in_time(40 * harness.SLOWNESS)


def pytest_sessionstart(session):
    for path in (harness.BINARY, harness.APPS):
        if not os.path.exists(path):
            pytest.exit(f"{path} is missing; build the project first, or set CPPCORN_BINARY and CPPCORN_APPS", 2)
