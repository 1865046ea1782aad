"""What our clients make of a server that answers wrongly, late, partly or not at all."""

import contextlib
import json
import pathlib
import socket
import subprocess
import threading

import pytest

PROGRAMS = pathlib.Path(__file__).resolve().parents[2] / "build/release/bench"
ANSWER = "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{more}\r\n{body}"


def program(name):
    if not (PROGRAMS / name).exists():
        pytest.skip(f"{name} is not built: ninja bench_programs")
    return str(PROGRAMS / name)


@contextlib.contextmanager
def server(behave):
    """Calls behave(connection, its number, the number of its request, the path) for each request that arrives."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection, number):
        with connection, contextlib.suppress(OSError):
            count = 0
            while request := connection.recv(65536):
                count += 1
                if behave(connection, number, count, request.split()[1].decode()) == "close":
                    return

    def accept():
        with contextlib.suppress(OSError):
            for number in range(1000):
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection, number), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def answer(connection, path, status=200, body=None, more=""):
    body = path.partition("?")[2] if body is None else body
    connection.sendall(ANSWER.format(status=status, length=len(body), more=more, body=body).encode())


def ask(port, *options, seconds="0.5"):
    command = [program("keep_asking"), "--port", str(port), "--connections", "1", "--seconds", seconds, *options]
    return json.loads(subprocess.check_output(command, stderr=subprocess.DEVNULL, timeout=30).splitlines()[-1])


def once(what):
    """behave() that does `what` to the third request of the first connection, and answers all others."""

    def behave(connection, number, count, path):
        if (number, count) == (0, 3):
            return what(connection, path)
        return answer(connection, path)

    return behave


def half(connection, path):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    return "close"


def closed_after(connection, path):
    answer(connection, path)
    return "close"


@pytest.mark.parametrize(
    ("what", "counts"),
    [
        (lambda connection, path: "close", {"unanswered": 1, "reconnects": 1}),
        (half, {"cut": 1, "reconnects": 1}),
        (closed_after, {"closed_idle": 1, "reconnects": 1}),
        (lambda connection, path: answer(connection, path, body="another's"), {"wrong": 1}),
        (lambda connection, path: answer(connection, path, status=500, body="sorry"), {}),
        (lambda connection, path: answer(connection, path, more="Connection: close\r\n"), {"announced": 1, "reconnects": 1}),
    ],
    ids=["unanswered", "cut", "closed while idle", "another's answer", "500", "announced"],
)
def test_each_fault_is_counted_as_what_it_is(what, counts):
    with server(once(what)) as port:
        found = ask(port, "--think-ms", "20,20")
    names = ("unanswered", "cut", "refused", "closed_idle", "wrong", "announced", "reconnects")
    assert {name: found[name] for name in names} == dict.fromkeys(names, 0) | counts
    assert found["answered"] > 3


def test_who_gets_no_answer_in_time_gives_up():
    with server(once(lambda connection, path: None)) as port:
        found = ask(port, "--patience", "1", seconds="3")
    assert (found["unanswered"], found["reconnects"]) == (1, 1)


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as unheard:
        port = unheard.getsockname()[1]
    found = ask(port)
    assert found["refused"] > 1
    assert found["answered"] == 0


def test_an_open_loop_counts_the_wait_for_a_connection(tmp_path):
    """Two arrivals at once and one connection: the second waits for the first's answer."""

    def late(connection, number, count, path):
        threading.Event().wait(0.2)
        answer(connection, path)

    trace, results = tmp_path / "trace", tmp_path / "results"
    trace.write_text("0.01 /a\n0.01 /b\n")
    with server(late) as port:
        command = [program("follow_trace"), "--port", str(port), "--connections", "1", "--trace", trace, "--results", results]
        subprocess.run(command, check=True, timeout=30, stdout=subprocess.DEVNULL)
    first, second = map(float, results.read_text().split())
    assert first >= 200
    assert second >= 400
