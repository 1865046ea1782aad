"""What a log's name may mean besides a file, and what is refused before anything is opened."""

import os
import re
import shutil
from pathlib import Path

import pytest

from harness import APPS, CAP_SYS_PTRACE, Server, folder_for_others, has_capability, run, wait_until

SETTINGS, USAGE, NO_APP = 1, 2, 4


def start(*args, app="hello:app", **options):
    return run(app, "--app-dir", APPS, "--bind", "127.0.0.1:0", *args, **options)


# ---- /dev/stdout and /dev/stderr


@pytest.mark.parametrize("name", ["/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"])
def test_the_error_log_on_stderr(name):
    with Server("hello:app", "--log-file", name) as server:
        server.wait_log("Booting worker")


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
def test_the_error_log_on_stdout(name):
    with Server("hello:app", "--log-file", name, bind="127.0.0.1:0") as server:
        wait_until(lambda: "Listening at" in server.stdout_text(), what="the log on stdout")
        assert "Listening at" not in server.log_text()


def served(server, log):
    port = int(re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", log)[1])
    assert server.get("/", port=port).status == 200


@pytest.mark.parametrize("name, stream", [("/dev/stdout", "stdout"), ("/dev/stderr", "stderr"), ("-", "stdout")])
def test_the_access_log_on_a_standard_stream(name, stream):
    with Server("hello:app", "--access-logfile", name) as server:
        assert server.get("/").status == 200
        text = server.stdout_text if stream == "stdout" else server.log_text
        wait_until(lambda: '"GET / HTTP/1.1" 200' in text(), what="the line")


def test_a_stream_that_is_a_file_is_not_truncated_or_opened_anew(tmp_path):
    """What is written to it stays in the order in which it was written."""
    path = tmp_path / "out"
    path.write_text("before\n")
    with open(path, "ab") as out:
        with Server("hello:app", "--access-logfile", "/dev/stdout", stdout=out) as server:
            assert server.get("/").status == 200
            wait_until(lambda: "GET /" in path.read_text(), what="the line")
    assert path.read_text().startswith("before\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start servers of other users")
@pytest.mark.skipif(not has_capability(CAP_SYS_PTRACE), reason="nothing is seen of other users' processes")
@pytest.mark.parametrize("args", [["--log-file", "/dev/stderr"], ["--log-file", "/dev/stdout"], ["--access-logfile", "/dev/stdout"]])
def test_a_standard_stream_with_another_user(args):
    with folder_for_others() as folder:
        shutil.copy(f"{APPS}/hello.so", folder)
        users = ["--user", "65534", "--group", "65534"]
        with Server("hello:app", *args, *users, app_dir=folder) as server:
            wait_until(lambda: "Listening at" in server.log_text() + server.stdout_text(), what="the log")
            served(server, server.log_text() + server.stdout_text())
            if "--access-logfile" in args:
                wait_until(lambda: "GET /" in server.stdout_text(), what="the access log")


# ---- --daemon


@pytest.mark.parametrize("args", [[], ["--log-file", "-"], ["--log-file", "/dev/stderr"], ["--error-logfile", "/dev/stdout"]])
@pytest.mark.parametrize("more", [[], ["--check-config"]])
def test_a_daemon_needs_a_log(args, more, tmp_path):
    done = start("--daemon", "--pid", tmp_path / "pid", *args, *more)
    assert done.code == SETTINGS
    said = "daemon: needs --log-file PATH or --log-syslog; a daemon has no terminal to log to"
    assert done.stderr == f"cppcorn: {said}\n"
    assert list(tmp_path.iterdir()) == []


# ---- --check-config


def check(*args, **options):
    return start("--check-config", *args, **options)


def files_below(folder):
    return {str(each): each.stat().st_mtime_ns for each in folder.rglob("*")}


@pytest.mark.parametrize("flag", ["--log-file", "--access-logfile", "--pid"])
def test_a_check_finds_a_file_that_cannot_be_written(tmp_path, flag):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    for path, why in (
        (tmp_path / "none" / "file", "No such file or directory"),
        (tmp_path / "folder", "Is a directory"),
        (tmp_path / "file" / "file", "Not a directory"),
    ):
        before = files_below(tmp_path)
        done = check(flag, path)
        assert done.code == SETTINGS, done
        assert str(path) in done.stderr and why in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert files_below(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("flag", ["--log-file", "--access-logfile", "--pid"])
def test_a_check_finds_a_folder_that_may_not_be_written(tmp_path, flag):
    tmp_path.chmod(0o500)
    assert check(flag, tmp_path / "file").code == SETTINGS
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("flag", ["--log-file", "--access-logfile", "--pid"])
def test_a_check_makes_and_changes_nothing(tmp_path, flag):
    (tmp_path / "old").write_text("what was there\n")
    before = files_below(tmp_path)
    assert check(flag, tmp_path / "new").code == 0
    assert check(flag, tmp_path / "old").code == 0
    assert files_below(tmp_path) == before
    assert (tmp_path / "old").read_text() == "what was there\n"


def test_a_check_beside_the_server_that_runs_is_fine(tmp_path):
    args = ["--pid", tmp_path / "pid", "--log-file", tmp_path / "log"]
    with Server("hello:app", *args, log_file=tmp_path / "log") as server:
        assert check(*args, "--bind", f"127.0.0.1:{server.port}").code == 0


@pytest.mark.parametrize("more", [[], ["--access-logfile", "-"]])
def test_a_check_finds_unknown_atoms(more):
    done = check("--access-logformat", "%(h)s %(nothing)s", *more)
    assert done.code == SETTINGS
    assert "command line: --access-logformat: bad access log format" in done.stderr


def test_a_check_finds_an_app_dir_that_is_not_there(tmp_path):
    done = check("--app-dir", tmp_path / "none")
    assert done.code == SETTINGS
    assert f"cannot look for the app in --app-dir {tmp_path}/none: No such file or directory" in done.stderr
    (tmp_path / "file").write_text("")
    assert check("--app-dir", tmp_path / "file").code == SETTINGS


def test_a_check_finds_a_unix_socket_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    assert check("--bind", f"unix:{tmp_path}/none/sock").code == SETTINGS
    assert check("--bind", f"unix:{tmp_path}/file").code == SETTINGS
    assert check("--bind", f"unix:{tmp_path}/sock").code == 0
    assert check("--bind", "unix:@cppcorn-check").code == 0
    assert [each.name for each in Path(tmp_path).iterdir()] == ["file"]
