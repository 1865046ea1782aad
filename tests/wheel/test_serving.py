"""What pip has installed serves: the newest Flask and Django, on each Python that is here."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import harness
import pytest
from environments import ROOT, WHEEL, Environment, interpreters
from harness import wait_until

APPS = Path(__file__).parent / "apps"
NATIVE = Path(harness.BINARY)

BARE = """
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"%s"]
"""


def test_flask_and_django_are_served(each):
    with each.server("hello:app", "--workers", "2", cwd=APPS, wait=2) as server:
        assert server.get("/").text == "<p>Hello, World!</p>"
        assert server.get("/whose").text.split()[1:] == [str(each.path), each.version_of("flask")]
        assert len(server.worker_pids()) == 2
    with each.server("site_of_django", cwd=APPS) as server:
        assert server.get("/World").text == "Hello, World!"


def test_new_code_is_taken_and_broken_code_is_not(each, tmp_path):
    module = tmp_path / "myapp.py"
    module.write_text(BARE % "one")
    with each.server("myapp:app", cwd=tmp_path) as server:
        assert server.get("/").text == "one"
        (old,) = server.worker_pids()
        module.write_text("def app(:\n")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload failed: the old workers serve on")
        module.write_text(BARE % "the second")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done: 1 new worker serves")
        wait_until(lambda: not harness.is_alive(old), what="the old worker's end")
        assert server.get("/").text == "the second"


def test_an_upgrade_serves_on(each):
    with each.server("hello:app", cwd=APPS, binary="cppcorn", wrapper=(each.python, "-m")) as server:
        port = server.port
        server.signal(signal.SIGUSR2)
        pid = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])
        server.wait_log("Worker ready", count=2)
        server.signal(signal.SIGTERM)
        server.wait_exit()
        assert server.get("/", port=port).status == 200
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not harness.is_alive(pid), what="the new master's end")


def test_a_crash_names_file_and_line_and_shows_the_stack(each):
    with each.server("hello:app", cwd=APPS) as server:
        with server.connect() as sock:
            sock.sendall(harness.request_bytes("/crash"))
            assert harness.read_response(sock).status == 500
        server.wait_log(r'File ".*hello.py", line \d+ in crash')
        server.wait_log(r"Stack of pid \d+ at SIGSEGV: in a request request_id=[0-9a-f]{32}\n  #0 ")
        server.wait_workers(1)
        assert server.get("/").status == 200


def test_command_and_module_say_their_version(each):
    version = f"cppcorn {each.version_of('cppcorn')}\n"
    assert each.run("cppcorn", "--version").stdout == version
    assert each.run("python", "-m", "cppcorn", "--version").stdout == version
    assert each.run("python", "-c", "import cppcorn; print('cppcorn', cppcorn.__version__)").stdout == version


def test_environments_side_by_side_have_their_own_flask(usual, tmp_path, tmp_path_factory):
    """Whether they are asked for by their own command, or found by the program, which is of no environment."""
    usual.install("flask<3")
    other = Environment(next(iter(interpreters().values())), tmp_path, "flask")
    assert usual.version_of("flask").startswith("2.")
    assert not other.version_of("flask").startswith("2.")
    for environment in (usual, other):
        with environment.server("hello:app", cwd=APPS) as server:
            assert server.get("/whose").text.split()[1:] == [str(environment.path), environment.version_of("flask")]
    if not NATIVE.exists():
        pytest.skip("the program is not built: script/build")
    shutil.copy(APPS / "hello.py", tmp_path)
    other.path.rename(tmp_path / ".venv")
    found = [("", {}, tmp_path / ".venv"), ("usual", {"VIRTUAL_ENV": str(usual.path)}, usual.path)]
    for _, variables, path in found:
        with harness.Server("hello:app", app_dir=None, cwd=tmp_path, env=variables) as server:
            assert server.get("/whose").text.split()[1] == str(path)


def test_a_library_is_served_too(usual, tmp_path):
    """By a master that is a Python process, which apart from that makes no difference."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("there is no g++")
    command = [compiler, "-std=c++20", "-fPIC", "-shared", "-I", ROOT / "include", ROOT / "examples/hello.cpp"]
    subprocess.run([*command, "-o", tmp_path / "hello.so"], check=True)
    (tmp_path / "hello.py").write_text("def app(environ, start_response): raise Exception\n")
    with usual.server("hello:app", cwd=tmp_path) as server:
        assert server.get("/").status == 200
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done: 1 new worker serves")
        assert server.get("/").status == 200


def test_a_package_of_another_version_is_refused(usual, tmp_path):
    shutil.copytree(usual.package, tmp_path / "cppcorn")
    (tmp_path / "cppcorn/_version.py").write_text('__version__ = "0.0.1"\n')
    done = usual.run("python", "-m", "cppcorn", "hello:app", cwd=tmp_path)
    assert done.returncode == 1
    assert re.fullmatch(
        rf"cppcorn: the package in {tmp_path}/cppcorn is 0\.0\.1, but its module is [\d.]+; install it anew\n", done.stderr
    )


def test_a_server_does_without_its_files_until_it_is_upgraded(tmp_path):
    """As pip leaves them for a moment, or of a new version."""
    (tmp_path / "hooks.py").write_text("class Hooks:\n    pass\n")
    (tmp_path / "myapp.py").write_text(BARE % "one")
    environment = Environment(next(iter(interpreters().values())), tmp_path)
    with environment.server("myapp:app", "--hooks", "hooks:Hooks", cwd=tmp_path) as server:
        (old,) = server.worker_pids()
        environment.run("python", "-m", "pip", "uninstall", "-q", "-y", "cppcorn")
        assert not environment.command.exists()
        (tmp_path / "myapp.py").write_text(BARE % "the second")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done: 1 new worker serves")
        wait_until(lambda: not harness.is_alive(old), what="the old worker's end")
        assert server.get("/").text == "the second"
        environment.install(WHEEL)
        server.signal(signal.SIGUSR2)
        pid = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])
        server.wait_log("Worker ready", count=3)
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not harness.is_alive(pid), what="the new master's end")


def test_a_python_without_its_lock_is_refused_by_a_sentence(usual):
    """There is none here: its sign, and a module that it cannot load."""
    code = """
import sys
sys.abiflags, sys.modules["cppcorn._cppcorn"] = "t", None
from cppcorn.__main__ import main
sys.exit(main())
"""
    done = usual.run("python", "-c", code)
    assert done.returncode == 1
    assert done.stderr.endswith(" without its lock (free-threaded) is not supported; use the usual one\n")
