"""Clients of the control socket may do there what they may do anywhere. Few may connect, but it takes nothing for granted
of them either."""

import random
import socket
import time

from control_port import ControlServer
from corpus import answers_to, read_cases
from harness import SLOWNESS, read_response, request_bytes
from status_port import ask_unix


def connect(server, timeout=20):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(server.socket))  # which waits while the backlog is full
    sock.settimeout(timeout * SLOWNESS)
    return sock


def answer_to(server, sent):
    with connect(server) as sock:
        return answers_to(sock, sent)


def post(server, target):
    with connect(server) as sock:
        sock.sendall(request_bytes(target, method="POST"))
        return read_response(sock)


def test_it_refuses_what_the_corpus_says_and_lives_on():
    with ControlServer("hello:app") as server:
        workers, status = server.worker_pids(), server.status_pids()
        wrong = []
        for case in read_cases():
            received = answer_to(server, case.sent)
            is_refused = case.expected[0][0] == "refuse"
            if is_refused and (not received.startswith(b"HTTP/1.1 ") or int(received[9:12]) < 400):
                wrong.append((case.name, received[:80]))
        assert not wrong
        assert (server.worker_pids(), server.status_pids()) == (workers, status)
        assert ask_unix(server.socket, "/live").status == 200


def test_a_thousand_slow_clients_hold_nobody_up():
    with ControlServer("hello:app") as server:
        slow = []
        for number in range(1000):
            sock = connect(server)
            sock.sendall(b"POST /stop HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"x" * (number % 10))
            slow.append(sock)
        began = time.monotonic()
        assert server.ordered("scale", "2").startswith("2 workers")
        assert time.monotonic() - began < server.within(1)
        for sock in slow:
            assert read_response(sock).status == 408
            sock.close()
        server.wait_workers(2)


def test_what_is_no_order_has_an_answer_of_one_line():
    with ControlServer("hello:app") as server:
        for target, status in [
            ("/fly", 404), ("/", 404), ("/scale", 400), ("/scale?workers=0", 400), ("/scale?workers=1e3", 400),
            ("/scale?workers=2&workers=3", 400), ("/scale?slot=1", 400), ("/stop?now", 400), ("/reload?wait=new", 400),
            ("/log-level?level=%64ebug", 400), ("/scale?workers=" + "9" * 3000, 400), ("/orders/1", 404),
        ]:  # fmt: skip
            answer = post(server, target)
            assert (target, answer.status) == (target, status)
            assert answer.text.count("\n") == 1 and len(answer.text) < 300
        assert ask_unix(server.socket, "/scale").status == 405
        assert ask_unix(server.socket, "/scale").headers["allow"] == "POST"
        for number in ["1", "0", "x", "", "-1", "99999999999999999999"]:
            assert ask_unix(server.socket, f"/orders/{number}").status == 404
        assert len(server.worker_pids()) == 1


def test_more_orders_than_anybody_gives_are_all_answered():
    """The last ones are remembered."""
    with ControlServer("hello:app") as server:
        numbers = []
        for count in range(200):
            answer = post(server, f"/scale?workers={count % 3 + 1}")
            assert answer.status in (202, 503)
            if answer.status == 202:
                numbers.append(answer.text.strip())
        assert len(set(numbers)) == len(numbers) > 100
        server.wait_for(lambda: server.ctl("scale", "1").code == 0)
        server.wait_workers(1)
        first = int(numbers[0].split(":")[1].strip("} "))
        assert ask_unix(server.socket, f"/orders/{first}").status == 404


def test_noise_is_no_order():
    numbers = random.Random(4711)
    words = [b"POST ", b"GET ", b"/reload", b"/stop", b"/scale?workers=", b"1", b" HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n"]
    with ControlServer("hello:app") as server:
        [status] = server.status_pids()
        for _ in range(100):
            sent = b"".join(
                numbers.choice(words) if numbers.random() < 0.7 else numbers.randbytes(5)
                for _ in range(numbers.randrange(1, 12))
            )
            if b"POST /stop HTTP" not in sent:
                answer_to(server, sent)
        assert server.status_pids() == [status]
        assert ask_unix(server.socket, "/live").status == 200
