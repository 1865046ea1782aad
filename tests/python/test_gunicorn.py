"""Coming from gunicorn: its settings, its configuration file, its hooks."""

import json
import os

import harness
import pytest
from python_server import PYTHON, PythonServer, run

# gunicorn 27.0's, from gunicorn.config.KNOWN_SETTINGS.
SETTINGS = json.loads(open(os.path.join(os.path.dirname(__file__), "gunicorn_settings.json")).read())


def test_each_setting_of_gunicorns_is_known(tmp_path):
    unknown = []
    for name in SETTINGS:
        (tmp_path / "cppcorn.toml").write_text(f'{name} = "1"\n')
        done = harness.run("hello:app", "--print-config", "--bridge", "none", cwd=str(tmp_path))
        if "unknown setting" in done.stderr:
            unknown.append(name)
    assert unknown == []


@pytest.mark.parametrize(
    "arguments, workers",
    [(("--threads", "4", "--workers", "2"), 8), (("-k", "gthread", "-w", "3"), 3), (("-k", "gthread", "--threads", "4"), 4)],
)
def test_threads_are_workers(arguments, workers):
    done = run("wsgi_cases:app", *arguments)
    assert done.code == 2
    assert f"one request at a time in each worker: use --workers {workers}\n" in done.stderr


def test_one_thread_is_what_there_is():
    with PythonServer("wsgi_cases:app", "--threads", "1") as server:
        assert server.get("/hello").status == 200


CONF = """
import multiprocessing
bind = ["127.0.0.1:0"]
workers = 1 + 1
threads = 2
worker_class = "gthread"
timeout = 20
accesslog = "-"
umask = 0o22
raw_env = ["A=b c"]
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
statsd_host = "localhost:8125"
_private = 1
helper = lambda: 1
def when_ready(server): pass
def post_fork(server, worker): pass
"""


def test_its_file_is_converted(tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text(CONF)
    done = harness.run("--import-gunicorn-conf", "gunicorn.conf.py", "--python", PYTHON, cwd=str(tmp_path))
    assert done.code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1:] == [
        'bind = ["127.0.0.1:0"]',
        "workers = 4 # 2 with 2 threads each; here a worker does one request at a time",
        'worker_class = "sync"',
        "timeout = 20",
        'accesslog = "-"',
        'umask = "022"',
        'raw_env = ["A=b c"]',
        'secure_scheme_headers = ["X-FORWARDED-PROTO: https"]',
        'statsd_host = "localhost:8125"',
        "# when_ready is of the master, which runs no code of the app's",
        "# post_fork is a function: put it into a module, and name that with --hooks MODULE",
    ]
    (tmp_path / "cppcorn.toml").write_text(done.stdout)
    (tmp_path / "myapp.py").write_text("def app(e, s):\n    s('200 OK', [])\n    return [b'x']\n")
    with PythonServer("myapp:app", cwd=tmp_path, wait=4) as server:
        assert server.get("/").body == b"x"


def test_a_broken_file_of_its(tmp_path):
    (tmp_path / "conf.py").write_text("workers = nothing\n")
    done = harness.run("--import-gunicorn-conf", "conf.py", "--python", PYTHON, cwd=str(tmp_path))
    assert done.code == 1 and "NameError" in done.stderr and "cppcorn: conf.py cannot be run" in done.stderr


HOOKS = """
def post_fork(server, worker): print("post_fork", worker.slot)
def post_worker_init(worker): print("post_worker_init")
def pre_request(worker, req): print("pre_request", req.method, req.path)
def post_request(worker, req, environ, resp): print("post_request", req.uri, resp.status)
def worker_int(worker): print("worker_int")
def worker_exit(server, worker): print("worker_exit")
def app(environ, start_response):
    if environ["PATH_INFO"] == "/raise":
        raise RuntimeError
    start_response("200 OK", [], exc_info=None)
    return 5 if environ["PATH_INFO"] == "/number" else [b"x"]
"""


def test_hooks(tmp_path):
    (tmp_path / "myapp.py").write_text(HOOKS)
    with PythonServer("myapp:app", "--hooks", "myapp", cwd=tmp_path) as server:
        assert server.get("/a?b").body == b"x"
        assert server.get("/raise").status == 500
        assert server.get("/number").status == 500
        server.stop()
        assert server.stdout_text().split("\n")[:-1] == [
            "post_fork 0", "post_worker_init", "pre_request GET /a", "post_request /a?b 200 OK", "pre_request GET /raise",
            "post_request /raise None", "pre_request GET /number", "post_request /number 200 OK", "worker_int", "worker_exit",
        ]


def test_a_hook_that_fails_at_the_end_keeps_no_exit_handler_from_running(tmp_path):
    (tmp_path / "myapp.py").write_text(HOOKS + "import atexit\natexit.register(print, 'at exit')\ndef worker_int(worker): 1 / 0\n")
    with PythonServer("myapp:app", "--hooks", "myapp", cwd=tmp_path) as server:
        server.stop()
        assert server.stdout_text().endswith("at exit\n")
        server.wait_log("ZeroDivisionError")


def test_hooks_of_the_master_are_refused(tmp_path):
    (tmp_path / "myapp.py").write_text(HOOKS + "def when_ready(server): pass\n")
    done = run("myapp:app", "--hooks", "myapp", cwd=tmp_path)
    assert done.code == 4
    assert "hooks: when_ready is of the master, which runs no Python here; myapp must not have it" in done.stderr
