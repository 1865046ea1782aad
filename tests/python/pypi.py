"""A virtual environment of the tests' own with the newest frameworks from PyPI. Made once for a build directory; what
needs it is skipped where PyPI is out of reach."""

import fcntl
import functools
import subprocess
from pathlib import Path

import harness
import pytest
from python_server import PYTHON

PACKAGES = [
    "flask", "django", "whitenoise", "sqlalchemy", "psycopg2-binary", "sentry-sdk", "opentelemetry-sdk",
    "opentelemetry-instrumentation-wsgi",
]


@functools.cache
def _made():
    """The environment's interpreter, or why there is none."""
    place = Path(harness.BINARY).with_name("python-from-pypi")
    place.mkdir(exist_ok=True)
    wanted = " ".join([PYTHON, *PACKAGES])
    done = place / "done"
    with open(place / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests run in several processes
        if done.exists() and done.read_text() == wanted:
            return str(place / "venv/bin/python"), None
        done.unlink(missing_ok=True)
        quickly = ["--quiet", "--disable-pip-version-check", "--retries", "0", "--timeout", "5"]
        for command in (
            [PYTHON, "-m", "venv", "--clear", place / "venv"],
            [place / "venv/bin/python", "-m", "pip", "install", *quickly, *PACKAGES],
        ):
            tried = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if tried.returncode != 0:
                return None, f"PyPI is out of reach: {' '.join((tried.stderr or tried.stdout).split())[-200:]}"
        done.write_text(wanted)
    return str(place / "venv/bin/python"), None


def pypi_python():
    python, reason = _made()
    if python is None:
        pytest.skip(reason)
    return python
