"""Workers run the build that was tried: each of them, until a reload, whatever becomes of the files."""

import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from harness import APPS, SANITIZED, Server, folder_for_others, run

NOBODY = 65534


class Site:
    """A directory with an app and its neighbours, of which there are two builds: versions.so, libnear.so and
    lib/libdeep.so. They answer with the build that each of them is of."""

    FILES = ("lib/libdeep.so", "libnear.so", "versions.so")

    def __init__(self, folder):
        self.folder = folder
        (folder / "lib").mkdir(exist_ok=True)
        self.deploy(1)

    def deploy(self, build):
        """As one should: by renaming."""
        for name in self.FILES:
            shutil.copy(f"{APPS}/versions_{build}/{name}", self.folder / "new")
            os.replace(self.folder / "new", self.folder / name)

    def overwrite(self, content):
        for name in self.FILES:
            with open(self.folder / name, "r+b") as file:
                file.truncate(0)
                file.write(content(name))

    def server(self, *args, **options):
        return Server("versions:app", *args, app_dir=self.folder, **options)

    def copies(self):
        """In the order of FILES."""
        found = [str(each.relative_to(self.folder)) for each in self.folder.rglob(".cppcorn-*")]
        return sorted(found, key=lambda name: name.split(".", 2)[2])


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def kill_workers(server):
    """Kills them all and waits for as many others."""
    before = server.worker_pids()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    server.wait_for(lambda: not set(before) & set(server.worker_pids()), what="the end of the workers")
    server.wait_workers(len(before))


def answer(server):
    return server.get("/").text


def zeros(_):
    return bytes(100_000)


def test_after_a_refused_reload_replacements_run_the_build_that_serves(site):
    with site.server("--workers", "2", wait=2) as server:
        site.overwrite(lambda _: b"no library")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload failed: the old workers serve on")
        kill_workers(server)
        assert answer(server) == "1 1 1"
        kill_workers(server)
        assert answer(server) == "1 1 1"
        assert server.count_log("SIGHUP loads what is there") == 1


@pytest.mark.parametrize("args", [[], ["--preload"]])
def test_a_new_build_waits_for_a_reload(site, args):
    with site.server("--workers", "2", *args, wait=2) as server:
        site.deploy(2)
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        server.wait_log(rf"\[WARNING\] {site.folder}/versions.so on disk is not the build that runs \(build id ")
        server.wait_workers(2)
        assert {answer(server) for _ in range(10)} == {"1 1 1"}
        kill_workers(server)
        assert answer(server) == "1 1 1"
        assert server.count_log("is not the build that runs") == 1
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done: 2 new workers serve")
        server.wait_workers(2)
        assert answer(server) == "2 2 2"
        kill_workers(server)
        assert answer(server) == "2 2 2"
        assert server.count_log("is not the build that runs") == 1


def test_a_build_that_differs_in_nothing_but_its_time_is_no_other(site):
    with site.server() as server:
        site.deploy(1)
        kill_workers(server)
        assert answer(server) == "1 1 1"
        assert server.count_log("is not the build that runs") == 0


def test_a_new_neighbour_alone_is_told_of(site):
    with site.server() as server:
        shutil.copy(f"{APPS}/versions_2/lib/libdeep.so", site.folder / "new")
        os.replace(site.folder / "new", site.folder / "lib/libdeep.so")
        kill_workers(server)
        assert answer(server) == "1 1 1"
        assert server.count_log(f"{site.folder}/lib/libdeep.so on disk is not the build that runs") == 1


def test_a_build_that_was_deleted_runs_on(site):
    with site.server("--workers", "2", wait=2) as server:
        for name in site.FILES:
            (site.folder / name).unlink()
        kill_workers(server)
        assert answer(server) == "1 1 1"
        server.wait_log(rf"{site.folder}/versions.so is gone from the disk")


def test_overwriting_in_place_hurts_no_worker(site):
    with site.server("--workers", "2", wait=2) as server:
        workers = server.worker_pids()
        site.overwrite(zeros)
        assert [answer(server) for _ in range(10)] == ["1 1 1"] * 10
        assert server.get("/near-file").status == 200
        assert server.worker_pids() == workers
        site.overwrite(lambda name: Path(f"{APPS}/versions_2/{name}").read_bytes())
        kill_workers(server)
        assert answer(server) == "1 1 1"
        server.signal(signal.SIGHUP)
        server.wait_for(lambda: answer(server) == "2 2 2", what="the new build")


def test_copies_stand_beside_the_originals_while_they_are_used(site):
    with site.server() as server:
        names = [re.sub("[0-9a-f]{16}", "HASH", name) for name in site.copies()]
        assert names == ["lib/.cppcorn-HASH.libdeep.so", ".cppcorn-HASH.libnear.so", ".cppcorn-HASH.versions.so"]
        assert Path(server.get("/file").text).parent == site.folder
        assert Path(server.get("/near-file").text) == site.folder / site.copies()[1]
        for name, copy in zip(site.FILES, site.copies()):
            original, copied = os.stat(site.folder / name), os.stat(site.folder / copy)
            assert (original.st_mode, original.st_uid, original.st_gid) == (copied.st_mode, copied.st_uid, copied.st_gid)
        first = site.copies()
        site.deploy(2)
        server.signal(signal.SIGHUP)
        server.wait_for(lambda: answer(server) == "2 2 2", what="the new build")
        server.wait_for(lambda: len(site.copies()) == 3 and not set(first) & set(site.copies()), what="the old copies' end")
    assert site.copies() == []


def test_copies_that_somebody_removes_come_back(site):
    """rsync --delete does."""
    with site.server() as server:
        copies = site.copies()
        for copy in copies:
            (site.folder / copy).unlink()
        kill_workers(server)
        assert answer(server) == "1 1 1"
        assert site.copies() == copies
    assert site.copies() == []


def test_a_directory_that_was_removed_stops_nobody(site):
    with site.server(env={"TMPDIR": str(site.folder.parent), "XDG_RUNTIME_DIR": ""}) as server:
        shutil.rmtree(site.folder)
        kill_workers(server)
        assert answer(server) == "1 1 1"
        spare = Path(server.get("/file").text).parent
    assert not list(spare.glob(".cppcorn-*.versions.so"))


def test_what_a_killed_master_left_is_removed_by_the_next(site):
    with site.server(stop_code=-signal.SIGKILL) as server:
        left = site.copies()
        server.signal(signal.SIGKILL)
        server.wait_exit()
        server.wait_for(lambda: not server.tree(), what="the end of the workers")
        assert site.copies() == left
        server.stop = lambda *_: None
    site.deploy(2)
    with site.server() as server:
        assert not set(left) & set(site.copies()) and len(site.copies()) == 3
    assert site.copies() == []


def test_two_masters_share_copies(site):
    with site.server() as one:
        copies = site.copies()
        numbers = [os.stat(site.folder / each).st_ino for each in copies]
        with site.server() as other:
            assert site.copies() == copies
            assert [os.stat(site.folder / each).st_ino for each in copies] == numbers
            one.stop()
            assert site.copies() == copies
            kill_workers(other)
            assert answer(other) == "1 1 1"
            one.stop = lambda *_: None
        assert site.copies() == []


def test_a_copy_that_somebody_else_has_written_is_not_used(site):
    """Its name says what is in it; that is not believed."""
    with site.server():
        copies = site.copies()
    for copy in copies:
        (site.folder / copy).write_bytes(b"something else")
        (site.folder / copy).chmod(0o755)
    with site.server() as server:
        assert answer(server) == "1 1 1"


def test_a_start_that_fails_and_a_check_leave_no_copies(site):
    assert run("versions:app", "--check-config", "--app-dir", site.folder).code == 0
    assert site.copies() == []
    assert run("versions:other", "--app-dir", site.folder, "--bind", "127.0.0.1:0").code == 4
    shutil.copy(f"{APPS}/boot_crash.so", site.folder)
    assert run("boot_crash:app", "--app-dir", site.folder, "--bind", "127.0.0.1:0").code in (3, 4)
    assert site.copies() == []


def test_a_neighbour_that_is_broken_is_named_as_it_is_called(site):
    os.replace(site.folder / "lib/libdeep.so", site.folder / "elsewhere")
    done = run("versions:app", "--app-dir", site.folder, "--bind", "127.0.0.1:0")
    assert done.code == 4
    assert "versions.so: needs libdeep.so, which cannot be found" in done.stderr
    assert ".cppcorn-" not in done.stderr
    assert site.copies() == []


class Foreign:
    """The server as a user who may write nothing where the app is."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "app").mkdir()
        (folder / "tmp").mkdir()
        os.chown(folder / "tmp", NOBODY, NOBODY)
        (folder / "app/lib").mkdir()
        for name in Site.FILES:
            shutil.copy(f"{APPS}/versions_1/{name}", folder / "app" / name)
        shutil.copy(f"{APPS}/hello.so", folder / "app")

    def server(self, app, *args, **options):
        wrapper = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        env = {"TMPDIR": str(self.folder / "tmp"), "XDG_RUNTIME_DIR": ""}
        return Server(app, *args, app_dir=self.folder / "app", cwd="/", wrapper=wrapper, env=env, **options)


@pytest.fixture
def foreign():
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become another user, by setpriv")
    with folder_for_others() as folder:
        yield Foreign(folder)


@pytest.mark.skipif(SANITIZED, reason="a sanitized app asks where it is")
def test_where_the_directory_cannot_be_written_to_copies_are_elsewhere(foreign):
    with foreign.server("hello:app") as server:
        (copy,) = (foreign.folder / "tmp").rglob(".cppcorn-*.hello.so")
        assert os.stat(copy.parent).st_mode & 0o777 == 0o700
        (foreign.folder / "app/hello.so").write_bytes(zeros(""))
        assert server.get("/").status == 200
        kill_workers(server)
        assert server.get("/").status == 200
        assert server.count_log("is used where it is") == 0
    assert not copy.exists()


def test_an_app_that_needs_its_place_is_used_there(foreign):
    with foreign.server("versions:app") as server:
        server.wait_log(
            r"versions.so is used where it is, as it cannot be copied \(.*Permission denied; a copy elsewhere would not find"
        )
        assert server.get("/file").text == str(foreign.folder / "app/versions.so")
        shutil.copy(f"{APPS}/versions_2/versions.so", foreign.folder / "new")
        os.replace(foreign.folder / "new", foreign.folder / "app/versions.so")
        kill_workers(server)
        server.wait_log(rf"\[ERROR\] {foreign.folder}/app/versions.so on disk is not the build that was tried")


class Owned:
    """An app in a directory of the workers' user, served by root."""

    def __init__(self, folder):
        self.folder = folder
        self.site = Site(folder)
        for each in [folder, *folder.rglob("*")]:
            os.chown(each, NOBODY, NOBODY)


@pytest.fixture
def owned():
    if os.geteuid() != 0:
        pytest.skip("only root can start servers of other users")
    with folder_for_others() as folder:
        yield Owned(folder)


def test_copies_of_another_users_build_are_theirs(owned):
    os.chmod(owned.folder / "versions.so", 0o600)
    with owned.site.server("--user", "nobody") as server:
        assert answer(server) == "1 1 1"
        for copy in owned.site.copies():
            info = os.stat(owned.folder / copy)
            assert (info.st_uid, info.st_gid) == (NOBODY, NOBODY)
        kill_workers(server)
        assert answer(server) == "1 1 1"


def test_root_follows_no_link_to_make_a_copy(owned):
    """The name that a copy will have is known: a link there leads nowhere, and what it leads to stays as it is."""
    with owned.site.server("--user", "nobody"):
        copies = owned.site.copies()
    victim = owned.folder / "victim"
    victim.write_text("untouched")
    victim.chmod(0o600)
    for copy in copies:
        (owned.folder / copy).symlink_to(victim)
    with owned.site.server("--user", "nobody") as server:
        assert answer(server) == "1 1 1"
        assert not any((owned.folder / copy).is_symlink() for copy in owned.site.copies())
    info = os.stat(victim)
    assert (victim.read_text(), info.st_uid, info.st_mode & 0o777) == ("untouched", 0, 0o600)
