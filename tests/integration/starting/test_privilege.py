"""A master of root's whose workers are somebody else (--user) is led nowhere by what that user puts in its way."""

import os
import shutil
import signal
import socket
from pathlib import Path

import pytest

from harness import APPS, Server, folder_for_others, only_with_other_users, read_response, request_bytes, run, wait_until

NOBODY, NOGROUP = 65534, 65534

pytestmark = only_with_other_users

AS_NOBODY = ("--user", "65534", "--group", "65534")
KINDS = ("log-file", "access-logfile", "pid", "socket")


class Place:
    """A folder with the apps, a home that belongs to the workers' user, and a treasury that is root's."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.home = self.folder / "home"
        self.treasury = self.folder / "treasury"
        for each in (self.home, self.treasury):
            each.mkdir()
        os.chown(self.home, NOBODY, NOGROUP)

    def link(self, path, target, user=NOBODY):
        path.symlink_to(target)
        os.lchown(path, user, user)

    def options(self, kind, path):
        """What makes the server open that path, and where it listens."""
        if kind == "socket":
            return ["--bind", f"unix:{path}"]
        return [f"--{kind}", path, "--bind", "127.0.0.1:0"]

    def run(self, *args, cwd=None, env=None):
        return run("whoami:app", "--app-dir", self.folder, *AS_NOBODY, *args, cwd=cwd or self.folder, env=env)

    def serve(self, *args, **options):
        return Server("whoami:app", *AS_NOBODY, *args, app_dir=self.folder, bind=None, **options)

    def assert_untouched(self):
        assert list(self.treasury.iterdir()) == []
        assert owner(self.treasury) == (0, 0)


@pytest.fixture
def place():
    with folder_for_others() as folder:
        shutil.copy(f"{APPS}/whoami.so", folder)
        yield Place(folder)


def owner(path):
    status = os.lstat(path)
    return status.st_uid, status.st_gid


def is_served(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(path))
        sock.sendall(request_bytes("/ids"))
        return read_response(sock).status == 200


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["the folder", "a folder on the way", "a link of root's that the user has moved"])
def test_a_link_of_the_users_on_the_way_is_refused(place, kind, what):
    if what == "the folder":
        place.link(place.home / "run", place.treasury)
        path = place.home / "run" / "file"
    elif what == "a folder on the way":
        place.link(place.home / "app", place.folder)
        path = place.home / "app" / "treasury" / "file"
    else:
        place.link(place.home / "run", place.treasury, user=0)
        path = place.home / "run" / "file"
    done = place.run(*place.options(kind, path))
    assert done.code == 1, done
    assert "is a link that others could change" in done.stderr
    assert str(path) in done.stderr
    place.assert_untouched()


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_of_roots_own_is_followed(place, kind):
    """As /var/run is."""
    (place.folder / "run").symlink_to("treasury")
    (place.folder / "var").symlink_to(place.folder)
    path = place.folder / "var" / "run" / "file"
    with place.serve(*place.options(kind, path)) as server:
        assert (place.treasury / "file").exists()
        if kind == "socket":
            assert is_served(path)
            server.wait_log(f"Listening at: unix:{path} ")
    assert (place.treasury / "file").exists() == (kind in ("log-file", "access-logfile"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_the_users_is_as_good_as_any(place, kind):
    path = place.home / "file"
    with place.serve(*place.options(kind, path)):
        assert owner(path) == ((0, 0) if kind == "pid" else (NOBODY, NOGROUP))
        if kind == "socket":
            assert is_served(path)
    assert path.exists() == (kind in ("log-file", "access-logfile"))


@pytest.mark.parametrize("kind", ("log-file", "access-logfile"))
def test_a_file_that_was_there_is_not_given_away(place, kind):
    """The user may have moved it there."""
    path = place.home / "file"
    path.write_text("root's own\n")
    path.chmod(0o600)
    with place.serve(*place.options(kind, path), log_file=path) as server:
        server.signal(signal.SIGUSR1)
        server.wait_log("Handling signal: usr1")
        assert owner(path) == (0, 0)
    assert owner(path) == (0, 0)


@pytest.mark.parametrize("kind", ("log-file", "access-logfile"))
def test_a_folder_that_becomes_a_link_is_not_followed_by_a_rotation(place, kind):
    logs = place.home / "logs"
    logs.mkdir()
    args = place.options(kind, logs / "file")
    with place.serve(*args) as server:
        logs.rename(place.home / "aside")
        place.link(logs, place.treasury)
        server.signal(signal.SIGUSR1)
        server.wait_log("is a link that others could change")
        place.assert_untouched()


def test_a_folder_that_becomes_a_link_is_not_followed_at_the_end(place):
    run_folder = place.home / "run"
    run_folder.mkdir()
    path, pidfile = run_folder / "sock", run_folder / "pid"
    with place.serve("--bind", f"unix:{path}", "--pid", pidfile) as server:
        run_folder.rename(place.home / "aside")
        place.link(run_folder, place.treasury)
        (place.treasury / "pid").write_text(f"{server.pid}\n")
        os.link(place.home / "aside" / "sock", place.treasury / "sock")
    # What was made goes, where it is by now; nothing else does.
    assert list((place.home / "aside").iterdir()) == []
    assert sorted(each.name for each in place.treasury.iterdir()) == ["pid", "sock"]


@pytest.mark.parametrize("kind", ("pid", "socket"))
def test_a_reload_is_led_nowhere_either(place, kind):
    settings = place.folder / "settings.toml"
    settings.write_text('bind = ["127.0.0.1:0"]\n')
    with place.serve("--config", settings) as server:
        place.link(place.home / "run", place.treasury)
        path = place.home / "run" / "file"
        more = f'pid = "{path}"\nbind = ["127.0.0.1:0"]\n' if kind == "pid" else f'bind = ["unix:{path}"]\n'
        settings.write_text(more)
        server.signal(signal.SIGHUP)
        server.wait_log("is a link that others could change")
        place.assert_untouched()
        assert server.wait_workers(1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_relative_path_is_as_good_as_the_directory(place, kind):
    place.link(place.home / "app", place.treasury)
    app = place.home / "app"
    done = place.run(*place.options(kind, "file"), cwd=app, env={"PWD": str(app)})
    assert done.code == 1, done
    assert "cannot use the relative path file with --user or --group" in done.stderr
    done = place.run(*place.options(kind, "file"), "--chdir", app)
    assert done.code == 1, done
    place.assert_untouched()
    with place.serve(*place.options(kind, "file"), cwd=place.home):
        wait_until((place.home / "file").exists, what="the file")


def test_a_hard_link_is_refused(place):
    treasure = place.folder / "treasure"
    treasure.write_text("gold")
    os.link(treasure, place.home / "log")
    done = place.run(*place.options("log-file", place.home / "log"))
    assert done.code == 1
    assert treasure.read_text() == "gold"
    assert owner(treasure) == (0, 0)


def test_what_is_a_link_in_the_pidfiles_place_is_replaced(place):
    treasure = place.folder / "treasure"
    treasure.write_text("gold")
    place.link(place.home / "pid", treasure)
    with place.serve(*place.options("pid", place.home / "pid")) as server:
        assert (place.home / "pid").read_text() == f"{server.pid}\n"
        assert not (place.home / "pid").is_symlink()
    assert treasure.read_text() == "gold"


def test_a_link_in_the_sockets_place_is_left_alone(place):
    place.link(place.home / "sock", place.treasury / "new")
    done = place.run(*place.options("socket", place.home / "sock"))
    assert done.code == 1
    assert "it exists and is not a socket" in done.stderr
    place.assert_untouched()


def test_without_another_user_links_are_followed(tmp_path):
    """Whoever runs the server may lead it where it likes."""
    (tmp_path / "real").mkdir()
    (tmp_path / "logs").symlink_to("real")
    os.lchown(tmp_path / "logs", NOBODY, NOGROUP)
    path = tmp_path / "logs" / "log"
    with Server("hello:app", "--log-file", path, "--pid", tmp_path / "logs" / "pid", log_file=path) as server:
        assert server.get("/").status == 200
        assert (tmp_path / "real" / "pid").exists()
    assert not (tmp_path / "real" / "pid").exists()
