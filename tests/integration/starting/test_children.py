"""What each child of the master is called, and which of the master's descriptors it has: those that it needs."""

import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from harness import BINARY, Server, command_line, open_files


def kinds(pid, folder):
    """What the descriptors beyond the standard streams are, in order, without numbers."""
    files = [target for fd, target in open_files(pid).items() if fd > 2]
    return sorted(re.sub(r"\d+", "N", target.replace(str(folder), "FOLDER")) for target in files)


def other_children(server, known=()):
    return [each.pid for each in server.children() if each.state not in "ZX" and each.pid not in known]


@pytest.fixture
def arguments(tmp_path):
    """A server with everything open that a master may have: two listeners, files as logs, watched files."""
    return [
        *("--bind", f"unix:{tmp_path}/sock", "--chdir", tmp_path, "--reload"),
        *("--access-logfile", "access.log", "--log-file", "error.log"),
    ]


def test_a_worker_has_the_listeners_the_logs_and_its_tie_to_the_master(arguments, tmp_path):
    with Server("hello:app", *arguments, "--workers", "2", wait=2, log_file=tmp_path / "error.log") as server:
        for worker in server.wait_workers(2):
            assert command_line(worker) == "cppcorn: worker [hello:app]"
            assert kinds(worker, tmp_path) == [
                "FOLDER/access.log",
                "FOLDER/error.log",
                "anon_inode:[eventfd]",  # its own, for signals
                "anon_inode:[eventfd]",  # the bell that the master rings for it, and for no other
                "anon_inode:[eventfd]",  # its understudy's, which shares its descriptors
                "anon_inode:[eventfd]",  # the lookout's
                "anon_inode:[eventpoll]",  # its own
                "anon_inode:[pidfd]",  # its understudy
                "anon_inode:[pidfd]",  # itself, for its understudy
                "pipe:[N]",  # notices
                "pipe:[N]",  # the leash
                "socket:[N]",
                "socket:[N]",
                "socket:[N]",  # the two ends of the queue of connections
                "socket:[N]",
            ]


def test_without_understudies_a_worker_has_no_bells_but_its_own():
    with Server("hello:app", "--no-understudy") as server:
        (worker,) = server.wait_workers(1)
        assert list(open_files(worker).values()).count("anon_inode:[eventfd]") == 2


def test_the_lookout_has_the_bells_and_its_tie_to_the_master(arguments, tmp_path):
    with Server("hello:app", *arguments, "--workers", "2", wait=2, log_file=tmp_path / "error.log") as server:
        (lookout,) = server.lookouts()
        assert command_line(lookout) == "cppcorn: lookout [hello:app]"
        expected = [
            "FOLDER/error.log",
            "anon_inode:[eventfd]",  # its own, which workers ring
            "anon_inode:[eventfd]",  # the two understudies'
            "anon_inode:[eventfd]",
            "pipe:[N]",  # the leash
            "socket:[N]",  # by which it gets the bells
        ]
        server.wait_for(lambda: kinds(lookout, tmp_path) == expected, what=f"{expected}")


def test_a_probe_has_the_log_its_folder_and_a_pipe_for_what_it_says(arguments, tmp_path):
    with Server("boot_hang:app", *arguments, log_file=tmp_path / "error.log", wait=False) as server:
        server.wait_log("Using worker")
        (probe,) = server.wait_for(lambda: other_children(server), what="the probe")
        server.wait_for(lambda: command_line(probe) == "cppcorn: probe [boot_hang:app]", what="its title")
        watched = "/memfd:cppcorn-watched (deleted)"  # for the files that --reload is to watch besides
        expected = [watched, "FOLDER", "FOLDER/error.log", "pipe:[N]"]
        server.wait_for(lambda: kinds(probe, tmp_path) == expected, what=f"{expected}")


def test_a_mold_has_what_its_workers_need(arguments, tmp_path):
    with Server("hello:app", *arguments, "--preload", log_file=tmp_path / "error.log") as server:
        workers = server.wait_workers(1)
        (mold,) = [each for each in other_children(server, workers) if "mold" in command_line(each)]
        assert command_line(mold) == "cppcorn: mold [hello:app]"
        assert kinds(mold, tmp_path) == [
            "/memfd:cppcorn-watched (deleted)",
            "FOLDER",
            "FOLDER/access.log",
            "FOLDER/error.log",
            "anon_inode:[eventfd]",  # the lookout's
            "pipe:[N]",  # notices
            "pipe:[N]",  # the leash
            "socket:[N]",  # by which the master asks it for workers
            "socket:[N]",
            "socket:[N]",
            "socket:[N]",  # the two ends of the queue of connections
            "socket:[N]",
        ]


def test_workers_of_a_mold_have_what_others_have(arguments, tmp_path):
    kept = []
    for args in ((), ("--preload",)):
        with Server("hello:app", *arguments, *args, log_file=tmp_path / "error.log") as server:
            kept.append(kinds(server.wait_workers(1)[0], tmp_path))
    assert kept[0] == kept[1]


def test_a_new_master_has_what_it_would_have_had_from_the_start(arguments, tmp_path):
    with Server("hello:app", *arguments, log_file=tmp_path / "error.log") as server:
        workers = server.wait_workers(1)
        before = kinds(server.pid, tmp_path)
        server.signal(signal.SIGUSR2)
        server.wait_log("Booting worker", count=2)
        (successor,) = other_children(server, workers)
        assert command_line(successor) == command_line(server.pid) == "cppcorn: master [hello:app]"
        # Besides, it watches the old one.
        expected = sorted([*before, "anon_inode:[pidfd]"])
        server.wait_for(lambda: kinds(successor, tmp_path) == expected, what=f"{expected}")
        os.kill(successor, signal.SIGTERM)
        server.wait_log("this one serves on")


def test_a_successor_inherits_the_listeners_and_the_queue_and_nothing_else_of_ours(tmp_path):
    """A program that only tells what it was given, in the place of the new binary."""
    binary = tmp_path / "cppcorn"
    shutil.copy(BINARY, binary)
    with Server("hello:app", "--reload", "--access-logfile", tmp_path / "access.log", binary=binary) as server:
        script = tmp_path / "new"
        script.write_text(f"#!/bin/sh\nexec > {tmp_path}/said\nls -l /proc/$$/fd\nexit 9\n")
        script.chmod(0o755)
        os.replace(script, binary)
        server.signal(signal.SIGUSR2)
        server.wait_log(r"The new master \(pid:\d+\) exited with code 9; this one serves on")
        found = re.findall(r" (\d+) -> (\S+)", (tmp_path / "said").read_text())
        ours = [target for fd, target in found if int(fd) > 2 and not target.startswith(str(binary))]
        # The listener, the two ends of the queue of connections, and where to say that it is taken.
        assert len(ours) == 4 and all(each.startswith("socket:") for each in ours), found


@pytest.mark.parametrize("preload", [False, True])
def test_descriptors_that_were_passed_on_purpose_reach_the_workers(preload, tmp_path):
    read_end, write_end = os.pipe()
    try:
        args = ["--preload"] if preload else []
        with Server("hello:app", *args, pass_fds=[read_end]) as server:
            (worker,) = server.wait_workers(1)
            assert os.readlink(f"/proc/{worker}/fd/{read_end}") == os.readlink(f"/proc/self/fd/{read_end}")
    finally:
        os.close(read_end)
        os.close(write_end)


def test_what_a_preloaded_app_has_opened_stays_open_in_the_workers():
    with Server("keeps_open:app", "--preload", "--workers", "2", wait=2) as server:
        for worker in server.wait_workers(2):
            assert "/dev/zero" in open_files(worker).values()
        assert server.get("/").body == b"open\n"


@pytest.mark.parametrize(("options", "is_large"), [([], True), (["--no-understudy"], False)])
def test_a_table_of_descriptors_that_is_shared_has_its_size_from_the_start(options, is_large):
    """To grow it, the kernel waits for all processors, with the worker."""
    with Server("hello:app", "--worker-connections", "1000", *options) as server:
        (worker,) = server.wait_workers(1)
        size = re.search(r"^FDSize:\s*(\d+)", Path(f"/proc/{worker}/status").read_text(), re.MULTILINE)
        assert (int(size[1]) >= 4064) == is_large
