"""Starts, reloads, timeouts, crashes and ends of workers with Python apps."""

import os
import re
import signal

import harness
import pytest
from harness import command_line, folder_for_others, wait_until
from python_server import PYTHON, PythonServer, run

VERSION = """
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"%s"]
"""


def test_reload_takes_new_code_and_keeps_the_old_one_where_the_new_is_broken(tmp_path):
    module = tmp_path / "myapp.py"
    module.write_text(VERSION % "one")
    with PythonServer("myapp:app", "--workers", "2", cwd=tmp_path, wait=2) as server:
        assert server.get("/").text == "one"
        for broken in ("def app(:\n", "import no_such_module\n", "x = 1\n"):
            module.write_text(broken)
            failures = server.count_log("Reload failed: the old workers serve on")
            server.signal(signal.SIGHUP)
            server.wait_log("Reload failed: the old workers serve on", count=failures + 1)
            assert server.get("/").text == "one"
        module.write_text(VERSION % "number two")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done: 2 new workers serve")
        server.wait_for(lambda: server.get("/").text == "number two", what="the new code\'s answer")


def test_the_soft_timeout_is_one_requests():
    with PythonServer("life:app", "--timeout", "2") as server:
        pid = server.get("/pid").text
        assert server.get("/sleep").status == 504
        server.wait_log("RequestTimeout: the request has used up its time")
        server.wait_for(lambda: "finally" in server.stdout_text(), what="finally")
        assert server.get("/spin").status == 504
        assert server.get("/pid").text == pid
        assert server.get("/extended?3").text == "in time"
        assert server.get("/caught").text == "caught"  # although the timer is still set for the request before


def test_a_hang_names_file_and_line():
    with PythonServer("life:app", "--timeout", "2") as server:
        with server.connect() as sock:
            sock.sendall(harness.request_bytes("/hang"))
            assert harness.read_response(sock).status == 504
        server.wait_log(r"WORKER TIMEOUT \(pid:\d+\) while serving GET /hang")
        server.wait_log(r'File ".*life.py", line \d+ in hang')
        server.wait_workers(1)


def test_a_slow_request_names_file_and_line_and_goes_on():
    with PythonServer("life:app", "--slow-request", "0.5") as server:
        with server.connect() as sock:
            sock.sendall(harness.request_bytes("/extended?2"))
            server.wait_log(r"Slow request \(pid:\d+\): GET /extended\?2 .*; its stack follows request_id=")
            server.wait_log(r'File ".*life.py", line \d+ in extended')
            assert harness.read_response(sock).text == "in time"


@pytest.mark.parametrize("options", [[], ["--preload"]])
def test_a_stack_that_is_asked_for_names_file_and_line_and_the_request_goes_on(tmp_path, options):
    socket = tmp_path / "control.sock"
    with PythonServer("life:app", "--control-socket", socket, *options) as server:

        def ctl(*words):
            return harness.run("ctl", "--control-socket", socket, *words)

        for _ in range(2):  # of one that a reload has started, too
            with server.connect() as sock:
                sock.sendall(harness.request_bytes("/extended?2"))
                server.wait_for(lambda: "GET /extended?2" in ctl("status").stdout)
                slot = re.search(r"^ +(\d+) .* GET ", ctl("status").stdout, re.MULTILINE)[1]
                text = ctl("stack", slot).stdout
                assert re.match(r"Worker in slot \d+ \(pid:\d+\): GET /extended\?2 HTTP/1\.1 from 127", text), text
                assert len(re.findall(r'^  File ".*life.py", line \d+ in extended$', text, re.MULTILINE)) == 1, text
                assert harness.read_response(sock).text == "in time"
            assert ctl("reload", "--wait-old").code == 0
        assert server.count_log("life.py") == 0


def test_a_crash_names_file_and_line_and_costs_one_request():
    with PythonServer("life:app") as server:
        with server.connect() as sock:
            sock.sendall(harness.request_bytes("/crash"))
            assert harness.read_response(sock).status == 500
        server.wait_log(r"was sent SIGSEGV while serving GET /crash")
        server.wait_log(r'File ".*life.py", line \d+ in crash')
        server.wait_log(r"Stack of pid \d+ at SIGSEGV")
        server.wait_workers(1)
        assert server.get("/pid").status == 200


def test_the_log_of_crashes_follows_a_rotation(tmp_path):
    log = tmp_path / "log"
    with PythonServer("life:app", "--log-file", log, log_file=log) as server:
        server.get("/pid")
        server.rotate(log)
        assert server.get("/log").status == 200
        server.wait_for(lambda: "von cppcorn" in log.read_text(), what="a line")
        with server.connect() as sock:
            sock.sendall(harness.request_bytes("/crash"))
            harness.read_end(sock)
        server.wait_log(r'File ".*life.py", line \d+ in crash')


def test_an_app_that_takes_sigterm_leaves_its_worker_able_to_hear():
    with PythonServer("life:app", env={"TAKE_SIGTERM": "1"}) as server:
        server.wait_log(r"\[WARNING\] The app has taken SIGTERM")
        os.kill(server.worker_pids()[0], signal.SIGTERM)
        server.wait_log("Worker exiting")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_to_a_worker_raise_nothing_in_the_app(number):
    """Python's own SIGINT would be a KeyboardInterrupt in the view."""
    with PythonServer("life:app", "--timeout", "20") as server:
        with server.connect() as sock:
            sock.sendall(harness.request_bytes("/nap"))
            server.wait_for(lambda: "napping" in server.stdout_text(), what="the view")
            before = server.worker_pids()
            os.kill(before[0], number)
            if number == signal.SIGTERM:
                assert harness.read_response(sock).body == b"rested"
        server.wait_for(lambda: before != server.worker_pids() != [], what="another worker")
        server.wait_workers(1)
        assert "KeyboardInterrupt" not in server.log_text()


OUTLIVE = """
import threading

def wait():
    threading.main_thread().join()
    print("the last thread", end="")

def app(environ, start_response):
    threading.Thread(target=wait).start()
    start_response("200 OK", [])
    return [b"started"]
"""


def test_threads_end_and_output_is_flushed_before_a_worker_exits(tmp_path):
    """A process that just exits would cut both off: a thread that outlives the main one, and a line without an end."""
    (tmp_path / "myapp.py").write_text(OUTLIVE)
    with PythonServer("myapp:app", cwd=tmp_path, env={"PYTHONUNBUFFERED": ""}) as server:
        assert server.get("/").text == "started"
        server.stop()
        server.wait_for(lambda: "the last thread" in server.stdout_text(), what="what it prints")


def test_exit_handlers_run_once_in_a_worker_and_nowhere_else():
    with PythonServer("life:app", "--workers", "2", wait=2) as server:
        pids = server.worker_pids()
        server.stop()

        def printed():
            return sorted(int(line.split()[1]) for line in server.stdout_text().splitlines() if line.startswith("atexit"))

        server.wait_for(lambda: len(printed()) >= 2, what="what they print")
        assert printed() == pids


def test_what_an_app_gets_of_cppcorn():
    with PythonServer("life:app", "--name", "shop") as server:
        assert server.get("/worker").text == "0 shop"
        assert server.get("/gone").text == "False"
        server.get("/log")
        server.wait_log(r"\[WARNING\] von cppcorn: ✓")


def test_workers_are_forks_of_the_master_with_names_and_randomness_of_their_own():
    with PythonServer("life:app", "--workers", "2", wait=2) as server:
        assert all(command_line(pid) == "cppcorn: worker [life:app]" for pid in server.worker_pids())
        assert command_line(server.pid) == "cppcorn: master [life:app]"
        assert server.get("/name").text == "cppcorn"
        seen = {server.get("/rand").text for _ in range(20)}
        assert len(seen) == 20


def test_an_upgrade_starts_the_interpreter_anew():
    with PythonServer("life:app") as server:
        server.signal(signal.SIGUSR2)
        pid = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])
        server.wait_log(r"Worker ready", count=2)
        server.signal(signal.SIGTERM)
        server.wait_exit()
        assert server.get("/pid").status == 200
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not harness.is_alive(pid), what="the new master's end")


def test_a_daemon(tmp_path):
    log, pidfile = tmp_path / "log", tmp_path / "pid"
    result = harness.run(
        "life:app", "--python", PYTHON, "--daemon", "--log-file", log, "--pid", pidfile, "--bind", f"unix:{tmp_path}/sock",
        cwd=os.path.dirname(__file__) + "/apps",
    )
    assert result.code == 0, result.stderr
    pid = int(pidfile.read_text())
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not harness.is_alive(pid), what="the daemon's end")
    assert "Shutting down: Master" in log.read_text()


def test_a_leaking_app_is_recycled(tmp_path):
    (tmp_path / "leak.py").write_text(VERSION % "x" + "kept = []\ndef leak(e, s):\n    kept.append(bytearray(40_000_000))\n    return app(e, s)\n")
    with PythonServer("leak:leak", "--max-memory", "60M", cwd=tmp_path) as server:
        first = server.worker_pids()
        server.get("/")
        server.get("/")
        server.wait_log("Worker wants a replacement: ")
        server.wait_for(lambda: server.worker_pids() and server.worker_pids() != first, what="another worker")
        server.wait_workers(1)


def test_reload_by_a_change_of_an_imported_file(tmp_path):
    (tmp_path / "helper.py").write_text('TEXT = b"one"\n')
    (tmp_path / "myapp.py").write_text("from helper import TEXT\n" + (VERSION % "x").replace('b"x"', "TEXT"))
    with PythonServer("myapp:app", "--reload", cwd=tmp_path) as server:
        assert server.get("/").text == "one"
        (tmp_path / "helper.py").write_text('TEXT = b"number two"\n')
        server.wait_log(r"helper.py has changed")
        server.wait_log("Reload done: 1 new worker serves")
        server.wait_for(lambda: server.get("/").text == "number two", what="the new code")
        (tmp_path / "helper.py").write_text("TEXT = (\n")
        server.wait_log("Reload failed: the old workers serve on")
        assert server.get("/").text == "number two"


@pytest.fixture
def open_folder():
    with folder_for_others() as folder:
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start servers of other users")
@pytest.mark.skipif(os.path.realpath(PYTHON).startswith("/root/"), reason="an interpreter that other users cannot read")
def test_no_code_of_the_workers_user_runs_as_root(open_folder):
    """sitecustomize, found by PYTHONPATH, is code that the user may have written."""
    (open_folder / "sitecustomize.py").write_text("import os\nprint('site', os.geteuid())\n")
    (open_folder / "myapp.py").write_text("import os\ndef app(e, s):\n    s('200 OK', [])\n    return [str(os.geteuid()).encode()]\n")
    with PythonServer(
        "myapp:app", "--user", "nobody", "--group", "nogroup", cwd=open_folder, env={"PYTHONPATH": str(open_folder)}
    ) as server:
        assert server.get("/").text == "65534"
        assert set(server.stdout_text().split("\n")) == {"site 65534", ""}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start servers of other users")
def test_root_runs_no_interpreter_that_others_can_change(open_folder):
    (open_folder / "myapp.py").write_text(VERSION % "x")
    environment = open_folder / ".venv"
    harness.subprocess.run([PYTHON, "-m", "venv", "--without-pip", environment], check=True)
    user = ("--bind", "127.0.0.1:0", "--user", "nobody", "--group", "nogroup", "--check-config")

    def start(*more):
        return harness.run("myapp:app", *user, *more, cwd=str(open_folder))

    assert start().code == 0
    for changeable in (environment, environment / "bin", environment / "pyvenv.cfg"):
        os.chown(changeable, 65534, 65534)
        done = start()
        assert done.code == 1 and "can be changed by others than root" in done.stderr
        assert start("--python", PYTHON).code == 0
        os.chown(changeable, 0, 0)
    (environment / "bin" / "python3").unlink()
    (open_folder / "theirs").symlink_to(os.path.realpath(PYTHON))
    (environment / "bin" / "python3").symlink_to(open_folder / "theirs")
    assert start().code == 0
    os.lchown(open_folder / "theirs", 65534, 65534)
    assert start().code == 1


def test_a_spool_that_cannot_be_written_to_is_said_at_the_start(tmp_path):
    """Also where the first worker tries the app, and no probe; once, whatever the number of workers."""
    with PythonServer("life:app", "--workers", "2", "--spool-dir", tmp_path / "missing", wait=2) as server:
        assert server.count_log(str(tmp_path / "missing")) == 1


def test_at_a_start_the_first_worker_tries_the_app_and_the_others_wait(tmp_path):
    (tmp_path / "myapp.py").write_text("import os, time\nprint('importing', os.getpid(), time.monotonic())\n" + VERSION % "x")
    with PythonServer("myapp:app", "--workers", "3", cwd=tmp_path, wait=3) as server:
        def imported():
            return [line.split()[1] for line in server.stdout_text().splitlines() if line.startswith("importing")]

        server.wait_for(lambda: len(imported()) >= 3, what="three imports")
        server.wait_log(r"Worker ready", count=3)
        imports = imported()
        assert sorted(map(int, imports)) == server.wait_workers(3)
        log = server.log_text()
        assert log.index(f"Worker ready (pid:{imports[0]})") < log.index(f"Booting worker with pid: {imports[1]}")


def test_a_first_worker_that_dies_is_the_verdict(tmp_path):
    for source, code in (("import os\nos.abort()\n", 4), ("import os\nos._exit(0)\n", 4), ("app = 1\n", 4)):
        (tmp_path / "myapp.py").write_text(source)
        done = run("myapp:app", "--workers", "3", cwd=tmp_path)
        assert done.code == code, done.stderr
        assert done.stderr.count("Booting worker") == 1
