"""One client's pipeline of requests that take a while, and what others get of the worker meanwhile."""

import signal
import threading

import pytest

from harness import Disconnected, Server, is_sleeping, read_response, request_bytes, wait_until

REQUESTS = 40
APP_MS = 50


class Pipeline(threading.Thread):
    """A client that sends all its requests at once and then reads."""

    def __init__(self, server, requests=REQUESTS):
        super().__init__()
        self.bodies, self.failure = [], None
        self._requests = requests
        self._sock = server.connect(timeout=60)
        (self._worker,) = server.worker_pids()

    def run(self):
        self._sock.sendall(b"".join(request_bytes(f"/sleep?ms={APP_MS + number % 2}") for number in range(self._requests)))
        try:
            while len(self.bodies) < self._requests:
                self.bodies.append(read_response(self._sock).text)
        except (OSError, Disconnected) as error:
            self.failure = repr(error)

    def __enter__(self):
        self.start()
        wait_until(lambda: is_sleeping(self._worker), what="the app in the first request")
        return self

    def __exit__(self, *_):
        self.join()

    def assert_answered_in_order(self):
        self.join()
        assert self.failure is None
        assert self.bodies == [f"slept {APP_MS + number % 2} ms\n" for number in range(self._requests)]


@pytest.fixture
def server():
    with Server("faults:app", "--workers", "1") as server:
        yield server


def test_another_client_gets_its_turn_after_one_request(server):
    with Pipeline(server) as pipeline:
        sock = server.connect()
        for number in range(3):  # on a new connection, then on one that the worker has
            sock.sendall(request_bytes("/count"))
            requests = int(read_response(sock).body)
            assert requests < REQUESTS / 4 * (number + 1)  # all that were sent before it, else
    pipeline.assert_answered_in_order()


def test_pipelines_of_several_clients_take_turns(server):
    with Pipeline(server) as one, Pipeline(server) as other:
        wait_until(lambda: len(other.bodies) >= REQUESTS / 4, what="some answers to the second")
        assert len(one.bodies) < REQUESTS * 3 / 4
    one.assert_answered_in_order()
    other.assert_answered_in_order()


def test_usr1_is_obeyed_between_two_requests(tmp_path):
    log = tmp_path / "access.log"
    with Server("faults:app", "--workers", "1", "--access-logfile", log) as server:
        with Pipeline(server) as pipeline:
            log.rename(tmp_path / "rotated.log")
            server.signal(signal.SIGUSR1)
            wait_until(lambda: log.exists() and log.read_text(), what="a line in the new log")
            assert len(pipeline.bodies) < REQUESTS * 3 / 4
        pipeline.assert_answered_in_order()


def test_int_is_obeyed_between_two_requests(server):
    with Pipeline(server) as pipeline:
        server.signal(signal.SIGINT)
        assert server.wait_exit() == 0
    assert len(pipeline.bodies) < REQUESTS
    assert "Killing worker" not in server.log_text()


def test_term_ends_a_pipeline_with_an_answer_that_says_so(server):
    with Pipeline(server) as pipeline:
        wait_until(lambda: pipeline.bodies, what="the first answer")
        server.signal(signal.SIGTERM)
        assert server.wait_exit() == 0
    assert 0 < len(pipeline.bodies) < REQUESTS
    assert "Disconnected" in pipeline.failure  # and not a reset


def test_an_answer_does_not_wait_for_the_next_request(server):
    """Neither the first time nor after many that were quick."""
    (worker,) = server.worker_pids()
    sock = server.connect()
    for _ in range(3):
        sock.sendall(request_bytes("/pid") * 40 + request_bytes("/sleep?ms=1000"))
        for _ in range(40):
            assert read_response(sock).status == 200
        wait_until(lambda: is_sleeping(worker), what="the app in the last request")
        assert read_response(sock).text == "slept 1000 ms\n"
