"""The interpreters that are here, and virtual environments with the wheel in them."""

import os
import subprocess
from pathlib import Path

import harness

ROOT = Path(__file__).parents[2]
_built = sorted((ROOT / "build/wheel/dist").glob("cppcorn-*.whl"))
WHEEL = Path(os.environ["CPPCORN_WHEEL"]).resolve() if os.environ.get("CPPCORN_WHEEL") else next(iter(_built), None)

_ASK = """
import sys, sysconfig
print(*sys.version_info[:3], int(bool(sysconfig.get_config_var("Py_GIL_DISABLED"))), sep=".")
"""


def _candidates():
    named = os.environ.get("CPPCORN_WHEEL_PYTHONS")
    if named:
        return [Path(each) for each in named.split()]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    system = [*Path("/usr/bin").glob("python3.[0-9]*"), *Path("/usr/local/bin").glob("python3.[0-9]*")]
    return sorted(each for each in [*system, *pyenv.glob("*/bin/python3")] if "config" not in each.name)


def _version(python):
    done = subprocess.run([python, "-c", _ASK], capture_output=True, text=True)
    return tuple(map(int, done.stdout.split("."))) if done.returncode == 0 else (0,)


def interpreters():
    """Paths by version, the system's first: CPython from 3.10 on, with its lock."""
    found = {}
    for python in _candidates():
        *version, is_free_threaded = _version(python)
        if (3, 10) <= tuple(version) and not is_free_threaded:
            found.setdefault(".".join(map(str, version)), python)
    return found


class Environment:
    """A fresh virtual environment, with the wheel and whatever else pip is asked for."""

    def __init__(self, python, place, *requirements):
        self.path = place / "venv"
        self.bin = self.path / "bin"
        self.python = self.bin / "python"
        self.command = self.bin / "cppcorn"
        subprocess.run([python, "-m", "venv", self.path], check=True)
        self.install(WHEEL, *requirements)

    def install(self, *requirements):
        options = ["-q", "--disable-pip-version-check", "--no-input"]
        subprocess.run([self.python, "-m", "pip", "install", *options, *requirements], check=True)

    def run(self, program, *args, **more):
        """A program of the environment's, to its end."""
        more.setdefault("env", harness.clean_environment())
        return subprocess.run([self.bin / program, *args], capture_output=True, text=True, timeout=60, **more)

    def version_of(self, distribution):
        code = f"import importlib.metadata; print(importlib.metadata.version({distribution!r}))"
        return self.run("python", "-c", code).stdout.strip()

    @property
    def package(self):
        (found,) = self.path.glob("lib/python3*/site-packages/cppcorn")
        return found

    def server(self, app, *args, **more):
        return harness.Server(app, *args, app_dir=None, binary=more.pop("binary", self.command), **more)
