"""A Procfile line under a process runner: what the server is for."""

import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from harness import (
    APPS,
    BINARY,
    ROOT,
    SLOWNESS,
    clean_environment,
    free_port,
    kill_session,
    processes,
    read_response,
    request_bytes,
    wait_until,
)


def needed(program):
    found = shutil.which(program)
    assert found, f"{program} is missing; script/bootstrap installs it"
    return found


def ask(port, path="/"):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(request_bytes(path))
        return read_response(sock)


class Foreman:
    """foreman start, in a session of its own, with our Procfile.example made to serve `app`."""

    def __init__(self, folder, app):
        example = (ROOT / "Procfile.example").read_text()
        assert "myapp:app" in example
        (folder / "Procfile").write_text(example.replace("myapp:app", app))
        (folder / "cppcorn").symlink_to(BINARY)
        self._log = folder / "foreman.log"
        self._folder = folder
        self.port = free_port()

    def __enter__(self):
        env = clean_environment({"CPPCORN_APP_PATH": APPS})
        env["PATH"] = f"{self._folder}:{env['PATH']}"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [needed("foreman"), "start", "-p", str(self.port)],
                cwd=self._folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(lambda: self.log().count("Booting worker") == 4, timeout=20, what="four workers")
        except BaseException:
            print(self.log())
            self._clean_up()
            raise
        return self

    def __exit__(self, kind, *_):
        leftovers = self._clean_up()
        if kind is None:
            assert leftovers == [], self.log()

    def _clean_up(self):
        # The runner would start to stop the others if it went first.
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        return kill_session(self.process.pid)

    def log(self):
        return self._log.read_text(errors="replace")

    def stop(self, number, timeout=10):
        self.process.send_signal(number)
        self.process.wait(timeout * SLOWNESS)

    def tree(self):
        return [each for each in processes() if each.session == self.process.pid and each.state not in "ZX"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_runner_starts_and_stops_it(tmp_path, number):
    with Foreman(tmp_path, "hello:app") as foreman:
        assert re.search(rf"web\.1.*Listening at: http://0\.0\.0\.0:{foreman.port} \(\d+\)", foreman.log())
        assert ask(foreman.port).body == b"Hello, world!\n"
        load = subprocess.run(
            [needed("wrk"), "-t1", "-c8", "-d1s", f"http://127.0.0.1:{foreman.port}/"],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert "Non-2xx" not in load.stdout and "Socket errors" not in load.stdout, load.stdout
        assert int(re.search(r"(\d+) requests in", load.stdout)[1]) > 500 / SLOWNESS
        foreman.stop(number)
        wait_until(lambda: foreman.tree() == [], timeout=5, what="the end of the whole tree")
        log = foreman.log()
        assert log.count("Shutting down: Master") == 1
        assert log.count("Worker exiting") == 4
        assert not re.search(r"\[(ERROR|CRITICAL)\]", log), log


def test_a_request_under_way_survives_the_stop(tmp_path):
    with Foreman(tmp_path, "faults:app") as foreman:
        wait_until(lambda: foreman.log().count("worker_start") == 4, what="four workers")
        with socket.create_connection(("127.0.0.1", foreman.port), timeout=10) as sock:
            sock.sendall(request_bytes("/sleep?ms=600"))
            wait_until(lambda: any_in_nanosleep(foreman), what="a busy worker")
            foreman.process.send_signal(signal.SIGTERM)
            assert read_response(sock).status == 200
        foreman.process.wait(10)


def any_in_nanosleep(foreman):
    def system_call(pid):
        try:
            return Path(f"/proc/{pid}/syscall").read_text().split()[0]
        except OSError:
            return ""

    # nanosleep and clock_nanosleep, on x86-64 and on the others. foreman itself does not sleep but select.
    return any(system_call(each.pid) in ("35", "230", "101", "115") for each in foreman.tree())


def test_a_worker_that_crashes_does_not_bring_the_runner_down(tmp_path):
    with Foreman(tmp_path, "faults:app") as foreman:
        wait_until(lambda: foreman.log().count("worker_start") == 4, what="four workers")
        assert ask(foreman.port, "/segv").status == 500
        wait_until(lambda: foreman.log().count("worker_start") == 5, what="the replacement")
        assert ask(foreman.port).status == 200
        assert foreman.process.poll() is None
        foreman.stop(signal.SIGTERM)
