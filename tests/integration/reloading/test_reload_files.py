"""--reload: the app is loaded anew when its file changes, and what is broken or half written changes nothing."""

import os
import shutil
from pathlib import Path

import pytest

from harness import APPS, Server

HELLO, FAULTS = b"Hello, world!\n", b"ok\n"


@pytest.fixture
def site(tmp_path):
    (tmp_path / "build").mkdir()
    deploy(tmp_path / "build", "hello")
    return tmp_path / "build"


def deploy(folder, app):
    """As a linker does: the old file goes, a new one comes."""
    (folder / "site.so").unlink(missing_ok=True)
    shutil.copy(f"{APPS}/{app}.so", folder / "site.so")


def serve(site, *args, **options):
    return Server("site:app", "--reload", *args, app_dir=site, cwd=site.parent, **options)


def wait_body(server, body):
    def answers():
        try:
            return server.get("/").body == body
        except Exception:  # the worker may be the one that crashes
            return False

    server.wait_for(answers, what=f"the answer {body!r}")


def test_a_new_build_is_loaded(site):
    with serve(site, "--workers", "2", wait=2) as server:
        for reloads, (app, body) in enumerate((("faults", FAULTS), ("hello", HELLO)), 1):
            deploy(site, app)
            wait_body(server, body)
            server.wait_log("Reload done", count=reloads)
        assert server.count_log(rf"{site}/site.so has changed") == 2
        assert server.count_log(r"\[(ERROR|CRITICAL)\]") == 0


def test_a_file_that_is_moved_there_is_loaded(site):
    with serve(site) as server:
        shutil.copy(f"{APPS}/faults.so", site / "site.tmp")
        os.replace(site / "site.tmp", site / "site.so")
        wait_body(server, FAULTS)


def test_the_target_of_a_link_is_watched_too(site, tmp_path):
    link = tmp_path / "site.so"
    link.symlink_to("build/site.so")
    with serve(tmp_path) as server:
        deploy(site, "faults")
        wait_body(server, FAULTS)
        # And the link itself: releases in folders of their own.
        (tmp_path / "next").mkdir()
        deploy(tmp_path / "next", "hello")
        (tmp_path / "new").symlink_to("next/site.so")
        os.replace(tmp_path / "new", link)
        wait_body(server, HELLO)
        deploy(tmp_path / "next", "faults")
        wait_body(server, FAULTS)


def test_a_half_written_file_changes_nothing(site):
    whole = Path(f"{APPS}/faults.so").read_bytes()
    with serve(site) as server:
        workers = server.wait_workers(1)
        (site / "site.so").unlink()
        (site / "site.so").write_bytes(whole[: len(whole) // 2])
        server.wait_log("Reload failed: the old workers serve on with the old settings")
        assert server.get("/").body == HELLO
        assert server.worker_pids() == workers
        with open(site / "site.so", "ab") as rest:
            rest.write(whole[len(whole) // 2 :])
        wait_body(server, FAULTS)


def test_a_copy_over_the_file_in_use_is_survived(site):
    whole = Path(f"{APPS}/faults.so").read_bytes()
    with serve(site) as server:
        with open(site / "site.so", "wb") as file:
            file.write(whole[:8192])
            file.flush()
            server.wait_log("Reload failed")
            assert server.get("/").body == HELLO
            file.write(whole[8192:])
        wait_body(server, FAULTS)
        assert server.count_log("was sent SIG") == 0


def test_the_folder_of_the_build_may_be_made_anew(site):
    with serve(site) as server:
        shutil.rmtree(site)
        assert server.get("/").body == HELLO
        site.mkdir()
        deploy(site, "faults")
        wait_body(server, FAULTS)
        deploy(site, "hello")
        wait_body(server, HELLO)


def test_further_files_are_watched(site, tmp_path):
    extra = tmp_path / "template.html"
    extra.write_text("one")
    with serve(site, "--reload-extra-file", "template.html") as server:
        workers = server.wait_workers(1)
        extra.write_text("two")
        server.wait_log(rf"{extra} has changed")
        server.wait_for(lambda: server.worker_pids() not in ([], workers) and server.wait_workers(1), what="a new worker")
        (tmp_path / "another").write_text("none of ours")
        assert server.count_log("has changed") == 1


def test_without_it_nothing_is_watched(site):
    with Server("site:app", app_dir=site) as server:
        deploy(site, "faults")
        assert server.get("/").body == HELLO
        assert not any("inotify" in os.readlink(each) for each in Path(f"/proc/{server.pid}/fd").iterdir())


def test_a_preloaded_app_is_loaded_anew(site):
    with serve(site, "--preload") as server:
        deploy(site, "faults")
        wait_body(server, FAULTS)
