"""What PEP 3333 demands, and what apps rely on besides."""

import json
import random

import pytest
from harness import read_response, request_bytes, wait_until
from python_server import PythonServer


@pytest.fixture(scope="module")
def server():
    with PythonServer("wsgi_cases:app") as running:
        yield running


# ---- Responses


def test_a_list_has_its_length(server):
    response = server.get("/hello")
    assert (response.status, response.body) == (200, b"hello\n")
    assert response.headers["content-length"] == "6"
    assert server.get("/several").headers["content-length"] == "5"
    assert server.get("/several").body == b"abcde"
    assert server.get("/no_pieces").headers["content-length"] == "0"


def test_headers_may_be_lists(server):
    response = server.get("/header_lists")
    assert (response.status, response.body) == (200, b"ok")
    assert (response.headers["content-type"], response.headers["content-length"]) == ("text/plain", "2")


def test_sizes_of_reads_may_be_named(server):
    assert server.get("/body_by_keyword", method="POST", body=b"abcdefg\nhi\njk").body == b"ab|cde|fg\n|hi\n|jk"


def test_empty_pieces_are_skipped_and_the_others_sent(server):
    response = server.get("/pieces")
    assert response.body == b"onetwo"
    assert response.headers["transfer-encoding"] == "chunked"
    assert server.raw(b"GET /pieces HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\nonetwo")


def test_the_head_waits_for_the_first_piece(server):
    response = server.get("/late_start")
    assert (response.status, response.body) == (201, b"late")


def test_write(server):
    assert server.get("/write").body == b"one two three"


@pytest.mark.parametrize(
    "case",
    [
        "raise_before", "raise_after_start", "raise_in_first_piece", "start_twice", "no_start", "exit_in_view",
        "interrupt_in_view", "returns_str", "returns_none", "yields_str", "crlf", "crlf_in_status", "beyond_latin_1",
        "header_of_one", "header_text", "body_by_wrong_keyword",
    ],
)
def test_a_fault_before_the_first_piece_is_a_500_and_the_worker_lives(server, case):
    before = server.worker_pids()
    failures = server.count_log("Error handling request GET /" + case)
    assert server.get("/" + case).status == 500
    server.wait_log(f"Error handling request GET /{case}: ", count=failures + 1)
    assert server.worker_pids() == before


def test_a_traceback_is_one_record_in_its_own_alphabet(server):
    server.get("/raise_before")
    server.wait_log(r"\[ERROR\] Traceback \(most recent call last\): request_id=\w+\n  File .*wsgi_cases.py.*\n(?:.*\n)*?RuntimeError: schön")


def test_a_fault_later_cuts_the_response_visibly(server):
    answer = server.raw(request_bytes("/raise_later", {"Connection": "close"}))
    assert b"4\r\nsome\r\n" in answer
    assert not answer.endswith(b"0\r\n\r\n")


def test_exc_info(server):
    response = server.get("/exc_info_replaces")
    assert (response.status, response.body) == (503, b"replaced")
    answer = server.raw(request_bytes("/exc_info_too_late", {"Connection": "close"}))
    assert b"some" in answer and not answer.endswith(b"0\r\n\r\n")
    server.wait_log("ValueError: the original")


def test_no_framing_where_there_is_no_body(server):
    for path, status in (("/no_content", 204), ("/not_modified", 304)):
        with server.connect() as sock:
            sock.sendall(request_bytes(path))
            response = read_response(sock)
            assert response.status == status
            assert "transfer-encoding" not in response.headers and "content-length" not in response.headers
            sock.sendall(request_bytes("/hello"))
            assert read_response(sock).body == b"hello\n"


def test_the_reason_phrase_is_the_apps(server):
    assert server.raw(request_bytes("/reason", {"Connection": "close"})).startswith(b"HTTP/1.1 404 Nicht da\r\n")


def test_latin_1_both_ways(server):
    answer = server.raw(b"GET /latin_1/%C3%BC%ff HTTP/1.1\r\nHost: a\r\nX-There: \xe9\xff\r\nConnection: close\r\n\r\n")
    assert b"X-Back: \xe9\xff\r\n" in answer and b"X-Own: \xfc\r\n" in answer
    assert answer.endswith(b"/latin_1/\xc3\xbc\xff")


def test_head(server):
    response = server.get("/hello", method="HEAD")
    assert (response.headers["content-length"], response.body) == ("6", b"")
    assert server.get("/head_endless", method="HEAD").status == 200
    server.wait_for(lambda: "GeneratorExit" in server.stdout_text(), what="the generator's end")


def test_lengths_are_kept_to(server):
    with server.connect() as sock:
        sock.sendall(request_bytes("/too_long"))
        assert read_response(sock).body == b"long"
        sock.sendall(request_bytes("/hello"))
        assert read_response(sock).body == b"hello\n"
    server.wait_log("Response to GET /too_long is longer than its Content-Length")
    assert server.raw(request_bytes("/too_short")).endswith(b"short")
    server.wait_log("Response to GET /too_short is shorter than its Content-Length")


def test_early_hints(server):
    answer = server.raw(request_bytes("/early_hints", {"Connection": "close"}))
    assert answer.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert b"103" not in server.raw(b"GET /early_hints HTTP/1.0\r\n\r\n")


# ---- Files


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(random.Random(1).randrange(256) for _ in range(300_000)))
    return path


def test_a_real_file_is_sent_from_its_position(server, file):
    content = file.read_bytes()
    response = server.get(f"/file?{file}")
    assert (response.body, response.headers["content-length"]) == (content, str(len(content)))
    assert server.get(f"/file_from_position?{file}").body == content[10:]
    assert server.get(f"/file_part?{file}").body == content[:5]
    assert server.get(f"/file?{file}", method="HEAD").headers["content-length"] == str(len(content))


def test_the_kernel_sends_a_real_file(server, file):
    """Reading would move its position, which sendfile() leaves alone."""
    assert server.get(f"/file_kept?{file}").body == file.read_bytes()
    assert server.get("/position_of_file_kept").text == "0"


def test_what_only_looks_like_a_file_is_read(server, tmp_path):
    import gzip

    assert server.get("/file_like").body == b"0123456789" * 1000
    with gzip.open(tmp_path / "file.gz", "wb") as packed:
        packed.write(b"unpacked" * 100)
    assert server.get(f"/gzip_file?{tmp_path}/file.gz").body == b"unpacked" * 100


# ---- Requests


def environ_of(server, data):
    answer = server.raw(data)
    return json.loads(answer[answer.index(b"\r\n\r\n") + 4 :])


def test_the_environ(server):
    environ = environ_of(
        server,
        b"POST /show_environ/a%20b?x=1&y=%20 HTTP/1.1\r\nHost: example.org:99\r\nContent-Type: text/x\r\nContent-Length: 2\r\n"
        b"Cookie: a=1\r\nX-Two: 1\r\nx_bad: 1\r\nCookie: b=2\r\nX-Two: 2\r\nConnection: close\r\n\r\nhi",
    )
    expected = {
        "REQUEST_METHOD": "'POST'", "PATH_INFO": "'/show_environ/a b'", "QUERY_STRING": "'x=1&y=%20'",
        "RAW_URI": "'/show_environ/a%20b?x=1&y=%20'", "REQUEST_URI": "'/show_environ/a%20b?x=1&y=%20'",
        "SCRIPT_NAME": "''", "SERVER_PROTOCOL": "'HTTP/1.1'", "CONTENT_TYPE": "'text/x'", "CONTENT_LENGTH": "'2'",
        "HTTP_HOST": "'example.org:99'", "HTTP_COOKIE": "'a=1; b=2'", "HTTP_X_TWO": "'1,2'", "REMOTE_ADDR": "'127.0.0.1'",
        "SERVER_NAME": "'127.0.0.1'", "SERVER_PORT": f"'{server.port}'", "wsgi.version": "(1, 0)",
        "wsgi.url_scheme": "'http'", "wsgi.multithread": "False", "wsgi.multiprocess": "False", "wsgi.run_once": "False",
        "wsgi.input_terminated": "True",
    }
    assert {name: environ.get(name) for name in expected} == expected
    assert "HTTP_X_BAD" not in environ and "HTTP_CONTENT_TYPE" not in environ and "HTTP_CONTENT_LENGTH" not in environ
    assert environ_of(server, b"GET /show_environ HTTP/1.0\r\n\r\n")["SERVER_PROTOCOL"] == "'HTTP/1.0'"


def test_the_environ_is_a_dict_of_str(server):
    assert server.get("/environ_types").body == b"dict []"


def test_one_environ_does_not_show_in_the_next(server):
    with server.connect() as sock:
        sock.sendall(request_bytes("/show_environ?q", {"X-Once": "1"}))
        assert json.loads(read_response(sock).body)["HTTP_X_ONCE"] == "'1'"
        sock.sendall(request_bytes("/show_environ"))
        environ = json.loads(read_response(sock).body)
        assert "HTTP_X_ONCE" not in environ and environ["QUERY_STRING"] == "''"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [0, 1, 65536, 300_000])
def test_a_body_is_read_whole(server, chunked, size):
    body = bytes(random.Random(size).randrange(256) for _ in range(size))
    if chunked:
        with server.connect() as sock:
            sock.sendall(b"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, size, 10_000):
                piece = body[at : at + 10_000]
                sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            sock.sendall(b"0\r\n\r\n")
            assert read_response(sock).body == body
    else:
        assert server.get("/body", method="POST", body=body).body == body


LINES = b"one\ntwo\n\nlast without end"


@pytest.mark.parametrize(
    "steps, expected",
    [
        ("read", [LINES.decode()]),
        ("read:5,read:0,read:100,read:1", ["one\nt", "", "wo\n\nlast without end", ""]),
        ("readline,readline:2,readline:50,readline", ["one\n", "tw", "o\n", "\n"]),
        ("readlines", [["one\n", "two\n", "\n", "last without end"]]),
        ("readlines:5,read", [["one\n", "two\n"], "\nlast without end"]),
        ("readline,iter,read", ["one\n", ["two\n", "\n", "last without end"], ""]),
    ],
)
def test_the_ways_to_read_at_every_split(server, steps, expected):
    for split in range(len(LINES) + 1):
        with server.connect() as sock:
            sock.sendall(request_bytes(f"/body_sizes?{steps}", {"Content-Length": str(len(LINES))}, "POST") + LINES[:split])
            sock.sendall(LINES[split:])
            assert json.loads(read_response(sock).body) == expected


def test_continue_is_sent(server):
    with server.connect() as sock:
        sock.sendall(request_bytes("/body", {"Expect": "100-continue", "Content-Length": "2"}, "POST"))
        assert read_response(sock).status == 100
        sock.sendall(b"hi")
        assert read_response(sock).body == b"hi"


# ---- The end of a request


def test_close_is_called_always(server):
    for path, note in (("/closes?whole", "close whole"), ("/closes_after_error", "close after an error")):
        server.raw(request_bytes(path, {"Connection": "close"}))
        server.wait_for(lambda: note in server.stdout_text(), what=note)


def test_an_error_in_close_is_logged_and_cuts_nothing(server):
    with server.connect() as sock:
        sock.sendall(request_bytes("/close_raises"))
        assert read_response(sock).body == b"x"
        sock.sendall(request_bytes("/hello"))
        assert read_response(sock).body == b"hello\n"
    server.wait_log("RuntimeError: in close")


def test_the_response_ends_before_close_is_called():
    with PythonServer("wsgi_cases:app", "--graceful-timeout", "0.5") as server:
        with server.connect() as sock:
            sock.sendall(request_bytes("/close_waits"))
            assert read_response(sock).body == b"x"
            assert "close was waited for" not in server.stdout_text()
        server.signal(9)
        server.wait_exit()
        server._stop_code = -9


def test_a_client_that_leaves_ends_the_generator_at_once(server):
    before = server.stdout_text().count("GeneratorExit")
    with server.connect() as sock:
        sock.sendall(request_bytes("/endless"))
        sock.recv(100_000)
    server.wait_for(lambda: server.stdout_text().count("GeneratorExit") > before, what="the generator's end")
    assert server.get("/hello").status == 200


def test_what_an_app_has_kept_of_a_request_refuses_to_work(server):
    server.get("/keep")
    outcomes = server.get("/use_kept").text.split("\n")
    assert outcomes == [
        "raised ValueError: wsgi.input: the request has ended",
        "raised ValueError: start_response: the request has ended",
        "raised ValueError: write: the request has ended",
        "/keep",
    ]


# ---- What an app does besides


def test_what_is_written_for_people_appears_as_it_is(server):
    assert server.get("/errors").body == b"plain"
    server.wait_log(r"\[ERROR\] Grüße request_id=")
    server.wait_log(r"\[ERROR\] by print request_id=")
    server.wait_log(r"\[ERROR\] one request_id=")
    server.wait_log(r"\[ERROR\] no line end request_id=")
    server.wait_for(lambda: "stdout: ✓\n" in server.stdout_text(), what="what was printed")


def test_threads_of_the_app_run_between_requests(server):
    server.get("/start_ticking")
    first = int(server.get("/count_ticks").body)
    wait_until(lambda: int(server.get("/count_ticks").body) > first + 10, what="ticks")


def test_processes_of_the_app(server):
    assert server.get("/processes", timeout=20).text == "run 5 5"
    assert server.get("/fork").text == "7"


def test_a_forked_child_that_comes_back_never_serves(server):
    assert server.get("/fork_that_returns").body == b"from the parent"
    server.wait_log("A child that the app has forked came back to the server")
