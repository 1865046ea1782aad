"""What apps use to report: Sentry, OpenTelemetry, logging.config; and the access log in a format of one's own."""

import json
import re

import pytest
from collector import Collector
from harness import read_response, request_bytes
from pypi import pypi_python
from python_server import PYTHON, PythonServer
from reference import has

WORKERS = 2


@pytest.fixture
def collector():
    with Collector() as running:
        yield running


def ask_each(server, path, status):
    """Until each worker has had a request."""
    seen = set()

    def all_seen():
        with server.connect() as sock:
            sock.sendall(request_bytes("/"))
            seen.add(int(read_response(sock).body))
            sock.sendall(request_bytes(path))
            assert read_response(sock).status == status
        return len(seen) == WORKERS

    server.wait_for(all_seen, server.within(10), "a request to each worker")
    return seen


# With --preload, the reporters are made in another process than those that use them.
preloading = pytest.mark.parametrize("options", [(), ("--preload",)], ids=["each", "preload"])


@pytest.mark.parametrize(
    "system, options", [(True, ()), (True, ("--preload",)), (False, ())], ids=["system", "system-preload", "newest"]
)
def test_sentry_is_told_of_errors_by_each_worker(collector, system, options):
    if system and not has("sentry_sdk"):
        pytest.skip(f"{PYTHON} has no sentry_sdk")
    python = PYTHON if system else pypi_python()
    args = ("--workers", WORKERS, *options)
    env = {"COLLECTOR": f"127.0.0.1:{collector.port}"}
    with PythonServer("watched:sentry()", *args, wait=WORKERS, env=env, python=python) as server:
        def told():
            server.get("/error")
            return set(map(int, re.findall(r'"RuntimeError".{0,40}"of worker (\d+)"', collector.text())))

        server.wait_for(lambda: told() == set(server.worker_pids()), server.within(10), "errors of each worker")
        server.wait_log(r"RuntimeError: of worker \d+")
        assert '"transaction"' in collector.text()
        assert "/error" in collector.text()


@preloading
def test_opentelemetry_has_a_span_of_each_request(collector, options):
    python = pypi_python()
    args = ("--workers", WORKERS, *options)
    env = {"COLLECTOR": f"127.0.0.1:{collector.port}"}
    with PythonServer("watched:telemetry()", *args, wait=WORKERS, env=env, python=python) as server:
        def spans():
            return [span for each in list(collector.received) for span in json.loads(each)]

        pids = ask_each(server, "/error", 500)
        server.wait_for(lambda: {span["pid"] for span in spans()} == pids, server.within(10), "spans of each worker")
        server.get("/last")
        # The rest is sent when the app leaves, by its atexit.
        server.stop()
        assert any("/last" in span["target"] for span in spans())
        assert any("/error" in span["target"] for span in spans())


def test_logging_as_the_app_configures_it(tmp_path):
    env = {"COLLECTOR": "", "APP_LOG": str(tmp_path / "app.log")}
    with PythonServer("watched:with_logging()", env=env) as server:
        server.get("/a")
        (pid,) = server.worker_pids()
        assert f"own DEBUG {pid} für /a" in server.stdout_text()
        server.wait_log(rf"^own ERROR {pid} seen\nTraceback .*\n(.*\n)*KeyError: 'lost'$")
        assert f"own ERROR {pid} seen" in (tmp_path / "app.log").read_text()
        assert not re.search(r"\[ERROR\]", server.log_text())


def test_an_access_log_in_a_format_of_ones_own(tmp_path):
    log = tmp_path / "access.log"
    form = '%(m)s %(U)s?%(q)s %(s)s %(B)s "%({x-id}i)s" "%({content-type}o)s" %(p)s'
    args = ("--access-logfile", log, "--access-logformat", form)
    with PythonServer("watched:plain", *args, env={"COLLECTOR": ""}) as server:
        body = server.get("/a%20b?c=d", {"X-Id": "7"}).text
        server.get("/error")
        server.wait_for(lambda: log.read_text().count("\n") == 2, what="two lines")
        pid = server.worker_pids()[0]
        first, second = log.read_text().splitlines()
        assert re.fullmatch(rf'GET /a(%20| )b\?c=d 200 {len(body)} "7" "text/plain" <?{pid}>?', first), first
        assert second.startswith("GET /error? 500 "), second
