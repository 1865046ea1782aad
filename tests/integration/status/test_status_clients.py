"""Clients of the status port may do there what they may do anywhere: it is the same code, with limits of its own."""

import re
import socket
import time

from corpus import answers_to, read_cases
from harness import SLOWNESS, Server, read_response, request_bytes
from status_port import StatusServer, ask_unix

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [^\r\n]*\r\n")


def answer_to(port, sent):
    """What comes back on one connection until the server ends it."""
    with socket.create_connection(("127.0.0.1", port), timeout=20 * SLOWNESS) as sock:
        return answers_to(sock, sent)


def test_it_refuses_what_the_corpus_says_and_lives_on():
    """Bodies are refused here and paths are others, so that not each answer is the case's own: refusals are."""
    with StatusServer("hello:app") as server:
        [status] = server.status_pids()
        wrong = []
        for case in read_cases():
            received = answer_to(server.status_port, case.sent)
            first = STATUS_LINE.match(received)
            if received and first is None:
                wrong.append((case.name, received[:80]))
            is_refused = case.expected[0][0] == "refuse"
            if is_refused and (first is None or int(first[1]) < 400):
                wrong.append((case.name, received[:80]))
        assert not wrong
        assert server.status_pids() == [status]
        assert server.ask("/live").status == 200


def test_a_thousand_slow_clients_hold_nobody_up():
    with StatusServer("hello:app") as server:
        assert server.ask("/live").status == 200
        slow = []
        for number in range(1000):
            sock = socket.create_connection(("127.0.0.1", server.status_port), timeout=10 * SLOWNESS)
            sock.sendall(b"GET /ready HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"x" * (number % 10))
            slow.append(sock)
        took = []
        for _ in range(10):
            began = time.monotonic()
            assert server.ask("/live").status == 200
            took.append(time.monotonic() - began)
        assert min(took) < 0.01 * server.within(1)
        # And they are not for ever: all have their answer, or have been told that it took too long.
        for sock in slow[:500]:
            sock.sendall(b"\r\n\r\n")
        assert {read_response(sock).status for sock in slow[:500]} == {200}
        assert {read_response(sock).status for sock in slow[500:]} == {408}
        for sock in slow:
            sock.close()


def made_anew(server, path):
    """How many of 1500 answers are none that was there before, where nobody waits for the one to ask for the next."""
    socks = [socket.create_connection(("127.0.0.1", server.status_port), timeout=20 * SLOWNESS) for _ in range(10)]
    for sock in socks:
        sock.sendall(request_bytes(path) * 150)
    assert server.ask("/ready").status == 200
    bodies = []
    for sock in socks:
        bodies += [read_response(sock).body for _ in range(150)]
        sock.close()
    return len(set(bodies))  # each has another age of the master's last round


def test_who_asks_for_the_same_again_and_again_has_it_made_seldom():
    """So a flood of them does not make /ready wait: what takes time is not done for each."""
    with StatusServer("hello:app", "--workers", "2", wait=2) as server:
        # Making pages may take half a second at first.
        server.wait_for(lambda: made_anew(server, "/status.json") < 750)
        assert made_anew(server, "/metrics") < 750
        # They do not stay.
        first = server.ask("/status.json").body
        server.wait_for(lambda: server.ask("/status.json").body != first)


def test_who_asks_and_does_not_read_holds_nobody_up():
    with StatusServer("hello:app", "--workers", "2", wait=2) as server:
        server.wait_status("/ready", 200)
        deaf = []
        for _ in range(20):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", server.status_port))
            sock.settimeout(0.2)
            try:
                for _ in range(200):
                    sock.sendall(request_bytes("/metrics") * 50)
            except (TimeoutError, ConnectionError):
                pass
            deaf.append(sock)
        began = time.monotonic()
        assert server.ask("/live").status == 200
        assert time.monotonic() - began < server.within(1)
        for sock in deaf:
            sock.close()


def test_who_does_not_read_is_cut_off_where_there_is_no_more_room(tmp_path):
    """Nobody is waited for: the others would have to wait, too."""
    path, spool, settings = tmp_path / "status.sock", tmp_path / "spool", tmp_path / "cppcorn.toml"
    spool.mkdir()
    # /status.json is long, and 80 of it are all that memory takes where nothing can be spooled.
    lines = [f"access_log_format = '{'x' * 1_000_000}'", f"spool_dir = '{spool}'", f"status_bind = 'unix:{path}'"]
    settings.write_text("\n".join(lines))
    with Server("hello:app", "--config", settings) as server:
        server.wait_for(lambda: ask_unix(path, "/ready").status == 200)
        spool.rmdir()
        deaf, took = [], []
        for _ in range(110):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(path))
            sock.sendall(request_bytes("/status.json"))
            deaf.append(sock)
            began = time.monotonic()
            assert ask_unix(path, "/live").status == 200
            took.append(time.monotonic() - began)
        assert max(took) < server.within(3)  # ten seconds for each of them, if they were waited for
        server.wait_log(r"Response to GET /status\.json was cut: the client does not read")
        for sock in deaf:
            sock.close()
