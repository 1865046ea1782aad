"""Apps that do what they should not, or what is easily forgotten: no worker dies of it, and no request meets another."""

import os
import signal
import socket
import time

import pytest
from harness import SANITIZED, read_end, read_response, request_bytes, wait_until
from python_server import PythonServer


@pytest.fixture(scope="module")
def server():
    with PythonServer("hostile:app") as running:
        yield running


@pytest.fixture(autouse=True)
def the_worker_lives(request):
    if "server" not in request.fixturenames:
        yield
        return
    running = request.getfixturevalue("server")
    before = running.worker_pids()
    yield
    assert running.worker_pids() == before
    assert running.get("/pid").text == str(before[0])


# The worker waits for its client while the app runs: nothing is kept in files.
AS_IT_ARRIVES = ("--spool-limit", "0", "--body-buffer", "0")


# ---- Threads of the app's own


def test_a_body_is_read_by_another_thread(server):
    body = os.urandom(300_000)
    for _ in range(3):
        assert server.get("/read_in_thread", method="POST", body=body).body == body


def send_slowly(sock, path, body, pieces=10):
    sock.sendall(b"POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" % path.encode())
    size = len(body) // pieces
    for at in range(0, len(body), size):
        piece = body[at : at + size]
        sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        time.sleep(0.01)  # so that the worker has to wait
    sock.sendall(b"0\r\n\r\n")


def test_a_response_is_written_by_another_thread(server):
    assert server.get("/write_in_thread").body == b"x" * 1_000_000 + b"end"


def test_one_thread_reads_while_another_writes():
    with PythonServer("hostile:app", *AS_IT_ARRIVES) as server:
        body = os.urandom(200_000)
        for _ in range(5):
            with server.connect() as sock:
                send_slowly(sock, "/read_while_writing", body)
                assert read_response(sock).body == body


def test_a_body_that_many_threads_read():
    with PythonServer("hostile:app", *AS_IT_ARRIVES) as server:
        pid = server.get("/pid").text
        for _ in range(5):
            with server.connect() as sock:
                send_slowly(sock, "/read_by_many", b"x" * 100_000)
                assert read_response(sock).status == 200
        assert server.get("/pid").text == pid


def test_a_thread_that_still_reads_gets_nothing_of_the_next_request():
    with PythonServer("hostile:app", *AS_IT_ARRIVES) as server:
        pid = server.get("/pid").text
        with server.connect() as sock:
            sock.sendall(b"POST /leave_reader HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nfi")
            wait_until(lambda: len(os.listdir(f"/proc/{pid}/task")) > 1, what="the thread that waits for the rest")
            sock.sendall(b"rst" + request_bytes("/read_in_thread", {"Content-Length": "6"}, "POST") + b"second")
            assert read_response(sock).body == b"left"
            assert read_response(sock).body == b"second"
        left = server.get("/what_was_left").body
        assert left == b"first" or b"ended" in left
        assert server.get("/pid").text == pid


# ---- Odd calls, odd bodies


@pytest.mark.parametrize("case", ["none", "text", "short", "number", "class", "mixed", "empty"])
def test_what_is_no_exc_info(server, case):
    answer = server.raw(request_bytes(f"/odd_exc_info?{case}", {"Connection": "close"}))
    assert b"begun" in answer and not answer.endswith(b"0\r\n\r\n")
    assert "SystemError" not in server.log_text()


FINE = {"no_reason", "huge", "many", "lists"}
REFUSED = {
    "bytes_status", "int_status", "bytes_name", "bytes_value", "none_value", "dict", "nul", "nul_name", "space_name",
    "colon_name", "no_name", "surrogate", "surrogate_status", "reason_nul", "reason_lf", "status_99", "status_600",
    "status_1xx", "none", "letters", "empty", "two_lengths", "no_length", "large_length", "fold", "triple",
}


@pytest.mark.parametrize("case", sorted(FINE | REFUSED))
def test_odd_heads(server, case):
    response = server.get(f"/odd_head?{case}")
    assert response.status == (200 if case in FINE else 500)
    assert case not in FINE or response.body == b"sent"


def test_a_status_is_looked_at_in_the_first_response_too():
    with PythonServer("hostile:app") as server:
        assert server.get("/odd_head?empty").status == 500
        server.wait_log("ValueError: start_response: no status: ''")


def test_long_names_of_fields_are_not_kept(server):
    """Each is there once for a process, and clients may think of many."""
    memory = [int(server.get("/read_oddly", method="POST", body=b"").text.split()[1])]
    for batch in range(40):
        fields = [(f"X-{batch}-{number}-" + "a" * 8000, "x") for number in range(6)]
        response = server.get("/read_oddly", method="POST", body=b"", headers=fields)
        assert response.status == 200
        memory.append(int(response.text.split()[1]))
    if not SANITIZED:  # which keeps for a while what was freed
        assert memory[-1] - memory[4] < 1000, memory


@pytest.mark.parametrize("case", ["bytearray", "memoryview", "str", "none", "int", "subclass", "list"])
def test_odd_pieces(server, case):
    response = server.get(f"/odd_piece?{case}")
    assert (response.status, response.body) == (200, b"kind") if case == "subclass" else response.status == 500


@pytest.mark.parametrize(
    "case, status",
    [
        ("iter", 500), ("iter_none", 500), ("next", 500), ("next_exit", 500), ("stop", 500), ("close_stop", 200),
        ("close_exit", 200), ("del", 200), ("len", 200),
    ],
)
def test_odd_ends(server, case, status):
    assert server.get(f"/odd_end?{case}").status == status


def test_an_exception_that_cannot_say_what_it_is_still_has_a_traceback(server):
    assert server.get("/unspeakable").status == 500
    server.wait_log(r'hostile.py", line \d+, in unspeakable')


@pytest.mark.parametrize("path", ["recursion", "memory", "headers_that_fail", "closed_file"])
def test_faults_of_all_kinds(server, path):
    assert server.get("/" + path).status == 500


def test_an_exception_in_the_headers_is_shown(server):
    server.get("/headers_that_fail")
    server.wait_log("KeyError: 'in the headers'")


def test_the_file_wrapper_is_closed_twice(server):
    assert server.get("/close_wrapper_twice").body == b"read"


def test_what_an_app_does_to_its_environ_is_its_own_affair(server):
    with server.connect() as sock:
        sock.sendall(request_bytes("/spoil_environ") + request_bytes("/address"))
        assert read_response(sock).body == b"spoilt"
        assert read_response(sock).body == b"127.0.0.1 GET"


def test_a_client_that_leaves_ends_an_app_that_writes(server):
    before = server.stdout_text().count("no longer written")
    with server.connect() as sock:
        sock.sendall(request_bytes("/write_for_ever"))
        sock.recv(100_000)
    server.wait_for(lambda: server.stdout_text().count("no longer written") > before, what="the app's end")


def test_no_more_is_asked_for_than_the_content_length(server):
    before = server.stdout_text().count("no longer asked")
    assert server.get("/endless_of_a_length").body == b"abca"
    server.wait_for(lambda: server.stdout_text().count("no longer asked") > before, what="the generator's end")


@pytest.mark.parametrize("path", ["extend_oddly", "broken_pipe", "alarm", "traced", "own_faulthandler"])
def test_odd_habits(server, path):
    assert server.get("/" + path).status == 200


def test_a_list_that_another_thread_changes_while_it_is_sent(tmp_path):
    with PythonServer("hostile:app", *AS_IT_ARRIVES) as server:
        with server.connect() as sock:
            sock.sendall(request_bytes(f"/change_list_while_it_is_sent?{tmp_path}/go", {"Connection": "close"}))
            sock.recv(1, socket.MSG_PEEK)  # the first piece is on its way, and no more
            (tmp_path / "go").touch()
            server.wait_for(lambda: "changed" in server.stdout_text(), what="a change of the list")
            answer = read_end(sock)
        body = answer[answer.index(b"\r\n\r\n") + 4 :]
        assert set(body[:3_000_000]) == {65}


# ---- Time


def test_the_soft_timeout_outlives_one_that_came_at_a_bad_moment():
    with PythonServer("hostile:app", "--timeout", "2") as server:
        pid = server.get("/pid").text
        assert server.get("/slow_to_describe?0.9").status == 500
        assert server.get("/sleep").status == 504
        assert server.get("/pid").text == pid


def test_the_soft_timeout_comes_again_after_an_extension_and_in_close():
    with PythonServer("hostile:app", "--timeout", "2") as server:
        pid = server.get("/pid").text
        assert server.get("/extend_when_told").status == 504
        server.wait_for(lambda: "told once" in server.stdout_text(), what="the first time")
        assert server.get("/sleep_in_close").body == b"whole"
        server.wait_log("Error handling request GET /sleep_in_close: RequestTimeout")
        assert server.get("/pid").text == pid


def test_the_time_of_a_slow_client_is_not_the_apps():
    with PythonServer("hostile:app", "--timeout", "2", *AS_IT_ARRIVES) as server:
        pid = server.get("/pid").text
        with server.connect() as sock:
            sock.sendall(request_bytes("/stream?300", {"Connection": "close"}))
            answer, began = b"", time.monotonic()
            while piece := sock.recv(100_000):
                answer += piece
                time.sleep(0.02 if time.monotonic() - began < 4 else 0)
        assert answer.endswith(b"0\r\n\r\n")
        assert server.get("/pid").text == pid


# ---- Signals and crashes


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_hears_signals_after_asyncio_run(number):
    with PythonServer("hostile:app") as server:
        pid = int(server.get("/asyncio_run").text)
        os.kill(pid, number)
        server.wait_log(rf"Worker exiting \(pid: {pid}\)")


def test_a_crash_in_close_sends_nothing_behind_the_response():
    with PythonServer("hostile:app") as server:
        with server.connect() as sock:
            sock.sendall(request_bytes("/crash_in_close"))
            assert read_response(sock).text == "whole"
            server.wait_log("was terminated by signal 11|SIGSEGV")
            sock.sendall(request_bytes("/pid"))
            assert read_response(sock).text == str(server.wait_workers(1)[0])


# ---- Memory


@pytest.mark.skipif(SANITIZED, reason="a sanitizer keeps what is freed")
@pytest.mark.parametrize("path", ["/count_lines", "/read_oddly"])
def test_what_has_been_read_is_given_back(path):
    """The body is many times what the worker may grow by."""
    line = b"x" * 4998 + b"\n"  # which no power of two comes to
    with PythonServer("hostile:app") as server:
        before = int(server.get(path, method="POST", body=line).text.split()[1])
        count, peak = server.get(path, method="POST", body=line * 8000, timeout=30).text.split()
        assert int(count) in (8000, 8000 * len(line))
        assert int(peak) - before < 10_000
