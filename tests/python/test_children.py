"""What an app has beside its Python code: an extension that crashes, child processes, threads, signals."""

import os
import re
import shutil
import signal
import subprocess

import harness
import pytest
from harness import read_response, request_bytes, wait_until
from python_server import APPS, PYTHON, PythonServer

APP = """
import os, signal, subprocess, sys, threading, time

def answer(environ):
    return globals()[environ["PATH_INFO"].strip("/")]()

def app(environ, start_response):
    body = answer(environ)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body.encode()]

def pid():
    return str(os.getpid())
"""


@pytest.fixture
def serve(tmp_path):
    """Starts a server of APP with more functions."""

    def start(more, *args, **options):
        (tmp_path / "myapp.py").write_text(APP + more)
        return PythonServer("myapp:app", *args, cwd=tmp_path, **options)

    return start


# ---- An extension


@pytest.fixture(scope="module")
def extension(tmp_path_factory):
    place = tmp_path_factory.mktemp("extension")
    asked = "import sysconfig; print(sysconfig.get_path('include'), sysconfig.get_config_var('EXT_SUFFIX'))"
    include, suffix = subprocess.run([PYTHON, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    compiler = shutil.which("cc") or shutil.which("c++")
    if compiler is None or not os.path.exists(f"{include}/Python.h"):
        pytest.skip(f"no compiler, or no headers of {PYTHON}")
    source, built = f"{APPS}/crasher.c", place / f"crasher{suffix}"
    subprocess.run([compiler, "-g", "-shared", "-fPIC", f"-I{include}", source, "-o", built], check=True)
    return place


CRASHES = {
    "crash_with_lock": "SIGSEGV", "crash_without_lock": "SIGSEGV", "free_twice": "SIGABRT", "fatal_error": "SIGABRT",
}


@pytest.mark.parametrize("way", CRASHES)
def test_an_extension_that_crashes_costs_one_request_and_is_named(serve, extension, way):
    more = f"\ndef harm():\n    import crasher\n    crasher.{way}()\n"
    with serve(more, "--pythonpath", extension) as server:
        kept = server.connect()
        kept.sendall(request_bytes("/pid"))
        first = read_response(kept).text
        with server.connect() as sock:
            sock.sendall(request_bytes("/harm"))
            assert read_response(sock).status == 500
        server.wait_log(f"was sent {CRASHES[way]} while serving GET /harm")
        server.wait_log(r'File ".*myapp.py", line \d+ in harm')
        server.wait_log(rf"Stack of pid {first} at {CRASHES[way]}")
        server.wait_log(r"  #\d+ .*crasher")
        server.wait_workers(1)
        kept.sendall(request_bytes("/pid"))
        assert read_response(kept).text != first


def test_a_crash_in_the_interpreter_itself_names_its_functions_and_its_build(serve):
    """Whether it is position independent, or has its addresses from its file, as Debian's has."""
    with serve("\ndef harm():\n    os.abort()\n") as server:
        with server.connect() as sock:
            sock.sendall(request_bytes("/harm"))
            assert read_response(sock).status == 500
        server.wait_log(r"  (lib)?python3\.\d+\S*: build id [0-9a-f]{16,}$")
        server.wait_log(r"  #\d+ \w*Py\w+.*, /\S+python3\.\d+\S*\(\+0x[0-9a-f]+\)$")
        assert "the file is another one by now" not in server.log_text()


# ---- Child processes


def test_a_child_gets_none_of_the_servers_descriptors(serve):
    listing = """
def descriptors():
    code = "import os; print(*sorted(os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if int(n) > 2))"
    return subprocess.run([sys.executable, "-c", code], close_fds=False, capture_output=True, text=True).stdout
"""
    with serve(listing) as server:
        assert not re.search("socket|eventpoll|memfd|pidfd|eventfd", server.get("/descriptors").text)


def test_a_forked_child_that_exits_answers_nothing(serve):
    exiting = """
def fork():
    child = os.fork()
    if child == 0:
        sys.exit(3)
    return str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    with serve(exiting) as server:
        before = server.get("/pid").text
        with server.connect() as sock:
            sock.sendall(request_bytes("/fork"))
            assert read_response(sock).status == 200
            sock.sendall(request_bytes("/pid"))
            assert read_response(sock).text == before
        server.wait_log("A child that the app has forked came back to the server")


def test_a_child_outlives_the_request_and_is_reaped_by_the_app(serve):
    running = """
child = None
def begin():
    global child
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return str(child.pid)
def end():
    out, _ = child.communicate(b"still there")
    return f"{out.decode()} {child.returncode}"
"""
    with serve(running) as server:
        pid = int(server.get("/begin").text)
        assert harness.is_alive(pid)
        assert server.get("/end").text == "still there 0"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(serve, method):
    work = f"""
import multiprocessing
def double(queue, number):
    queue.put((number * 2, os.getpid()))
def work():
    context = multiprocessing.get_context("{method}")
    queue = context.Queue()
    process = context.Process(target=double, args=(queue, 21))
    process.start()
    number, child = queue.get()
    process.join()
    return f"{{number}} {{child != os.getpid()}} {{process.exitcode}}"
"""
    with serve(work) as server:
        assert server.get("/work", timeout=30).text == "42 True 0"
        server.wait_workers(1)


# ---- What it prints


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_line_is_written_as_a_whole(serve, stream, unbuffered):
    """So that lines of several workers do not mix."""
    printing = f"""
def begin():
    print("one", "line", end=" ", file=sys.{stream})
    return ""
def end():
    print("in two requests", file=sys.{stream})
    return ""
"""
    with serve(printing, env={"PYTHONUNBUFFERED": unbuffered}) as server:
        def text():
            return server.stdout_text() if stream == "stdout" else server.log_text()

        server.get("/begin")
        assert "one line" not in text()
        server.get("/end")
        server.wait_for(lambda: "one line in two requests\n" in text(), what="the line")


# ---- Threads and signals


def test_threads_that_are_no_daemons_end_before_their_worker(serve):
    lasting = """
stopping = threading.Event()
threading.Thread(target=lambda: (stopping.wait(20), time.sleep(0.05), print("the thread is done"))).start()
import atexit
atexit.register(lambda: print("atexit"))
threading._register_atexit(stopping.set)
"""
    with serve(lasting) as server:
        server.get("/pid")
        server.stop()
        assert server.stdout_text().split("\n")[:2] == ["the thread is done", "atexit"]


def test_signals_that_the_app_takes_reach_its_handlers(serve):
    taking = """
def usr2(number, frame):
    print("the app's USR2")
signal.signal(signal.SIGUSR2, usr2)
class Late(Exception):
    pass
def late(number, frame):
    raise Late
signal.signal(signal.SIGALRM, late)
def alarm():
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    try:
        time.sleep(20)
    except Late:
        return "late"
def own():
    os.kill(os.getpid(), signal.SIGUSR2)
    return "sent"
"""
    with serve(taking) as server:
        assert server.get("/alarm").text == "late"
        assert server.get("/own").text == "sent"
        wait_until(lambda: "the app's USR2" in server.stdout_text(), what="the handler")
        os.kill(server.worker_pids()[0], signal.SIGTERM)
        server.wait_log("Worker exiting")
        server.wait_workers(1)
