"""How one release takes the place of another, where two reloads or two releases meet."""

import os
import shutil
import signal

import pytest

from harness import APPS, Server, free_port, is_alive, is_refused, is_sleeping


class Site:
    """A folder with a settings file and a copy of an app that can be replaced."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "site.toml"
        self.deploy("faults")

    def deploy(self, app):
        shutil.copy(f"{APPS}/{app}.so", self.folder / "new.so")
        os.replace(self.folder / "new.so", self.folder / "site.so")

    def settings(self, **values):
        self.file.write_text("".join(f"{key} = {value!r}\n" for key, value in values.items()))

    def server(self, *args, **options):
        return Server("site:app", "-c", self.file, *args, cwd=self.folder, app_dir=self.folder, bind=None, **options)


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def wait_probe(server, known):
    """Waits for a child of the master besides those that are known, and returns its pid."""

    def found():
        others = [each.pid for each in server.children() if each.state not in "ZX" and each.pid not in known]
        return others[0] if others else None

    return server.wait_for(found, what="the probe")


def test_a_reload_that_was_queued_works_at_once_after_a_rejected_one(site):
    """The rejected one had opened the address already that the queued one asks for."""
    old, new = free_port(), free_port()
    site.settings(bind=[f"127.0.0.1:{old}"])
    with site.server() as server:
        workers = server.wait_workers(1)
        site.settings(bind=[f"127.0.0.1:{new}"])
        site.deploy("boot_hang")
        server.signal(signal.SIGHUP)
        probe = wait_probe(server, workers)
        site.deploy("faults")
        server.signal(signal.SIGHUP)
        server.wait_log("Handling signal: hup", count=2)
        os.kill(probe, signal.SIGKILL)
        server.wait_log("Reload failed: the old workers serve on")
        server.wait_log("Reloading: new workers start")
        server.wait_log(f"Listening at: http://127.0.0.1:{new} ")
        server.wait_for(lambda: not any(map(is_alive, workers)), what="the end of the old workers")
        server.wait_workers(1)
        assert server.get("/", port=new).status == 200
        assert server.count_log("Reload failed") == 1
        assert server.count_log("Address already in use") == 0
        server.wait_for(lambda: is_refused(old), 1, what="the end of the old address")


def test_term_ends_a_probe_and_the_reload_that_waits_for_it(site):
    site.settings(bind=[f"127.0.0.1:{free_port()}"])
    with site.server() as server:
        workers = server.wait_workers(1)
        site.deploy("boot_hang")
        server.signal(signal.SIGHUP)
        probe = wait_probe(server, workers)
        server.signal(signal.SIGHUP)
        server.wait_log("Handling signal: hup", count=2)
        server.signal(signal.SIGTERM)
        assert server.wait_exit() == 0
        assert not is_alive(probe)
        assert server.complaints() == []


def test_the_lost_request_of_an_old_worker_is_in_the_log_of_its_release(site, tmp_path):
    old_log, new_log = tmp_path / "old.log", tmp_path / "new.log"
    site.settings(bind=[f"127.0.0.1:{free_port()}"], access_logfile=str(old_log))
    with site.server() as server:
        (worker,) = server.wait_workers(1)
        sock = server.send("/sleep?ms=30000&of=the-old-one")
        server.wait_for(lambda: is_sleeping(worker), what="the request")
        site.settings(bind=[f"127.0.0.1:{server.port}"], access_logfile=str(new_log))
        server.signal(signal.SIGHUP)
        server.wait_log("Reloading: new workers start")
        server.wait_for(lambda: len(server.worker_pids()) == 2, what="the new worker")
        server.wait_for(lambda: server.get("/new").status == 404, what="its answer")
        os.kill(worker, signal.SIGKILL)
        server.wait_log(rf"Worker \(pid:{worker}\) was sent SIGKILL while serving GET /sleep")
        server.wait_for(lambda: "the-old-one" in old_log.read_text(), what="the lost request's line")
        server.wait_for(lambda: "/new" in new_log.read_text(), what="the new worker's line")
        assert "the-old-one" not in new_log.read_text()
        sock.close()

