"""What the three instances say of themselves: it adds up, and it is what the files of deploy/ ask for."""

import re

from clients import Clients
from fleet import STATUS_PORT, WORKERS, Fleet
from fronts import Front
from harness import ROOT, read_response, request_bytes, wait_until
from network import connect

SAMPLE = re.compile(r'^(cppcorn_\w+?)(?:\{(.*)\})? (\S+)$', re.M)


def ask(instance, path):
    with connect(instance.address, STATUS_PORT) as sock:
        sock.sendall(request_bytes(path))
        return read_response(sock)


def scraped(instance):
    """Its samples, by name and labels."""
    return {(name, labels): float(value) for name, labels, value in SAMPLE.findall(ask(instance, "/metrics").text)}


def sum_of(fleet, name, labels=""):
    return sum(scraped(instance)[name, labels] for instance in fleet.instances)


def test_metrics_of_all_instances_add_up(network, tmp_path):
    """Each request is counted once, by the instance that had it, and health checks are not among them."""
    with Fleet(network) as fleet, Front("haproxy", tmp_path) as front:
        with Clients(front) as closing, Clients(front, keep_alive=True) as keeping:
            closing.wait_more(100)
            keeping.wait_more(100)
            for instance in fleet.instances:
                keeping.wait_for(instance)
        asked = sum(closing.answers.values()) + sum(keeping.answers.values())
        answered = ("cppcorn_requests_total", 'class="2xx"')
        wait_until(lambda: sum_of(fleet, *answered) == asked, what=f"{asked} requests in the metrics")
        for instance in fleet.instances:
            of_clients = closing.answers_of(instance) + keeping.answers_of(instance)
            assert scraped(instance)[answered] == of_clients
        assert sum_of(fleet, "cppcorn_request_duration_seconds_count") == asked
        assert sum_of(fleet, "cppcorn_workers", 'state="serving"') == 3 * WORKERS
        assert sum_of(fleet, "cppcorn_ready") == 3


def test_the_files_ask_for_numbers_that_there_are(network):
    files = [*(ROOT / "deploy/grafana").glob("*.json"), ROOT / "deploy/kubernetes/monitoring/prometheus-adapter.yaml"]
    made = {"cppcorn_busy_share", "cppcorn_queue_time_p95"}  # by the adapter
    asked = {name for file in files for name in re.findall(r"\bcppcorn_\w+", file.read_text())} - made
    with Fleet(network) as fleet:
        there = {name for name, _ in scraped(fleet.instances[0])}
    # An estimate, which there is only while connections come.
    assert asked - there <= {"cppcorn_listen_queue_wait_seconds"}


def test_an_instance_that_stops_says_so_before_it_does(network):
    with Fleet(network, "--shutdown-delay", "2") as fleet:
        instance = fleet.instances[0]
        assert ask(instance, "/ready").status == ask(instance, "/live").status == 200
        instance.tell_to_stop()
        wait_until(lambda: ask(instance, "/ready").status == 503, what="503 from /ready")
        with connect(instance.address, 8000) as sock:
            sock.sendall(request_bytes("/"))
            assert read_response(sock).status == 200
        assert ask(instance, "/live").status == 200
