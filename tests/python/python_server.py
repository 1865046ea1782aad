"""A server of Python apps: harness.Server with the interpreter that the tests are for."""

import os
from pathlib import Path

import harness

PYTHON = os.environ.get("CPPCORN_TEST_PYTHON") or "/usr/bin/python3"
APPS = str(Path(__file__).parent / "apps")


class PythonServer(harness.Server):
    """`cwd` is where the app is: the tests' own apps, if none is given."""

    def __init__(self, app, *args, cwd=APPS, python=PYTHON, **more):
        more.setdefault("app_dir", None)
        super().__init__(app, "--python", python, *args, cwd=str(cwd), **more)

    def wait_ready(self, count=1, timeout=30.0):
        """A large app takes long to import where the machine is busy."""
        super().wait_ready(count, timeout)


def run(app, *args, cwd=APPS, **more):
    return harness.run(app, "--python", PYTHON, "--bind", "127.0.0.1:0", *args, cwd=str(cwd), **more)
