"""--preload of Python apps: one process imports the app, the mold, and workers are forked from it."""

import os
import re
import signal
from pathlib import Path

import pytest
from harness import command_line, is_alive, wait_until
from python_server import PythonServer, run

APP = """
import atexit, gc, os, random, ssl, threading, uuid
print("imported", flush=True)
random.seed(1)
loaded = os.getpid()
kept = [[] for _ in range(1000)]
after_fork = []
os.register_at_fork(after_in_child=lambda: after_fork.append(os.getpid()))
atexit.register(lambda: print("atexit", os.getpid(), flush=True))

def app(environ, start_response):
    start_response("200 OK", [])
    thread = threading.Thread(target=after_fork.append, args=("thread",))
    thread.start()
    thread.join()
    facts = [loaded, os.getpid(), os.getppid(), random.random(), uuid.uuid4(), ssl.RAND_bytes(8).hex()]
    facts += [after_fork[0], gc.get_freeze_count() > 1000, gc.isenabled()]
    return [" ".join(map(str, facts)).encode()]
"""


def the_mold(server):
    def molds():
        alive = [each.pid for each in server.children() if each.state not in "ZX"]
        return [pid for pid in alive if command_line(pid).startswith("cppcorn: mold [")]

    return server.wait_for(lambda: len(molds()) == 1 and molds(), what="one mold")[0]


def preloaded(tmp_path, *args, source=APP, workers=2, **more):
    (tmp_path / "myapp.py").write_text(source)
    return PythonServer("myapp:app", "--preload", "--workers", str(workers), *args, cwd=tmp_path, wait=workers, **more)


def replace(server, worker):
    """Kills it, and waits for another one."""
    count = len(server.worker_pids())
    os.kill(worker, signal.SIGKILL)
    server.wait_for(lambda: worker not in server.worker_pids(), what="its end")
    server.wait_workers(count)


def test_the_app_is_imported_once_and_each_worker_is_one_of_its_own(tmp_path):
    with preloaded(tmp_path) as server:
        mold = the_mold(server)
        assert command_line(mold) == "cppcorn: mold [myapp:app]"
        replace(server, server.worker_pids()[0])
        answers = [server.get("/").text.split() for _ in range(20)]
        assert server.stdout_text().count("imported") == 1
        for loaded, pid, parent, _, _, _, forked, is_frozen, collects in answers:
            assert int(loaded) == mold
            assert int(parent) == server.pid
            assert pid == forked  # what Python does around a fork is done in the worker itself
            assert int(pid) in server.worker_pids()
            assert (is_frozen, collects) == ("True", "True")
        for which in (3, 4, 5):
            assert len({answer[which] for answer in answers}) == 20  # random, uuid, ssl
        workers = server.worker_pids()
        server.stop()
        ends = [int(line.split()[1]) for line in server.stdout_text().splitlines() if line.startswith("atexit")]
        assert sorted(ends) == workers  # in each that ends in good order, and not in the mold


def test_workers_share_what_python_imports_for_the_first_name_of_a_host(tmp_path):
    source = """
import socket, sys

def app(environ, start_response):
    start_response("200 OK", [])
    before = set(sys.modules)
    "example.org".encode("idna")
    return [" ".join(set(sys.modules) - before).encode()]
"""
    with preloaded(tmp_path, source=source) as server:
        assert server.get("/").text == ""


def test_the_master_has_none_of_the_app(tmp_path):
    with preloaded(tmp_path, source="import ssl\n" + APP) as server:
        assert "_ssl" in Path(f"/proc/{the_mold(server)}/maps").read_text()
        assert "_ssl" not in Path(f"/proc/{server.pid}/maps").read_text()


def test_a_reload_takes_new_code_and_code_that_is_broken_keeps_the_old_mold(tmp_path):
    version = "def app(e, s):\n    s('200 OK', [])\n    return [b'%s']\n"
    with preloaded(tmp_path, source=version % "one") as server:
        mold = the_mold(server)
        (tmp_path / "myapp.py").write_text("def app(:\n")
        server.signal(signal.SIGHUP)
        server.wait_log(r"myapp:app: SyntaxError: .*\(myapp.py, line 1\)")
        server.wait_log("Reload failed: the old workers serve on")
        assert the_mold(server) == mold
        for worker in server.worker_pids():
            replace(server, worker)  # whatever is on the disk
        assert {server.get("/").text for _ in range(10)} == {"one"}
        (tmp_path / "myapp.py").write_text(version % "number two")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done: 2 new workers serve")
        wait_until(lambda: not is_alive(mold), what="the end of the old mold")
        server.wait_workers(2)
        assert {server.get("/").text for _ in range(10)} == {"number two"}


def test_reload_by_a_change_of_an_imported_file(tmp_path):
    (tmp_path / "helper.py").write_text('TEXT = b"one"\n')
    source = "from helper import TEXT\ndef app(e, s):\n    s('200 OK', [])\n    return [TEXT]\n"
    with preloaded(tmp_path, "--reload", source=source) as server:
        (tmp_path / "helper.py").write_text('TEXT = b"number two"\n')
        server.wait_log(r"helper.py has changed")
        server.wait_log("Reload done: 2 new workers serve")
        server.wait_for(lambda: server.get("/").text == "number two", what="the new code")


def test_a_mold_that_dies_imports_what_is_on_the_disk_then(tmp_path):
    version = "def app(e, s):\n    s('200 OK', [])\n    return [b'%s']\n"
    with preloaded(tmp_path, source=version % "one", workers=1) as server:
        (worker,) = server.worker_pids()
        (tmp_path / "myapp.py").write_text("import no_such_module\n")
        os.kill(the_mold(server), signal.SIGKILL)
        server.wait_log("myapp:app: ModuleNotFoundError: No module named 'no_such_module'")
        server.wait_log("Cannot make another mold: the workers serve on, and none is started")
        assert server.get("/").text == "one"
        assert server.worker_pids() == [worker]
        (tmp_path / "myapp.py").write_text(version % "number two")
        server.wait_log("Mold ready", count=2)
        assert server.get("/").text == "one"
        replace(server, worker)
        assert server.get("/").text == "number two"


def test_threads_that_are_started_at_import_are_in_no_worker(tmp_path):
    source = (
        "import threading, time\n"
        "def tick():\n    while True:\n        time.sleep(0.001)\n"
        "threading.Thread(target=tick, name='ticker', daemon=True).start()\n"
        "def app(e, s):\n    s('200 OK', [])\n    return [str(threading.active_count()).encode()]\n"
    )
    with preloaded(tmp_path, source=source) as server:
        server.wait_log(
            r"\[WARNING\] The app has started 1 thread while it was imported \(ticker\): "
            "with --preload they run in the mold, and in no worker"
        )
        for worker in server.worker_pids():
            replace(server, worker)
        assert server.get("/").text == "1"


def test_hooks_are_called_in_each_worker(tmp_path):
    (tmp_path / "hooks.py").write_text(
        "import os\n"
        "def post_fork(server, worker):\n    print('post_fork', worker.slot, os.getpid(), flush=True)\n"
        "def worker_exit(server, worker):\n    print('worker_exit', worker.slot, os.getpid(), flush=True)\n"
    )
    with preloaded(tmp_path, "--hooks", "hooks") as server:
        workers = server.worker_pids()
        server.stop()
        lines = [line.split() for line in server.stdout_text().splitlines()]
        for hook in ("post_fork", "worker_exit"):
            assert sorted(int(words[2]) for words in lines if words[0] == hook) == workers


@pytest.mark.parametrize(
    "source, said",
    [
        ("app = 1\n", "myapp:app"),
        ("import os\nos._exit(0)\n", "ended the process while loading"),
        ("import os\nos.abort()\n", "crashed while loading (SIGABRT)"),
    ],
)
def test_an_app_that_the_mold_cannot_import(source, said, tmp_path):
    (tmp_path / "myapp.py").write_text(source)
    done = run("myapp:app", "--preload", "--workers", "3", cwd=tmp_path)
    assert done.code == 4, done.stderr
    assert said in done.stderr
    assert "Booting worker" not in done.stderr


def test_a_crash_in_a_worker_names_file_and_line():
    with PythonServer("life:app", "--preload") as server:
        server.raw(b"GET /crash HTTP/1.1\r\nHost: x\r\n\r\n")
        server.wait_log(r"was sent SIGSEGV while serving GET /crash")
        server.wait_log(r'File ".*life.py", line \d+ in crash')
        server.wait_workers(1)
        assert server.get("/worker").text == "0 life:app"


def test_the_soft_timeout():
    # A whole second is left to answer in, which a shorter timeout would not have.
    with PythonServer("life:app", "--preload", "--timeout", "5") as server:
        pid = server.get("/pid").text
        assert server.get("/sleep").status == 504
        assert server.get("/pid").text == pid


FLASK = """
import flask
app = flask.Flask(__name__)
@app.route("/")
def hello():
    return "hello"
"""


def pss(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])


def memory_of(server):
    """KiB of all processes of the service, shared pages counted once."""
    return sum(pss(each.pid) for each in server.tree())


def test_four_flask_workers_share_their_memory(tmp_path):
    used = []
    (tmp_path / "myapp.py").write_text(FLASK)
    for args in ((), ("--preload",)):
        with PythonServer("myapp:app", "--workers", "4", *args, cwd=tmp_path, wait=4) as server:
            for _ in range(40):
                assert server.get("/").text == "hello"
            used.append(memory_of(server))
    assert used[1] < 0.65 * used[0]  # 0.52 where this was written


def heap_of(server):
    """The same of what malloc() has."""
    maps = [Path(f"/proc/{each.pid}/smaps").read_text() for each in server.tree()]
    return sum(int(size) for each in maps for size in re.findall(r"\[heap\]\n(?:.*\n)*?Pss: +(\d+)", each))


def test_no_worker_sorts_what_loading_has_freed(tmp_path):
    used = []
    (tmp_path / "myapp.py").write_text(FLASK)
    for workers in (1, 4):
        with PythonServer("myapp:app", "--workers", str(workers), "--preload", cwd=tmp_path, wait=workers) as server:
            used.append(heap_of(server))
    assert (used[1] - used[0]) / 3 < 400  # KiB a worker: 290 where this was written, and 520 if each does


def test_an_understudy_shares_its_memory_with_the_mold(tmp_path):
    """It is there before Python's part of the fork, which writes to much that is of no use to it."""
    (tmp_path / "myapp.py").write_text(FLASK)
    with PythonServer("myapp:app", "--workers", "2", "--preload", cwd=tmp_path, wait=2) as server:
        for _ in range(100):
            assert server.get("/").text == "hello"
        understudies = [each.pid for each in server.tree() if "understudy" in command_line(each.pid)]
        assert len(understudies) == 2
        for pid in understudies:
            own = re.search(r"Private_Dirty: +(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())
            assert int(own[1]) < 300  # KiB: 160 where this was written, and 590 behind Python's part
