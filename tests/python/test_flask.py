"""Flask with what it has, served as its own test client says, and in bounded memory."""

import json
import random
import re
import socket
from pathlib import Path

import pytest
from harness import read_response, request_bytes
from python_server import PythonServer
from reference import Reference, assert_same, needs

pytestmark = needs("flask")
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def shop_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("shop") / "file"
    path.write_bytes(random.Random(2).randbytes(200_000))
    return path


@pytest.fixture(scope="module")
def flask(shop_file):
    with PythonServer("flask_shop:app", env={"SHOP_FILE": str(shop_file)}) as running:
        yield running


@pytest.fixture(scope="module")
def reference(shop_file):
    with Reference("flask_client.py", {"SHOP_FILE": str(shop_file)}) as running:
        yield running


def multipart(fields, files):
    boundary = "----------------------------boundary"
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    parts += [
        f'Content-Disposition: form-data; name="{name}"; filename="f"\r\n\r\n'.encode() + content
        for name, content in files.items()
    ]
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body + f"--{boundary}--\r\n".encode()


# ---- As the test client says


@pytest.mark.parametrize(
    "path",
    [
        "/front/you", "/front/%C3%BC?q=%20", "/front/missing/x", "/who", "/stream", "/whole", "/memory", "/error", "/teapot",
        "/nowhere", "/upload", "/front", "/front/you/", "/page", "/cookies", "/static/none.css",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_pages_and_errors(flask, reference, method, path):
    assert_same(flask, reference, method, path)


def test_sessions_and_cookies(flask, reference):
    cookie = assert_same(flask, reference, "GET", "/login/ada").cookies
    assert assert_same(flask, reference, "GET", "/who", {"Cookie": cookie}).body == b"ada"
    assert assert_same(flask, reference, "GET", "/who", {"Cookie": cookie[:-1] + "!"}).body == b"nobody"
    cookie = assert_same(flask, reference, "GET", "/flash/once", {"Cookie": cookie}).cookies
    page = assert_same(flask, reference, "GET", "/page", {"Cookie": cookie})
    assert b"once" in page.body and b"&lt;b&gt;" in page.body
    assert b"once" not in assert_same(flask, reference, "GET", "/page", {"Cookie": page.cookies}).body
    answer = assert_same(flask, reference, "GET", "/cookies", {"Cookie": 'a=1; b="zwei: \\303\\274"'})
    assert json.loads(answer.body)["a"] == "1"


def test_uploads(flask, reference):
    headers, body = multipart({"field": "ü"}, {"file": b"x" * 3_000_000})
    answer = assert_same(flask, reference, "POST", "/upload", headers, body)
    assert json.loads(answer.body) == {"name": "f", "size": 3_000_000, "field": "ü"}
    assert_same(flask, reference, "POST", "/upload", headers, body[:-10])
    assert_same(flask, reference, "POST", "/upload", {"Content-Type": "multipart/form-data"}, body[:100])


@pytest.mark.parametrize(
    "given", ["bytes=100-199", "bytes=0-0", "bytes=-100", "bytes=199999-", "bytes=150000-999999", "bytes=200000-",
              "bytes=5-2", "bytes=-0", "bytes=0-9,20-29", "lines=1-2", "nonsense"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_ranges(flask, reference, method, given):
    assert_same(flask, reference, method, "/file", {"Range": given})


def test_what_a_range_gets(flask, reference, shop_file):
    content = shop_file.read_bytes()
    part = assert_same(flask, reference, "GET", "/file", {"Range": "bytes=100-199"})
    assert (part.status, part.body) == ("206 PARTIAL CONTENT", content[100:200])
    assert part.header("Content-Range") == "bytes 100-199/200000"
    assert assert_same(flask, reference, "GET", "/file", {"Range": "bytes=200000-"}).status[:3] == "416"


def test_conditions(flask, reference, shop_file):
    whole = assert_same(flask, reference, "GET", "/file")
    assert whole.body == shop_file.read_bytes()
    tag, date = whole.header("ETag"), whole.header("Last-Modified")
    for headers, status in (
        ({"If-None-Match": tag}, "304"), ({"If-None-Match": '"other"'}, "200"), ({"If-None-Match": "*"}, "304"),
        ({"If-Modified-Since": date}, "304"), ({"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}, "200"),
        ({"Range": "bytes=0-9", "If-Range": tag}, "206"), ({"Range": "bytes=0-9", "If-Range": '"other"'}, "200"),
        ({"Range": "bytes=0-9", "If-Range": date}, "206"),
        ({"Range": "bytes=0-9", "If-Range": "Mon, 01 Jan 2001 00:00:00 GMT"}, "200"),
    ):
        assert assert_same(flask, reference, "GET", "/file", headers).status[:3] == status, headers


# ---- Streams, and the order in which a request ends


def notes_of(server, since, count):
    """What the app has printed since then, once it is so many lines."""
    return server.wait_for(
        lambda: (lines := server.stdout_text()[since:].splitlines(True)) and len(lines) >= count and lines, what="notes"
    )


@pytest.mark.parametrize("path", ["/who", "/error", "/teapot", "/nowhere", "/after", "/whole", "/stream"])
def test_what_runs_around_a_request_runs_in_its_order(flask, reference, path):
    reference.ask("GET", path)
    since = len(flask.stdout_text())
    flask.get(path)
    assert len(reference.notes) >= 3
    assert notes_of(flask, since, len(reference.notes)) == reference.notes


def test_a_client_that_leaves_a_stream_ends_it_in_the_same_order(flask, reference):
    reference.ask("GET", "/left", leaves=True)
    since = len(flask.stdout_text())
    with flask.connect() as sock:
        sock.sendall(request_bytes("/left"))
        sock.recv(100_000)
    notes = notes_of(flask, since, len(reference.notes))
    assert notes == reference.notes
    assert {"finally /left\n", "call_on_close: second\n"} < set(notes)


def test_a_piece_is_sent_before_the_next_is_made(flask, tmp_path):
    with flask.connect() as sock:
        sock.sendall(request_bytes(f"/gated?gate={tmp_path}/gate"))
        received = b""
        while b"first" not in received:
            received += sock.recv(1000)
        assert b"second" not in received
        (tmp_path / "gate").touch()
        while not received.endswith(b"0\r\n\r\n"):
            received += sock.recv(1000)
        assert b"second" in received


def test_errors_are_logged_with_their_tracebacks(flask):
    flask.get("/error")
    flask.wait_log(r"RuntimeError: a view that fails")


def test_a_chunked_body(flask):
    with flask.connect() as sock:
        sock.sendall(request_bytes("/chunked", {"Transfer-Encoding": "chunked"}, "POST") + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        assert read_response(sock).body == b"abcde"


# ---- 100 MB, and no memory for them


def most_memory(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def send_much(server, path, headers, before, after, size=100):
    """Posts so many megabytes, one at a time."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as sock:
        length = len(before) + size * MEGABYTE + len(after)
        sock.sendall(request_bytes(path, {"Content-Length": str(length), **headers}, "POST") + before)
        for _ in range(size):
            sock.sendall(b"y" * MEGABYTE)
        sock.sendall(after)
        return read_response(sock).body


def assert_bounded(server, action, most=16 * MEGABYTE):
    """No more memory is needed than that, once the app is warm."""
    (pid,) = server.wait_workers(1)
    before = most_memory(pid)
    action()
    assert server.worker_pids() == [pid]
    assert most_memory(pid) - before < most


def test_an_upload_of_100_megabytes_takes_no_memory(flask):
    headers, body = multipart({"field": "f"}, {"file": b"CONTENT"})
    before, after = body.split(b"CONTENT")
    send_much(flask, "/upload", headers, before, after, size=1)

    def upload():
        answer = json.loads(send_much(flask, "/upload", headers, before, after))
        assert answer == {"name": "f", "size": 100 * MEGABYTE, "field": "f"}
        assert send_much(flask, "/raw", {}, b"", b"") == b"%d" % (100 * MEGABYTE)

    assert_bounded(flask, upload)


def test_a_stream_of_100_megabytes_takes_no_memory(flask):
    def download():
        with flask.connect() as sock:
            sock.sendall(request_bytes("/much", {"Connection": "close"}))
            received = 0
            while data := sock.recv(MEGABYTE):
                received += len(data)
        assert received > 1600 * 65536

    download()
    assert_bounded(flask, download)
