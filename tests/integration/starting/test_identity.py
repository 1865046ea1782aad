"""The workers run as somebody else than the master (--user, --group), and cannot go back."""

import grp
import os
import pwd
import shutil
import signal
import socket
from pathlib import Path

import pytest

from harness import APPS, BINARY, Server, folder_for_others, is_alive, only_with_other_users, read_response, request_bytes, run, wait_until, with_file, working_wrapper

NOBODY, NOGROUP = 65534, 65534
WWW = 33  # www-data, user and group, on Debian



def has_accounts():
    try:
        return pwd.getpwnam("nobody").pw_uid == NOBODY and grp.getgrnam("www-data").gr_gid == WWW
    except KeyError:
        return False


pytestmark = [
    *only_with_other_users,
    pytest.mark.skipif(not has_accounts(), reason="there is no nobody (65534), or no group www-data (33)"),
]


@pytest.fixture
def place():
    """A folder that other users can enter, with the apps."""
    with folder_for_others() as folder:
        for app in ("whoami", "faults", "hello"):
            shutil.copy(f"{APPS}/{app}.so", folder)
        yield folder


def serve(place, app, *args, **options):
    return Server(app, *args, app_dir=place, cwd=place, **options)


def ids(server):
    """Real, effective and saved user, the same of the group, and the other groups."""
    *numbers, groups = server.get("/ids").text.rstrip("\n").split(" ")
    return [int(each) for each in numbers], {int(each) for each in groups.split(",") if each}


def owner(path):
    status = os.lstat(path)
    return status.st_uid, status.st_gid


@pytest.mark.parametrize(
    "args, user, group",
    [
        (["--user", "nobody"], NOBODY, NOGROUP),  # the user's own group, not root's
        (["--user", "nobody", "--group", "www-data"], NOBODY, WWW),
        (["-u", "65534", "-g", "12345"], NOBODY, 12345),
        (["--user", "12345", "--group", "12345"], 12345, 12345),
        (["--group", "www-data"], 0, WWW),
    ],
)
def test_the_workers_are_somebody_else(place, args, user, group):
    with serve(place, "whoami:app", *args) as server:
        assert ids(server) == ([user] * 3 + [group] * 3, {group})
        assert server.get("/loaded-as").text == f"{user}\n"
        if user != 0:
            assert server.get("/way-back").text == "none\n"
        assert os.stat(f"/proc/{server.pid}").st_uid == 0


def test_the_app_is_tried_as_the_user_too(place):
    (place / "whoami.so").chmod(0o600)
    done = run("whoami:app", "--app-dir", place, "--user", "nobody", "--bind", "127.0.0.1:0")
    assert done.code == 4
    assert "whoami.so" in done.stderr


def test_initgroups_brings_the_users_other_groups(place):
    groups = place / "group"
    groups.write_text(Path("/etc/group").read_text() + "cppcorn-one:x:4242:nobody\ncppcorn-two:x:4243:nobody\n")
    inside = with_file("/etc/group", groups)
    with serve(place, "whoami:app", "--user", "nobody", "--initgroups", wrapper=inside) as server:
        assert ids(server) == ([NOBODY] * 3 + [NOGROUP] * 3, {NOGROUP, 4242, 4243})


def test_the_logs_are_the_users_and_stay_so_when_they_are_rotated(place):
    log, access = place / "error.log", place / "access.log"
    args = ["--user", "nobody", "--log-file", log, "--access-logfile", access]
    with serve(place, "whoami:app", *args, log_file=log) as server:
        assert server.get("/").status == 200
        for path in (log, access):
            assert owner(path) == (NOBODY, NOGROUP)
        server.rotate(log, access)
        assert server.get("/?after").status == 200
        wait_until(lambda: "?after" in access.read_text(), what="the worker's line in the new file")
        for path in (log, access):
            assert owner(path) == (NOBODY, NOGROUP)


@pytest.mark.parametrize("kind", ["symlink", "dangling symlink", "hard link"])
@pytest.mark.parametrize("flag", ["--log-file", "--access-logfile"])
def test_a_log_that_is_a_link_is_refused(place, kind, flag):
    """Who owns the folder could have put a link to a file of root's there, which the workers would then write to."""
    treasure = place / "treasure"
    if kind != "dangling symlink":
        treasure.write_text("")
    log = place / "some.log"
    os.link(treasure, log) if kind == "hard link" else log.symlink_to(treasure)
    done = run("whoami:app", "--app-dir", place, "--user", "nobody", "--bind", "127.0.0.1:0", flag, log)
    assert done.code == 1
    assert f"cannot open log file {log}" in done.stderr
    assert treasure.exists() == (kind != "dangling symlink")
    assert not treasure.exists() or treasure.read_text() == ""


def test_a_check_as_root_runs_no_code_of_the_app_as_root(place):
    (place / "whoami.so").chmod(0o600)
    done = run("whoami:app", "--app-dir", place, "--user", "nobody", "--check-config")
    assert done.code == 4


def test_a_unix_socket_is_the_users(place):
    path = place / "sock"
    with serve(place, "whoami:app", "--user", "nobody", bind=f"unix:{path}"):
        assert owner(path) == (NOBODY, NOGROUP)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            sock.sendall(request_bytes("/ids"))
            assert read_response(sock).status == 200
    assert not path.exists()


def test_a_reload_and_a_crash_bring_workers_of_the_same_user(place):
    with serve(place, "faults:app", "--user", "nobody") as server:
        for action in (lambda: server.signal(signal.SIGHUP), lambda: server.raw(request_bytes("/segv"))):
            old = server.wait_workers(1)
            action()
            server.wait_for(lambda: not is_alive(old[0]), what="the end of the old worker")
            (pid,) = server.wait_workers(1)
            assert os.stat(f"/proc/{pid}").st_uid == NOBODY


def test_a_stuck_worker_of_another_user_does_not_outlive_a_killed_master(place):
    with serve(place, "faults:app", "--user", "nobody", stop_code=-signal.SIGKILL) as server:
        workers = server.wait_workers(1)
        sock = server.connect()
        sock.sendall(request_bytes("/spin"))
        server.wait_for(lambda: "State:\tR" in Path(f"/proc/{workers[0]}/status").read_text(), what="a busy worker")
        server.signal(signal.SIGKILL)
        server.wait_exit()
        wait_until(lambda: not is_alive(workers[0]), timeout=3, what="the worker's end")


def test_only_root_can(place):
    shutil.copy(BINARY, place / "cppcorn")
    as_nobody = working_wrapper("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    options = {"binary": place / "cppcorn", "wrapper": as_nobody}
    with serve(place, "whoami:app", "--user", "root", wait=False, stop_code=1, **options) as server:
        assert server.wait_exit() == 1
        assert "cppcorn: cannot run the workers as another user or group (--user, --group): only root can" in server.log_text()
    # Who it is already, it may say.
    with serve(place, "whoami:app", "--user", "nobody", **options) as server:
        assert ids(server)[0] == [NOBODY] * 3 + [NOGROUP] * 3


@pytest.mark.parametrize(
    "args, said",
    [
        (["--user", "no-such-user"], "command line: --user: 'no-such-user' is no user on this machine"),
        (["--group", "no-such-group"], "command line: --group: 'no-such-group' is no group on this machine"),
        (["--user", "4242"], "user 4242 has no group of its own on this machine; give one with --group"),
    ],
)
def test_nobody_by_that_name(args, said):
    done = run("hello:app", "--app-dir", APPS, "--bind", "127.0.0.1:0", *args)
    assert done.code == 1
    assert said in done.stderr
