"""A PostgreSQL server of the test's own: a cluster in a temporary directory, on a port that the kernel chose."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import harness
import pytest
from harness import wait_until


def _program(name):
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        pytest.skip("PostgreSQL is not installed; script/bootstrap does that")
    return path


def _user():
    """It does not run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        except KeyError:
            pass
    pytest.skip("there is no user that PostgreSQL could run as")


class Postgres:
    def __enter__(self):
        initdb, postgres, user = _program("initdb"), _program("postgres"), _user()
        self._place = Path(tempfile.mkdtemp(prefix="cppcorn-postgres-"))
        if user:
            os.chown(self._place, user["user"], user["group"])
        quietly = {"cwd": self._place, "stdin": subprocess.DEVNULL, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}, **user}
        data = self._place / "data"
        making = [initdb, "--no-sync", "--auth=trust", "--username=test", "--encoding=UTF8", "--pgdata", data]
        done = subprocess.run(making, capture_output=True, text=True, **quietly)
        assert done.returncode == 0, done.stderr
        self.port = harness.free_port()
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self._place, "fsync": "off",
            "shared_buffers": "16MB", "max_connections": 50,
        }
        options = [each for name, value in settings.items() for each in ("-c", f"{name}={value}")]
        with open(self._place / "log", "w") as log:
            self._process = subprocess.Popen(
                [postgres, "-D", data, *options], stdout=log, stderr=log, preexec_fn=harness._die_with_parent, **quietly
            )
        try:
            wait_until(self._is_ready, timeout=30, what="PostgreSQL")
        except BaseException:
            self.__exit__()
            raise
        return self

    def _is_ready(self):
        log = (self._place / "log").read_text()
        assert self._process.poll() is None, log
        return "ready to accept connections" in log

    @property
    def url(self):
        return f"postgresql+psycopg2://test@127.0.0.1:{self.port}/postgres"

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
        shutil.rmtree(self._place)
