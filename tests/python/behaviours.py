"""What WSGI apps rely on, one behaviour after the other, for any server that serves wsgi_cases:app with one process.

test_behaviours.py holds cppcorn to each; bench/wsgi_behaviours.py asks other servers, too, and writes what each does into
docs/python.md. A behaviour is a function of a server (its `port`, and `output()`, all that it and its app have written),
which raises Differs with what happens instead, in words for a table's cell.
"""

import json
import os
import random
import time

from asking import Connection, ask, request

BEHAVIOURS = {}  # what should be, in words: the function; in the order of the table


class Differs(Exception):
    pass


def behaviour(words):
    def add(function):
        BEHAVIOURS[words] = function
        return function

    return add


def expect(holds, otherwise):
    if not holds:
        raise Differs(str(otherwise))


def shown(body):
    """The beginning of some bytes, for a cell."""
    return f"`{body[:40].decode('latin-1')}`" if body else "an empty body"


def expect_500(server, *paths):
    """And that the worker lives."""
    pid = ask(server, "/pid").body
    for path in paths:
        answer = ask(server, path)
        expect(answer.status == 500, f"{answer} ({path[1:].replace('_', ' ')})" if len(paths) > 1 else answer)
    after = ask(server, "/pid").body
    expect(after == pid, "500, and the worker ends")


def eventually(holds, otherwise, patience=5.0):
    deadline = time.monotonic() + patience
    while not holds():
        expect(time.monotonic() < deadline, otherwise)
        time.sleep(0.01)


def is_cut(answer):
    return not answer.head or answer.end == "cut"


# ---- Responses


@behaviour("lists and tuples get their `Content-Length`")
def lengths_of_lists(server):
    for path, length in (("/hello", "6"), ("/several", "5"), ("/empty_list", "0")):
        answer = ask(server, path)
        expect(answer.is_whole, answer)
        expect(answer.field("content-length") == length, "only a list of one" if path != "/hello" else "no")


@behaviour("an empty piece is skipped")
def empty_pieces(server):
    answer = ask(server, "/pieces")
    expect(answer.is_whole and answer.body == b"onetwo", f"{answer}: {shown(answer.body)}")


@behaviour("the head waits for the first piece that is not empty")
def head_waits(server):
    answer = ask(server, "/replaced_after_empty")
    expect(answer.status == 503, f"{answer}: it is sent before")


@behaviour("a piece is sent before the next one is made")
def pieces_at_once(server):
    _is_sent_at_once(server, "/paused")


@behaviour("`write()` sends at once; what is returned comes after")
def write(server):
    answer = ask(server, "/write")
    expect(answer.is_whole and answer.body == b"one two three", f"{answer}: {shown(answer.body)}")
    _is_sent_at_once(server, "/write_paused")


def _is_sent_at_once(server, path):
    gate = f"/tmp/behaviours-{os.getpid()}-{random.randrange(10**9)}"
    os.mkfifo(gate)
    try:
        with Connection(server) as connection:
            connection.send(request(f"{path}?{gate}"))
            came = connection.wait_for(b"first")
            opener = os.open(gate, os.O_RDWR)  # the app waits for somebody to write
            os.write(opener, b"x")
            expect(came, "it waits for the end")
            answer = connection.answer()
            os.close(opener)
            expect(answer.is_whole and answer.body == b"first second", f"{answer}: {shown(answer.body)}")
    finally:
        os.unlink(gate)


@behaviour("an exception before the first piece is a 500")
def faults_before(server):
    expect_500(server, "/raise_before", "/raise_after_start", "/raise_in_first_piece")


@behaviour("an exception later cuts the response so that the client can tell")
def faults_later(server):
    answer = ask(server, "/raise_later")
    expect(is_cut(answer), "it looks whole")


@behaviour("`exc_info` replaces a head that is not sent")
def exc_info_replaces(server):
    answer = ask(server, "/exc_info_replaces")
    expect((answer.status, answer.body) == (503, b"replaced"), f"{answer}: {shown(answer.body)}")


@behaviour("`exc_info` raises once the head is sent")
def exc_info_raises(server):
    answer = ask(server, "/exc_info_too_late")
    expect(b"never" not in answer.body, "it is ignored")
    eventually(lambda: "ValueError: the original" in server.output(), "it is not logged")


@behaviour("`start_response` twice without `exc_info` is a 500")
def start_twice(server):
    expect_500(server, "/start_twice")


@behaviour("no `start_response` is a 500")
def no_start(server):
    expect_500(server, "/no_start")


@behaviour("`sys.exit()` and `KeyboardInterrupt` in a view are a 500, and the worker lives")
def exits(server):
    expect_500(server, "/exit_in_view", "/interrupt_in_view")


@behaviour("`sys.exit()` within a response cuts it, and the worker lives")
def late_exit(server):
    pid = ask(server, "/pid").body
    expect(is_cut(ask(server, "/exit_later")), "it looks whole")
    expect(ask(server, "/pid").body == pid, "the worker ends")


@behaviour("`str`, `bytes` or `None` in place of a body is a 500")
def no_bytes(server):
    expect_500(server, "/returns_str", "/returns_bytes", "/returns_none", "/yields_str")


@behaviour("204 and 304 have no framing, and the connection serves on")
def no_body(server):
    for path in ("/no_content", "/not_modified"):
        with Connection(server) as connection:
            answer = connection.ask(path)
            expect(answer.field("transfer-encoding") is None, f"{answer.status} with `Transfer-Encoding`")
            expect(answer.field("content-length") is None, f"{answer.status} with `Content-Length`")
            if (answer.field("connection") or "").lower() == "close":
                expect(connection.is_closed(), f"a body follows {answer.status}")
                raise Differs("no framing; the connection is closed")
            again = connection.ask("/hello")
            expect(again.body == b"hello\n", f"a body follows {answer.status}" if again.head else "the connection is closed")


@behaviour("the reason phrase is the app's")
def reason(server):
    answer = ask(server, "/reason")
    expect(answer.reason == "Nicht da", answer.reason)


@behaviour("CR or LF in a header or the status is a 500")
def line_ends(server):
    for path in ("/crlf", "/lf_in_value", "/lf_in_name", "/crlf_in_status"):
        answer = ask(server, path)
        expect(answer.field("set-cookie") is None and answer.field("x") is None, f"it is sent ({path[1:].replace('_', ' ')})")
        expect(answer.status == 500, f"{answer} ({path[1:].replace('_', ' ')})")


@behaviour("headers are Latin-1 both ways")
def latin_1(server):
    answer = ask(server, "/latin_1/%C3%BC", fields="X-There: \xe9\xff\r\n")
    expect(answer.field("x-back") == "\xe9\xff" and answer.field("x-own") == "\xfc", answer)
    expect(answer.body == b"/latin_1/\xc3\xbc", f"the path is {answer.body}")


@behaviour("a character above U+00FF in a header is a 500")
def beyond_latin_1(server):
    expect_500(server, "/beyond_latin_1")


@behaviour("HEAD has GET's head, and ends a generator")
def head(server):
    answer = ask(server, "/hello", method="HEAD")
    expect(answer.status == 200, answer)
    expect(answer.field("content-length") in ("6", None), f"`Content-Length: {answer.field('content-length')}`")
    with Connection(server) as connection:
        connection.ask("/endless", method="HEAD")
        time.sleep(0)
        eventually(lambda: "GeneratorExit" in server.output(), "an endless one goes on")


@behaviour("HTTP/1.0 gets no chunks, and keeps the connection if asked to")
def http_1_0(server):
    answer = ask(server, "/pieces", version="1.0")
    expect(answer.field("transfer-encoding") is None and answer.body == b"onetwo", "chunks")
    with Connection(server) as connection:
        connection.ask("/hello", version="1.0", fields="Connection: keep-alive\r\n")
        expect(connection.ask("/hello").body == b"hello\n", "no chunks; the connection is closed")


@behaviour("what is longer than its `Content-Length` is stopped")
def too_long(server):
    with Connection(server) as connection:
        answer = connection.ask("/too_long")
        expect(answer.body == b"long", answer)
        connection.send(request("/hello"))
        rest = connection.answer()
        expect(not rest.head or rest.head.startswith(b"HTTP/1.1 200"), "the rest is sent")
        expect(rest.body == b"hello\n" or not rest.head, "the rest is sent")


@behaviour("what is shorter is cut so that the client can tell")
def too_short(server):
    answer = ask(server, "/too_short")
    expect(answer.body in (b"", b"short") and answer.end == "cut", answer)


@behaviour("`wsgi.file_wrapper` sends a file from its position, up to the `Content-Length`")
def files(server):
    content = random.Random(1).randbytes(300_000)
    path = f"/tmp/behaviours-{os.getpid()}.file"
    with open(path, "wb") as file:
        file.write(content)
    try:
        expect(ask(server, f"/file?{path}").body == content, "another content")
        expect(ask(server, f"/file_from_position?{path}").body == content[10:], "not from where the app has read to")
        answer = ask(server, f"/file_part?{path}")
        expect((answer.end, answer.body) == ("whole", content[:5]), answer)
    finally:
        os.unlink(path)


@behaviour("it reads what only looks like a file, and closes what it has sent")
def files_alike(server):
    answer = ask(server, "/file_like")
    expect(answer.is_whole and answer.body == b"0123456789" * 1000, answer)
    for path in ("/file_closed", "/file_like_closed"):
        expect(ask(server, path).is_whole, "no whole answer")
        eventually(lambda path=path: f"closed by {path}" in server.output(), "it stays open")


# ---- Requests


@behaviour("the environ is a `dict`, and has what PEP 3333 names")
def environ(server):
    head = "Content-Type: text/x\r\nX-Two: 1\r\n"
    found = json.loads(ask(server, "/show_environ/a%20b?x=1&y=%20", method="POST", fields=head, body=b"hi").body)
    expected = {
        "REQUEST_METHOD": "'POST'", "PATH_INFO": "'/show_environ/a b'", "QUERY_STRING": "'x=1&y=%20'", "SCRIPT_NAME": "''",
        "SERVER_PROTOCOL": "'HTTP/1.1'", "CONTENT_TYPE": "'text/x'", "CONTENT_LENGTH": "'2'", "HTTP_X_TWO": "'1'",
        "REMOTE_ADDR": "'127.0.0.1'", "SERVER_PORT": f"'{server.port}'", "wsgi.version": "(1, 0)", "wsgi.url_scheme": "'http'",
        "wsgi.run_once": "False",
    }
    wrong = [f"`{name}` is `{found.get(name)}`" for name, value in expected.items() if found.get(name) != value]
    expect(not wrong, ", ".join(wrong))
    missing = {"SERVER_NAME", "wsgi.input", "wsgi.errors", "wsgi.multithread", "wsgi.multiprocess"} - set(found)
    expect(not missing, f"without {', '.join(missing)}")
    answer = ask(server, "/environ_types")
    expect(answer.body == b"dict []", answer.body.decode())


@behaviour("`Cookie` fields are joined with `; `, others with `,`")
def joined(server):
    fields = "Cookie: a=1\r\nX-Two: 1\r\nCookie: b=2\r\nX-Two: 2\r\n"
    found = json.loads(ask(server, "/show_environ", fields=fields).body)
    expect(found.get("HTTP_X_TWO") in ("'1,2'", "'1, 2'"), f"`X-Two` is `{found.get('HTTP_X_TWO')}`")
    expect(found.get("HTTP_COOKIE") == "'a=1; b=2'", f"`{found.get('HTTP_COOKIE')}`")


@behaviour("a field with `_` in its name is dropped, so that none is taken for another")
def underscores(server):
    found = json.loads(ask(server, "/show_environ", fields="X_Real: evil\r\nX-Real: true\r\n").body)
    expect(found.get("HTTP_X_REAL") == "'true'", f"`{found.get('HTTP_X_REAL')}`")


@behaviour("`RAW_URI` and `REQUEST_URI` are the target as it came")
def raw_uri(server):
    answer = ask(server, "/show_environ/a%2Fb?q=%20")
    found = json.loads(answer.body)
    missing = [name for name in ("RAW_URI", "REQUEST_URI") if found.get(name) != "'/show_environ/a%2Fb?q=%20'"]
    expect(not missing, "no " + ", no ".join(f"`{name}`" for name in missing))


@behaviour("`wsgi.input` ends where the body ends, also for `read()`")
def body(server):
    with Connection(server) as connection:
        answer = connection.ask("/body", method="POST", body=b"all of it")
        expect(answer.body == b"all of it", answer)


LINES = b"one\ntwo\n\nlast without end"
STEPS = {
    "read:5,read:0,read:100,read:1": ["one\nt", "", "wo\n\nlast without end", ""],
    "readline,readline:2,readline:50,readline": ["one\n", "tw", "o\n", "\n"],
    "readlines": [["one\n", "two\n", "\n", "last without end"]],
    "readlines:5,read": [["one\n", "two\n"], "\nlast without end"],
    "readline,iter,read": ["one\n", ["two\n", "\n", "last without end"], ""],
}


@behaviour("`read`, `readline`, `readlines` and iteration, wherever the body is split")
def ways_to_read(server):
    for steps, expected in STEPS.items():
        for split in (0, 1, 3, 4, 5, 8, 9, len(LINES) - 1, len(LINES)):
            with Connection(server) as connection:
                whole = request(f"/body_sizes?{steps}", method="POST", body=LINES)
                at = len(whole) - len(LINES) + split
                connection.send(whole[:at])
                connection.send(whole[at:])
                answer = connection.answer()
                expect(answer.status == 200, f"{answer} (`{steps}`)")
                expect(json.loads(answer.body) == expected, f"`{steps}`: `{answer.body.decode()}`")


@behaviour("a chunked body can be read to its end, and `wsgi.input_terminated` says so")
def chunked(server):
    fields = "Transfer-Encoding: chunked\r\n"
    with Connection(server) as connection:
        connection.send(request("/body", method="POST", fields=fields) + b"3\r\none\r\n")
        connection.send(b"4;x=y\r\n two\r\n0\r\n\r\n")
        answer = connection.answer()
        expect(answer.status == 200, answer)
        expect(answer.body == b"one two", f"what is read is {shown(answer.body)}" if answer.body else "nothing is read of it")
    with Connection(server) as connection:
        connection.send(request("/show_environ", method="POST", fields=fields) + b"0\r\n\r\n")
        found = json.loads(connection.answer().body)
        expect(found.get("wsgi.input_terminated") == "True", "it can be read, but nothing says so")


EXPECTING = "Expect: 100-continue\r\nContent-Length: 2\r\n"


@behaviour("`100 Continue` is sent")
def continues(server):
    with Connection(server) as connection:
        connection.send(request("/body", method="POST", fields=EXPECTING))
        answer = connection.answer()
        expect(answer.status == 100, f"not sent: {answer}")
        connection.send(b"hi")
        expect(connection.answer().body == b"hi", "the body is not read after it")


@behaviour("not to a client whose body the app does not read")
def continues_late(server):
    with Connection(server) as connection:
        connection.send(request("/hello", method="POST", fields=EXPECTING))
        answer = connection.answer()
        expect(answer.status != 100, "it is sent before the app is called")
        expect(answer.status == 200, answer)


@behaviour("a body that the app does not read is no next request")
def unread(server):
    with Connection(server) as connection:
        smuggled = request("/pid")
        connection.send(request("/hello", method="POST", body=smuggled) + request("/several"))
        expect(connection.answer().body == b"hello\n", "no answer")
        second = connection.answer()
        expect(second.body in (b"abcde", b""), "it is taken for one")
        expect(second.head, "the connection is closed")


@behaviour("what an app keeps of a request refuses to work later")
def kept(server):
    expect(ask(server, "/keep").body == b"kept", "no answer")
    outcomes = ask(server, "/use_kept").body.decode().split("\n")
    names = ("wsgi.input", "start_response", "write")
    silent = [f"`{name}`" for name, outcome in zip(names, outcomes) if not outcome.startswith("raised")]
    expect(not silent, f"{', '.join(silent)} {'do' if len(silent) > 1 else 'does'} not raise")


# ---- The end of a request


@behaviour("the response ends before `close()` is called")
def ends_before_close(server):
    gate = f"/tmp/behaviours-{os.getpid()}-{random.randrange(10**9)}"
    os.mkfifo(gate)
    try:
        with Connection(server) as connection:
            answer = connection.ask(f"/close_pauses?{gate}")
            opener = os.open(gate, os.O_RDWR)
            os.write(opener, b"x")
            expect(answer.is_whole, "the client waits for it")
            eventually(lambda: "close after a pause" in server.output(), "it is not called")
            os.close(opener)
    finally:
        os.unlink(gate)


@behaviour("`close()` is always called, also after an error and for HEAD")
def closes(server):
    for path, method, note in (
        ("/closes?whole", "GET", "close whole"), ("/closes_after_error", "GET", "close after an error"),
        ("/closes_after_early_error", "GET", "close after an early error"), ("/closes?head", "HEAD", "close head"),
    ):
        ask(server, path, method=method)
        eventually(lambda note=note: note in server.output(), f"not: {note[6:]}")


@behaviour("a client that leaves ends a generator, which gets `GeneratorExit`")
def leaves(server):
    before = server.output().count("GeneratorExit")
    with Connection(server) as connection:
        connection.send(request("/endless"))
        connection.wait_for(b"x" * 1000)
    eventually(lambda: server.output().count("GeneratorExit") > before, "it goes on")


@behaviour("an error in `close()` is logged, and costs the client nothing")
def close_raises(server):
    with Connection(server) as connection:
        answer = connection.ask("/close_raises")
        expect((answer.end, answer.body) == ("whole", b"x"), answer)
        again = connection.ask("/hello")
    eventually(lambda: "RuntimeError: in close" in server.output(), "it is not logged")
    expect(again.body == b"hello\n", "the connection is closed")


# ---- What an app does besides


@behaviour("threads of the app run between requests")
def threads(server):
    ask(server, "/start_ticking")
    first = int(ask(server, "/count_ticks").body)
    eventually(lambda: int(ask(server, "/count_ticks").body) > first + 10, "they stand still")


@behaviour("`subprocess`, `multiprocessing` and `os.fork` work in a view")
def processes(server):
    with Connection(server) as connection:
        connection.send(request("/processes"))
        connection.wait_for(b"run")
        answer = connection.answer()
        expect(answer.body == b"run 5 5", f"{answer}: {shown(answer.body)}" if answer.head else answer)
    expect(ask(server, "/fork").body == b"7", "os.fork does not")


@behaviour("a forked child that returns from the app never serves")
def forked_child(server):
    with Connection(server) as connection:
        connection.send(request("/fork_that_returns"))
        came = connection.wait_for(b"from the parent")
        expect(not connection.wait_for(b"from the child", 0.5), "it answers" + (", too" if came else " in the parent's place"))
        answer = connection.answer()
        expect(answer.body == b"from the parent", answer)
        child = int(answer.field("x-child"))
        eventually(lambda: not os.path.exists(f"/proc/{child}"), "it goes on")


@behaviour("what goes to `wsgi.errors` and `print` appears at once, as UTF-8")
def written(server):
    ask(server, "/errors")
    eventually(lambda: "Grüße" in server.output(), "`wsgi.errors` does not", patience=2.0)
    eventually(lambda: "stdout: ✓" in server.output(), "`print` does not", patience=2.0)


@behaviour("a traceback is in the log, as UTF-8")
def traceback(server):
    ask(server, "/raise_before")
    eventually(lambda: "RuntimeError: schön kaputt" in server.output(), "no")


@behaviour("`wsgiref.validate` finds nothing")
def validated(server):
    for path, method, body, expected in (
        ("plain", "GET", None, b"plain"), ("generator", "GET", None, b"onetwo"), ("echo", "POST", b"hi", b"hi"),
        ("lines", "POST", b"a\nb\nc", b"a\n|b\n|c"), ("written", "GET", None, b"written returned"),
    ):
        fields = "Content-Type: text/plain\r\n" if body else ""
        answer = ask(server, f"/validated/wsgiref/{path}?a=b", method=method, body=body, fields=fields)
        expect(answer.is_whole and answer.body == expected, f"{answer} ({path})")
