"""0 clean, 1 settings, 2 usage, 3 no worker could start, 4 the app cannot be loaded: at any number of workers.

5, an address that cannot be bound: test_bind_retry.py.
"""

import shutil
import signal
import socket
from pathlib import Path

import pytest

from harness import APPS, Server, run

OK, SETTINGS, USAGE, NO_WORKER, NO_APP = range(5)
ANY_PORT = ("--bind", "127.0.0.1:0")


def start(app, *args, **options):
    """Runs a server that is expected not to come up."""
    return run(app, "--app-dir", APPS, *ANY_PORT, *args, **options)


# ---- 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
@pytest.mark.parametrize("workers", [1, 4])
def test_a_signal_to_stop_is_a_clean_end(number, workers):
    with Server("hello:app", "--workers", workers, wait=workers) as server:
        server.signal(number)
        assert server.wait_exit() == OK
        name = number.name.removeprefix("SIG").lower()
        assert server.count_log(rf"\[INFO\] Handling signal: {name}$") == 1
        assert server.count_log(r"\[INFO\] Shutting down: Master$") == 1


def test_a_signal_during_the_start_is_a_clean_end():
    with Server("boot_hang:app", wait=False) as server:
        server.wait_log("Using worker: sync")
        server.signal(signal.SIGTERM)
        assert server.wait_exit() == OK


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_goes_to_stdout(flag):
    done = run(flag)
    assert (done.code, done.stderr) == (OK, "")
    assert done.stdout.startswith("Usage: cppcorn ")
    for wanted in ("--workers", "--bind", "--log-file", "--timeout"):
        assert wanted in done.stdout


@pytest.mark.parametrize("flag", ["--version", "-v"])
def test_version_goes_to_stdout(flag):
    done = run(flag)
    assert (done.code, done.stderr) == (OK, "")
    name, version = done.stdout.split()
    assert name == "cppcorn"
    assert [part.isdigit() for part in version.split(".")] == [True] * 3


# ---- 1


@pytest.mark.parametrize(
    "args, named",
    [
        (["--workers", "0"], "--workers"),
        (["--workers", "many"], "--workers"),
        (["--timeout", "-1"], "--timeout"),
        (["--log-level", "loud"], "--log-level"),
        (["--worker-class", "gevent"], "--worker-class"),
        (["--access-logformat", "%(nothing)s", "--access-logfile", "-"], ""),
        (["--chdir", "/nonexistent"], "/nonexistent"),
        (["--config", "/nonexistent.toml"], "/nonexistent.toml"),
    ],
)
def test_a_bad_value(args, named):
    done = start("hello:app", *args)
    assert done.code == SETTINGS, done
    assert named in done.stderr
    assert "Booting worker" not in done.stderr


def test_a_bad_bind():
    done = run("hello:app", "--app-dir", APPS, "--bind", "127.0.0.1:99999")
    assert done.code == SETTINGS
    assert "99999" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_bad_value_in_the_environment():
    done = start("hello:app", env={"WEB_CONCURRENCY": "some"})
    assert done.code == SETTINGS
    assert "WEB_CONCURRENCY" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "text, named",
    [
        ("workers = 'lots'", "workers"),
        ("wrokers = 2", "wrokers"),
        ("workers = [", "line 1"),
        ("workers = [1, 2]", "list"),
    ],
)
def test_a_bad_file(tmp_path, text, named):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    done = start("hello:app", "--config", file)
    assert done.code == SETTINGS
    assert "bad.toml" in done.stderr and named in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("flag", ["--log-file", "--access-logfile"])
def test_a_log_that_cannot_be_opened(flag, tmp_path):
    path = tmp_path / "missing" / "x.log"
    done = start("hello:app", flag, path)
    assert done.code == SETTINGS
    assert str(path) in done.stderr


def test_a_pidfile_of_a_dead_process_is_replaced_and_removed(tmp_path):
    pidfile = tmp_path / "pid"
    pidfile.write_text("999999999\n")
    with Server("hello:app", "--pid", pidfile) as server:
        assert pidfile.read_text() == f"{server.pid}\n"
    assert not pidfile.exists()


# ---- 2


@pytest.mark.parametrize(
    "args, named",
    [
        ([], "no app"),
        (["hello:app", "--wrokers", "2"], "--workers"),  # what may have been meant
        (["hello:app", "--frobnicate"], "--frobnicate"),
        (["hello:app", "-Z"], "-Z"),
        (["hello:app", "--workers"], "--workers"),
        (["hello:app", "echo:app"], "echo:app"),
        (["hello:"], "hello:"),
        ([":app"], ":app"),
        (["hello:app("], "hello:app("),
        (["hello:app(x)"], "hello:app(x)"),
        (["hello:app", "--threads", "2"], "--threads"),  # known, but refused
    ],
)
def test_usage(args, named, tmp_path):
    done = run(*args, "--app-dir", APPS, *ANY_PORT, cwd=tmp_path)
    if args[-1:] == ["--workers"]:
        done = run(*args, cwd=tmp_path)
    assert done.code == USAGE, done
    assert named in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


# ---- 3


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("preload", [[], ["--preload"]])
def test_an_app_that_cannot_start_in_any_worker(workers, preload):
    done = start("boot_fail:app", "--workers", workers, *preload)
    assert done.code == NO_WORKER, done
    assert "boot_fail: no database" in done.stderr
    assert "no worker could start" in done.stderr
    assert done.stderr.count("Booting worker") <= 4 * workers


# ---- 4


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize(
    "app, said",
    [
        ("nowhere:app", "cannot find app module 'nowhere'; looked for: "),
        ("hello:other", "has no app 'other'; it defines: app"),
        ("not_an_app:app", "is a shared library but not a cppcorn app"),
        ("abi2:app", "built for ABI 2; this server speaks ABI 1"),
        ("undefined:app", "link the library that provides it"),
        ("boot_crash:app", "boot_crash:app: crashed while loading (SIGSEGV)"),
    ],
)
def test_an_app_that_cannot_be_loaded(app, said, workers):
    done = start(app, "--workers", workers)
    assert done.code == NO_APP, done
    assert said in done.stderr
    assert done.stderr.count(said) == 1
    assert "Booting worker" not in done.stderr


@pytest.mark.parametrize("app", ["nowhere:app", "boot_crash:app"])
def test_an_app_that_cannot_be_preloaded(app):
    done = start(app, "--preload")
    assert done.code == NO_APP, done


def test_a_crash_while_loading_shows_the_stack():
    done = start("boot_crash:app")
    assert "at SIGSEGV" in done.stderr
    assert "boot_crash.so" in done.stderr.split("at SIGSEGV")[1]


@pytest.mark.parametrize("workers", [1, 4])
def test_an_app_that_takes_too_long_to_load(workers):
    done = start("boot_hang:app", "--workers", workers, "--boot-timeout", "0.3")
    assert done.code == NO_APP, done
    assert "--boot-timeout" in done.stderr


def test_source_is_not_an_app(tmp_path):
    (tmp_path / "mine.cpp").write_text("int main() {}\n")
    done = run("mine.cpp", *ANY_PORT, cwd=tmp_path)
    assert done.code in (USAGE, NO_APP), done
    assert "source; build it first" in done.stderr


def test_the_reason_is_on_stderr_even_if_the_log_is_a_file(tmp_path):
    done = start("nowhere:app", "--log-file", tmp_path / "x.log")
    assert done.code == NO_APP
    assert done.stderr.startswith("cppcorn: cannot find app module 'nowhere'")
    assert "cannot find app module 'nowhere'" in (tmp_path / "x.log").read_text()


# ---- --check-config and --print-config


@pytest.mark.parametrize(
    "app, args, code",
    [
        ("hello:app", [], OK),
        ("hello:app", ["--workers", "0"], SETTINGS),
        ("hello:app", ["--frobnicate"], USAGE),
        ("hello:", [], USAGE),
        ("nowhere:app", [], NO_APP),
        ("boot_crash:app", [], NO_APP),
    ],
)
def test_check_config(app, args, code):
    done = start(app, "--check-config", *args)
    assert done.code == code, done
    assert "Listening" not in done.stderr
    assert (done.stderr == "") == (code == OK)
    assert len(done.stdout.splitlines()) == (1 if code == OK else 0)


def test_check_config_says_what_would_be_served(tmp_path):
    args = ("--app-dir", APPS, "--check-config")
    done = run("hello:app", *args, "-b", "127.0.0.1:8001", "-b", f"unix:{tmp_path}/sock", "-w", "3")
    assert done.stdout == f"The configuration is fine: hello:app at 127.0.0.1:8001, unix:{tmp_path}/sock, 3 workers\n"
    assert run("hello", *args).stdout == "The configuration is fine: hello at 127.0.0.1:8000, 1 worker\n"
    both = run("hello:app", *args, "--print-config").stdout
    assert both.splitlines()[-1] == "# The configuration is fine: hello:app at 127.0.0.1:8000, 1 worker"


def test_a_path_without_its_ending_is_found(tmp_path):
    (tmp_path / "c").mkdir()
    shutil.copy(Path(APPS) / "hello.so", tmp_path / "c/counter.so")
    for spec in ("c/counter", "c/counter:app", "./c/counter", f"{tmp_path}/c/counter:app", "c/counter.so"):
        assert run(spec, "--check-config", cwd=tmp_path).code == OK, spec
    with Server("c/counter", app_dir=None, cwd=tmp_path) as server:
        assert server.get("/").status == 200


def test_check_config_ends_although_the_app_hangs():
    done = start("boot_hang:app", "--check-config", "--boot-timeout", "0.3", timeout=4)
    assert done.code == NO_APP, done


def test_check_config_binds_nothing():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert run("hello:app", "--app-dir", APPS, "-b", f"127.0.0.1:{port}", "--check-config").code == OK


def test_print_config_says_where_each_value_comes_from(tmp_path):
    (tmp_path / "cppcorn.toml").write_text("timeout = 7\nworkers = 3\nkeep_alive = 5\n")
    env = {"WEB_CONCURRENCY": "2", "PORT": "5999", "CPPCORN_CMD_ARGS": "--keep-alive 6 --backlog 100"}
    done = run("hello:app", "--print-config", "--backlog", "200", cwd=tmp_path, env=env)
    assert (done.code, done.stderr) == (OK, "")
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}

    def check(name, value, origin):
        assert value in lines[name] and origin in lines[name], lines[name]

    check("workers", "3", "cppcorn.toml")
    check("timeout", "7", "cppcorn.toml")
    check("keep_alive", "6", "CPPCORN_CMD_ARGS")
    check("backlog", "200", "command line")
    check("bind", "0.0.0.0:5999", "PORT")
    check("graceful_timeout", "30", "default")
