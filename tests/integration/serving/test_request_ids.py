"""Each request has an id, which the app, both logs, the error page and the master's lines name."""

import json
import re
import signal
import time

import pytest

from harness import SANITIZED, Server, read_response, wait_until

GIVEN = "proxy-0123456789abcdef"
MADE = re.compile(r"[0-9a-f]{32}")
ID_AND_LINE = ("--access-logfile", "-", "--access-logformat", "%(i)s %(U)s")


def access_ids(server):
    """By path, as the access log has them."""
    lines = (line.split() for line in server.stdout_text().splitlines())
    return {path: request_id for request_id, path in lines}


def logged(server, *parts):
    """The first line of the error log that has all of these; waits for it."""

    def find():
        lines = server.log_text().splitlines()
        return next((line for line in lines if all(part in line for part in parts)), None)

    return wait_until(find, what=f"a line with {parts}")


def ask(server, path="/", **headers):
    return server.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_the_app_and_the_access_log_have_the_id_of_a_trusted_proxy():
    with Server("environ:app", *ID_AND_LINE) as server:
        assert json.loads(ask(server, "/a", X_Request_Id=GIVEN).text)["HTTP_X_REQUEST_ID"] == GIVEN
        wait_until(lambda: access_ids(server).get("/a") == GIVEN)


@pytest.mark.parametrize("headers", [{}, {"X_Request_Id": "short"}, {"X_Request_Id": 'evil"0123456789abcdef'}])
def test_where_there_is_none_one_is_made(headers):
    with Server("environ:app", *ID_AND_LINE) as server:
        request_id = json.loads(ask(server, "/a", **headers).text)["HTTP_X_REQUEST_ID"]
        assert MADE.fullmatch(request_id)
        wait_until(lambda: access_ids(server).get("/a") == request_id)


def test_a_stranger_s_is_not_believed():
    with Server("environ:app", "--forwarded-allow-ips", "192.0.2.1") as server:
        environ = json.loads(ask(server, X_Request_Id=GIVEN, X_Request_Start="t=1700000000", X_Queue_Time="7").text)
        assert MADE.fullmatch(environ["HTTP_X_REQUEST_ID"])
        assert "HTTP_X_REQUEST_START" not in environ
        assert "HTTP_X_QUEUE_TIME" not in environ


def test_no_two_are_equal_also_over_workers_and_reloads():
    with Server("environ:app", "--workers", "2", wait=2) as server:
        ids = set()

        def gather():
            ids.update(json.loads(ask(server).text)["HTTP_X_REQUEST_ID"] for _ in range(20))

        gather()
        server.signal(signal.SIGHUP)
        server.wait_log("Worker ready", count=4)
        server.wait_workers(2)
        gather()
        assert len(ids) == 40


def test_a_failure_of_the_app_is_logged_with_it_and_its_page_names_it():
    with Server("faults:app") as server:
        response = ask(server, "/throw", X_Request_Id=GIVEN)
        assert response.body == f"500 Internal Server Error\nRequest id: {GIVEN}\n".encode()
        assert logged(server, "Error handling request GET /throw").endswith(f"faults: thrown request_id={GIVEN}")


def test_a_refused_request_has_one_as_well():
    with Server("hello:app", "--access-logfile", "-", "--access-logformat", "%(i)s") as server:
        sock = server.connect()
        sock.sendall(b"GET / HTTP/1.1\r\nbad line\r\n\r\n")
        page = read_response(sock).text
        request_id = MADE.search(page)[0]
        assert page == f"400 Bad Request\nRequest id: {request_id}\n"
        assert logged(server, "Invalid request").endswith(f" request_id={request_id}")
        wait_until(lambda: server.stdout_text() == f"{request_id}\n")


@pytest.mark.parametrize("options", [[], ["--no-understudy"]])
def test_a_crash_is_told_with_it(options):
    with Server("faults:app", *ID_AND_LINE, *options) as server:
        sock = server.connect()
        sock.sendall(f"GET /segv HTTP/1.1\r\nHost: a\r\nX-Request-Id: {GIVEN}\r\n\r\n".encode())
        if not options:
            assert read_response(sock).text == f"500 Internal Server Error\nRequest id: {GIVEN}\n"
        assert logged(server, "was sent SIGSEGV while serving GET /segv").endswith(f"request_id={GIVEN}")
        assert logged(server, "Stack of pid").endswith(f"request_id={GIVEN}")
        wait_until(lambda: server.stdout_text().split()[:1] == ([GIVEN]))


def test_so_is_an_overrun():
    with Server("faults:app", "--timeout", "0.5") as server:
        assert ask(server, "/sleep?ms=30000", X_Request_Id=GIVEN).text.endswith(f"Request id: {GIVEN}\n")
        assert logged(server, "WORKER TIMEOUT (pid:", " while serving GET /sleep").endswith(f"request_id={GIVEN}")


def test_a_traceparent_is_logged_if_it_is_one_and_passed_on_in_any_case():
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with Server("environ:app", "--access-logfile", "-", "--access-logformat", "%(x)s") as server:
        for sent, kept in ((trace, trace), (trace.upper(), "-"), ("00-0-0-0", "-")):
            assert json.loads(ask(server, traceparent=sent).text)["HTTP_TRACEPARENT"] == sent
            wait_until(lambda: server.stdout_text().splitlines()[-1:] == [kept])


def test_the_time_in_front_of_the_server_is_told_to_the_app_and_the_access_log():
    with Server("environ:app", "--access-logfile", "-", "--access-logformat", "%(Q)s") as server:
        for nonsense in ("t=1700000000.5", "yesterday", "-1"):
            assert "HTTP_X_QUEUE_TIME" not in json.loads(ask(server, X_Request_Start=nonsense).text)
        before = time.time()
        told = int(json.loads(ask(server, X_Request_Start=f"t={before - 2:.3f}").text)["HTTP_X_QUEUE_TIME"])
        assert 2_000_000 - 1000 <= told <= (time.time() - before + 2) * 1e6 + 1000
        wait_until(lambda: server.stdout_text() == f"-\n-\n-\n{told}\n")


def test_an_error_log_in_json_has_an_object_a_line():
    with Server("faults:app", "--log-format", "json", "--timeout", "0.5") as server:

        def objects():
            lines = server.log_text().splitlines()
            # LeakSanitizer fails in the reader of symbols, as it cannot stop its threads, and says so there.
            return [json.loads(line) for line in lines if line.startswith("{") or not SANITIZED]

        def find(part):
            return wait_until(
                lambda: next((each for each in objects() if part in each["message"]), None), what=f"a line with {part}"
            )

        assert find("Worker ready")["role"] == "master"
        booting = find("Booting worker")
        assert booting["role"] == "worker" and booting["level"] == "info"
        assert ask(server, "/throw", X_Request_Id=GIVEN).status == 500
        failure = find("Error handling request GET /throw")
        assert (failure["level"], failure["request_id"], failure["pid"]) == ("error", GIVEN, booting["pid"])
        assert (failure["request"], failure["client"]) == ("GET /throw HTTP/1.1", "127.0.0.1")
        ask(server, "/segv", X_Request_Id=GIVEN)
        stack = find("Stack of pid")
        assert stack["message"].count("\n") > 2 and stack["request_id"] == GIVEN
        assert all(set(each) >= {"time", "level", "pid", "role", "message"} for each in objects())
