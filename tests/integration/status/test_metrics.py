"""/metrics: what it counts, that Prometheus understands it, and that counters only grow."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from harness import SANITIZED, cpu_seconds, free_port, read_response, request_bytes, wait_until
from status_port import StatusServer


def counters(metrics):
    return {name: value for name, value in metrics.items() if "_total" in name or "_bucket" in name or "_count" in name}


def assert_none_fell(before, after):
    fallen = {name: (value, after.get(name)) for name, value in counters(before).items() if after.get(name, -1) < value}
    assert not fallen


def test_requests_are_counted_by_class():
    with StatusServer("faults:app", "--workers", "2", wait=2) as server:
        for path, times in (("/", 3), ("/throw", 2)):
            for _ in range(times):
                server.get(path)
        assert server.raw(b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        by_class = {}

        def all_are_counted():
            metrics = server.metrics()
            for name in ("none", "1xx", "2xx", "3xx", "4xx", "5xx"):
                by_class[name] = metrics[f'cppcorn_requests_total{{class="{name}"}}']
            return sum(by_class.values()) == 6

        server.wait_for(all_are_counted)
        assert by_class == {"none": 0, "1xx": 0, "2xx": 3, "3xx": 0, "4xx": 1, "5xx": 2}
        # What was refused never was in the app.
        assert server.metrics()["cppcorn_request_duration_seconds_count"] == 5


def test_durations_are_in_their_bands():
    with StatusServer("faults:app") as server:
        for _ in range(4):
            server.get("/")
        server.get("/sleep?ms=300")
        server.wait_for(lambda: server.metrics()["cppcorn_request_duration_seconds_count"] == 5)
        metrics = server.metrics()
        assert metrics['cppcorn_request_duration_seconds_bucket{le="0.25"}'] == 4
        assert metrics['cppcorn_request_duration_seconds_bucket{le="+Inf"}'] == 5
        assert 0.3 <= metrics["cppcorn_request_duration_seconds_sum"] < 0.3 + server.within(1)
        # To less than the clock's tick.
        assert metrics["cppcorn_request_duration_seconds_sum"] % 0.004 > 1e-6


def test_times_in_front_of_the_server_are_counted_where_a_trusted_proxy_tells():
    with StatusServer("hello:app") as server:
        for milliseconds in (0, 300, 300, 7000):
            start = f"t={time.time() - milliseconds / 1000:.6f}"
            server.get("/", headers={"X-Request-Start": start})
        server.get("/")
        server.get("/", headers={"X-Request-Start": "nonsense"})
        server.wait_for(lambda: server.metrics()['cppcorn_requests_total{class="2xx"}'] == 6)
        metrics = server.metrics()
        assert metrics['cppcorn_request_queue_seconds_bucket{le="0.25"}'] == 1
        assert metrics['cppcorn_request_queue_seconds_bucket{le="5"}'] == 3
        assert metrics["cppcorn_request_queue_seconds_count"] == 4
        assert 7.6 <= metrics["cppcorn_request_queue_seconds_sum"] < 7.6 + server.within(1)
        found = json.loads(server.ask("/status.json").body)["queue_times"]
        assert (found["count"], found["seconds"]) == (4, metrics["cppcorn_request_queue_seconds_sum"])
    with StatusServer("hello:app", "--forwarded-allow-ips", "192.0.2.1") as server:
        server.get("/", headers={"X-Request-Start": f"t={time.time() - 1:.6f}"})
        server.wait_for(lambda: server.metrics()['cppcorn_requests_total{class="2xx"}'] == 1)
        assert server.metrics()["cppcorn_request_queue_seconds_count"] == 0


def test_the_request_that_is_served_has_an_age():
    with StatusServer("faults:app") as server:
        assert server.metrics()["cppcorn_oldest_request_age_seconds"] == 0
        busy = server.send("/sleep?ms=1500")
        server.wait_for(lambda: server.metrics()["cppcorn_oldest_request_age_seconds"] > 0.5)
        assert read_response(busy).status == 200
        server.wait_for(lambda: server.metrics()["cppcorn_oldest_request_age_seconds"] == 0)


def test_connections_by_what_they_wait_for():
    with StatusServer("hello:app") as server:
        idle = server.send("/")
        assert read_response(idle).status == 200
        head = server.connect()
        head.sendall(b"GET / HTTP/1.1\r\nHo")
        body = server.connect()
        body.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")

        def states():
            metrics = server.metrics()
            return {name: metrics[f'cppcorn_connections{{state="{name}"}}'] for name in ("fresh", "idle", "head", "body")}

        server.wait_for(lambda: states() == {"fresh": 0, "idle": 1, "head": 1, "body": 1})
        for sock in (idle, head, body):
            sock.close()
        server.wait_for(lambda: not any(states().values()))
        assert server.metrics()["cppcorn_connections_accepted_total"] == 3


def test_connections_of_a_worker_that_was_killed_are_counted_no_more_and_moved():
    with StatusServer("hello:app") as server:
        socks = [server.send("/") for _ in range(3)]
        assert [read_response(sock).status for sock in socks] == [200] * 3
        server.wait_for(lambda: server.metrics()['cppcorn_connections{state="idle"}'] == 3)
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        server.wait_for(lambda: server.metrics()['cppcorn_connections_moved_total{reason="dead"}'] == 3)
        server.wait_for(lambda: server.metrics()['cppcorn_connections{state="idle"}'] == 3)
        for sock in socks:
            sock.sendall(request_bytes("/"))
            assert read_response(sock).status == 200


def test_connections_that_left_a_retiring_worker():
    with StatusServer("hello:app", "--workers", "2", wait=2) as server:
        socks = [server.send("/") for _ in range(4)]
        assert [read_response(sock).status for sock in socks] == [200] * 4
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done")
        server.wait_for(lambda: server.metrics()['cppcorn_connections_moved_total{reason="retiring"}'] >= 4)
        for sock in socks:
            sock.sendall(request_bytes("/"))
            assert read_response(sock).status == 200


def test_connections_that_left_a_busy_worker():
    with StatusServer("faults:app", "--workers", "2", wait=2) as server:
        by_pid = server.connection_to_each(2)
        others = {sock: int(read_response(sock).body) for sock in [server.send("/pid") for _ in range(20)]}
        busy_one = next(iter(others.values()))
        slow = by_pid[busy_one]
        theirs = [sock for sock, pid in others.items() if pid == busy_one]
        slow.sendall(request_bytes("/sleep?ms=2500"))
        server.wait_for(lambda: server.metrics()["cppcorn_workers_busy"] == 1)
        for sock in theirs:
            sock.sendall(request_bytes("/pid"))
            assert int(read_response(sock).body) != busy_one
        assert server.metrics()['cppcorn_connections_moved_total{reason="busy"}'] == len(theirs)
        assert read_response(slow).status == 200


def test_slow_requests_are_counted_once():
    with StatusServer("faults:app", "--slow-request", "0.3") as server:
        assert server.metrics()["cppcorn_slow_requests_total"] == 0
        server.get("/")
        busy = server.send("/sleep?ms=1500")
        server.wait_for(lambda: server.metrics()["cppcorn_slow_requests_total"] == 1)
        assert server.metrics()["cppcorn_workers_busy"] == 1  # it is told of while it runs
        assert read_response(busy).status == 200
        assert server.metrics()["cppcorn_slow_requests_total"] == 1
        assert json.loads(server.ask("/status.json").body)["slow_requests"] == 1
        assert "slow requests so far: 1" in server.ask("/").text


def ends(server, cause):
    return server.metrics()[f'cppcorn_worker_ends_total{{cause="{cause}"}}']


def test_ends_are_counted_by_cause():
    with StatusServer("crashes:app", "--timeout", "1") as server:
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        server.wait_for(lambda: ends(server, "killed") + ends(server, "out_of_memory") == 1)
        server.wait_workers(1)
        os.kill(server.worker_pids()[0], signal.SIGSEGV)
        server.wait_for(lambda: ends(server, "crash") == 1)
        server.wait_workers(1)
        os.kill(server.worker_pids()[0], signal.SIGSTOP)
        server.wait_for(lambda: ends(server, "timeout") == 1, timeout=15)
        server.wait_workers(1)
        server.signal(signal.SIGHUP)
        server.wait_for(lambda: ends(server, "retired") == 1)


def test_reloads_are_counted_by_result(tmp_path):
    mood = tmp_path / "mood"
    mood.write_text("good")
    with StatusServer("moody:app", env={"MOOD": str(mood)}) as server:
        server.signal(signal.SIGHUP)
        server.wait_for(lambda: server.metrics()['cppcorn_reloads_total{result="done"}'] == 1)


def test_a_request_that_ended_its_worker_is_one_of_5xx():
    with StatusServer("faults:app") as server:
        busy = server.send("/sleep?ms=5000")
        server.wait_for(lambda: server.metrics()["cppcorn_workers_busy"] == 1)
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        assert read_response(busy).status == 500
        server.wait_for(lambda: server.metrics()['cppcorn_requests_total{class="5xx"}'] == 1)


def test_no_counter_falls_when_workers_die():
    with StatusServer("hello:app", "--workers", "2", wait=2) as server:
        before = server.metrics()
        for _ in range(6):
            for _ in range(5):
                server.get("/")
            os.kill(server.worker_pids()[0], signal.SIGKILL)
            for _ in range(10):
                after = server.metrics()
                assert_none_fell(before, after)
                before = after
            server.wait_workers(2)
        server.signal(signal.SIGHUP)
        while not server.count_log("Reload done"):
            after = server.metrics()
            assert_none_fell(before, after)
            before = after
        assert server.metrics()['cppcorn_requests_total{class="2xx"}'] == 30


def test_lines_that_a_log_loses_are_counted():
    with StatusServer("hello:app", "--access-logfile", "/dev/full") as server:
        server.get("/")
        server.wait_for(lambda: server.metrics()["cppcorn_log_lines_dropped_total"] >= 1)


def test_promtool_finds_nothing_to_complain_of():
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    with StatusServer("hello:app", "--workers", "2", wait=2) as server:
        server.get("/")
        text = server.ask("/metrics").body
        assert server.ask("/metrics").headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, timeout=30)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_prometheus_scrapes_it(tmp_path):
    prometheus = shutil.which("prometheus")
    if prometheus is None:
        pytest.skip("prometheus is not installed (Debian: prometheus)")
    with StatusServer("hello:app", "--workers", "2", wait=2) as server:
        for _ in range(7):
            server.get("/")
        port = free_port()
        config = tmp_path / "prometheus.yml"
        config.write_text(
            "scrape_configs: [{job_name: cppcorn, scrape_interval: 1s, scrape_timeout: 1s, "
            f"static_configs: [{{targets: ['127.0.0.1:{server.status_port}']}}]}}]\n"
        )
        scraper = subprocess.Popen(
            [
                prometheus,
                f"--config.file={config}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:

            def query(text):
                url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": text})
                try:
                    with urllib.request.urlopen(url, timeout=5) as answer:
                        return json.load(answer)["data"]["result"]
                except OSError:
                    return []

            [found] = wait_until(lambda: query('cppcorn_requests_total{class="2xx"}'), timeout=30, what="a scrape")
            assert float(found["value"][1]) == 7
            assert query("up")[0]["value"][1] == "1"
            [ready] = query("cppcorn_ready")
            assert ready["value"][1] == "1"
            [quantile] = query("histogram_quantile(0.5, cppcorn_request_duration_seconds_bucket)")
            assert 0 < float(quantile["value"][1]) < 1
        finally:
            scraper.kill()
            scraper.wait()


@pytest.mark.skipif(SANITIZED, reason="measures")
def test_it_is_made_quickly_for_64_workers():
    with StatusServer("hello:app", "--workers", "64", wait=64) as server:
        [status] = server.status_pids()
        sock = server.connect(port=server.status_port)
        before = cpu_seconds(status)
        rounds = 100
        for _ in range(rounds):
            sock.sendall(request_bytes("/metrics"))
            assert read_response(sock).status == 200
        # By its CPU time: how long others have the processor is none of its doing.
        assert (cpu_seconds(status) - before) / rounds < 0.005


def test_two_sockets_of_one_address_are_one_queue():
    port = free_port()
    address = f"127.0.0.1:{port}"
    options = ("--reuse-port", "--bind", address, "--backlog", "100")
    with StatusServer("hello:app", *options, bind=address) as server:
        server.wait_status("/ready", 200)
        assert server.metrics()[f'cppcorn_listen_queue_limit{{address="{address}"}}'] == 200
