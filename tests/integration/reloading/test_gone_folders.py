"""Directories that are removed, or links that are moved, under a server that runs."""

import os
import shutil
import signal

import pytest

from harness import APPS, Server, free_port, wait_until


def serve_from(folder, *args, app="hello:app", **options):
    return Server(app, *args, cwd=folder, env={"PWD": str(folder)}, **options)


def is_served(server, port):
    """Where its port is not in what is read of its log."""
    return server.get("/", port=port).status == 200


# ---- The directory that it was started in


@pytest.mark.parametrize(
    "args",
    [
        ["--reload", "--reload-extra-file", "extra.txt"],
        ["--reload-extra-file", "extra.txt"],
        ["--pid", "pid"],
        ["--log-file", "log"],
        ["--access-logfile", "access"],
    ],
)
def test_a_reload_where_the_directory_is_gone_is_rejected(tmp_path, args):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "extra.txt").write_text("")
    port = free_port()
    with serve_from(folder, *args, bind=f"127.0.0.1:{port}") as server:
        workers = server.wait_workers(1)
        shutil.rmtree(folder)
        for count in (1, 2):
            server.signal(signal.SIGHUP)
            # On stderr, also where the log was in that directory.
            server.wait_log("the current directory is gone", count=count)
        assert is_served(server, port)
        assert server.wait_workers(1) == workers


def test_without_relative_paths_a_reload_needs_no_directory(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with serve_from(folder) as server:
        (old,) = server.wait_workers(1)
        shutil.rmtree(folder)
        server.signal(signal.SIGHUP)
        server.wait_for(lambda: server.worker_pids() not in ([], [old]), what="a new worker")
        wait_until(lambda: len(server.worker_pids()) == 1, what="the end of the old worker")
        assert server.get("/").status == 200


def test_a_directory_that_is_made_anew_is_entered(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with serve_from(folder, "--pid", "pid") as server:
        shutil.rmtree(folder)
        folder.mkdir()
        server.signal(signal.SIGHUP)
        server.wait_log("Reloading: new workers start")
        assert server.get("/").status == 200
        said = f"{server.pid}\n"
        server.wait_for(lambda: (folder / "pid").exists() and (folder / "pid").read_text() == said, what="its pidfile")
    assert not (folder / "pid").exists()


# ---- The log's directory


@pytest.mark.parametrize("flag", ["--log-file", "--access-logfile"])
def test_a_log_folder_that_is_gone_is_told_on_stderr(tmp_path, flag):
    logs = tmp_path / "logs"
    logs.mkdir()
    args = [flag, logs / "log"]
    if flag == "--access-logfile":
        args += ["--log-file", logs / "error.log"]
    port = free_port()
    with Server("hello:app", *args, bind=f"127.0.0.1:{port}") as server:
        assert is_served(server, port)
        shutil.rmtree(logs)
        server.signal(signal.SIGUSR1)
        # What is read here is its stderr: the log is nowhere any more.
        server.wait_log(rf"\[ERROR\] cannot open log file {logs}/log: No such file or directory")
        assert is_served(server, port)
        logs.mkdir()
        server.signal(signal.SIGUSR1)
        wait_until((logs / "log").exists, what="the new file")
        assert is_served(server, port)


def test_an_error_in_a_removed_log_is_on_stderr_too(tmp_path):
    """Also one that has nothing to do with logs."""
    log = tmp_path / "log"
    with Server("hello:app", "--log-file", log, cwd=tmp_path) as server:
        log.unlink()
        (tmp_path / "cppcorn.toml").write_text("workers = 'lots'\n")
        server.signal(signal.SIGHUP)
        server.wait_log(r"\[ERROR\] .*is not a whole number")


def test_an_error_in_a_log_that_is_there_is_not_repeated(tmp_path):
    log = tmp_path / "log"
    with Server("hello:app", "--log-file", log, cwd=tmp_path) as server:
        (tmp_path / "cppcorn.toml").write_text("workers = 'lots'\n")
        server.signal(signal.SIGHUP)
        wait_until(lambda: "is not a whole number" in log.read_text(), what="the error")
        assert server.log_text() == ""


# ---- A link to the release in use


def test_a_reload_follows_a_moved_link(tmp_path):
    """As deployments move it: current -> releases/2."""
    for number, app in ((1, "hello"), (2, "echo")):
        release = tmp_path / str(number)
        release.mkdir()
        shutil.copy(f"{APPS}/{app}.so", release / "site.so")
    current = tmp_path / "current"
    current.symlink_to("1")
    with Server("site:app", "--chdir", current, app_dir=None, cwd="/") as server:
        (old,) = server.wait_workers(1)
        assert os.readlink(f"/proc/{old}/cwd") == str(tmp_path / "1")
        (tmp_path / "next").symlink_to("2")
        (tmp_path / "next").rename(current)
        server.signal(signal.SIGHUP)
        server.wait_for(lambda: old not in server.worker_pids() and server.worker_pids(), what="the new worker alone")
        (new,) = server.wait_workers(1)
        assert os.readlink(f"/proc/{new}/cwd") == str(tmp_path / "2")
