"""User space instructions of a request to a Python app, and of Flask called in a loop by the same interpreter."""

import os
import subprocess

from .. import instructions, process_tree
from ..server import Failed, Running, Setup, free_port
from . import servers as ours

REQUESTS = 600
LOOP = """
import importlib, io, sys
app = importlib.import_module(sys.argv[1]).app
def start_response(status, headers, exc_info=None):
    pass
for _ in range(int(sys.argv[2])):
    environ = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1",
        "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
        "wsgi.multithread": False, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }
    body = app(environ, start_response)
    for piece in body:
        pass
    if hasattr(body, "close"):
        body.close()
"""
SEED = {"PYTHONHASHSEED": "0"}
VALGRIND = ["valgrind", "--quiet", "--tool=callgrind"]


def measure(scenario, plan, servers):
    rows = {}
    for server in servers:
        try:
            rows[server.name] = _row(scenario, plan, server)
        except (Failed, OSError) as error:
            rows[server.name] = {"error": str(error)}
    return rows


def _row(scenario, plan, server):
    row = {}
    for app in ("bare", "hello"):
        plan.say(f"{scenario.key}: {app}")
        folder = plan.folder_for(scenario, server)
        row[app] = _each(lambda number: _served(server, app, folder, number))
    plan.say(f"{scenario.key}: in a loop")
    row["loop"] = _each(lambda number: _in_a_loop("hello", folder, number))
    return row | {"of_loop": row["hello"] / row["loop"]}


def _each(total):
    """The difference of two runs, so that starting and stopping cancel out."""
    return round((total(3 * REQUESTS) - total(REQUESTS)) / (2 * REQUESTS))


def _in_a_loop(app, folder, number):
    out = folder / "out.loop"
    command = [*VALGRIND, f"--callgrind-out-file={out}", ours.PYTHON, "-c", LOOP, app, number]
    environment = {**os.environ, **ours.ENVIRONMENT, **SEED}
    subprocess.run([str(word) for word in command], env=environment, check=True, capture_output=True)
    return instructions.total(out, None)


def _served(server, app, folder, number):
    """Without the program, which executes the interpreter: valgrind follows forks only."""
    before = [*VALGRIND, f"--callgrind-out-file={folder}/out.%p"]
    hosted = ours.by_interpreter(ours.PYTHON, server.binary.parent / "python", before, **SEED)
    arguments = ("--no-understudy",)  # valgrind knows no clone() with CLONE_FILES
    setup = Setup(free_port(), 1, folder, 14, False, folder, arguments=arguments, app=app)
    with Running(hosted, setup) as running:
        running.wait_until_ready(180)
        workers = process_tree.children(running.pid)
        if len(workers) != 1:
            raise Failed(f"expected one worker, found {workers}")
        instructions.ask(running.port, instructions.Kind(), number)
        running.process.terminate()
        running.process.wait(60)
        return instructions.total(folder / f"out.{workers[0]}", running)
