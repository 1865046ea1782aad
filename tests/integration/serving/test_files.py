"""Files: which answer a path gets, and why one that exists is not given."""

import os
import resource
import socket
import subprocess
from email.utils import parsedate_to_datetime

import pytest

from harness import SANITIZED, Server, open_files, read_response, request_bytes

no_descriptors = pytest.mark.skipif(SANITIZED, reason="the sanitizer takes any object for broken without a descriptor")


def leave_descriptors(pid, count):
    """Lets a process open so many more descriptors and no others."""
    taken = open_files(pid)
    limit = 0
    while limit - sum(1 for number in taken if number < limit) < count or limit in taken:
        limit += 1
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, hard))


class Client:
    """One connection, so that a worker without a free descriptor still answers."""

    def __init__(self, server):
        self._sock = server.connect()

    def get(self, path, headers=None, method="GET"):
        self._sock.sendall(request_bytes(path, headers, method))
        return read_response(self._sock, method)


@pytest.fixture
def site(tmp_path):
    root = tmp_path / "www"
    (root / "sub").mkdir(parents=True)
    (root / "index.html").write_text("<h1>home</h1>")
    (root / "small.txt").write_text("small")
    (root / "big.bin").write_bytes(os.urandom(2_000_000))
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nothing")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(root / "sock"))
    return root


@pytest.fixture
def server(site):
    with Server(f'files:app("{site}")', "--workers", "1") as server:
        yield server


@no_descriptors
def test_a_file_that_cannot_be_opened_for_want_of_descriptors_is_not_said_to_be_missing(server):
    (worker,) = server.wait_workers(1)
    client = Client(server)
    assert client.get("/small.txt").status == 200
    leave_descriptors(worker, 0)
    for path in ("/small.txt", "/"):
        assert client.get(path).status == 503, path
    leave_descriptors(worker, 100)
    assert client.get("/small.txt").body == b"small"
    assert client.get("/nothing").status == 404


@pytest.mark.parametrize("args", [(), ("--no-sendfile",)], ids=["sendfile", "no sendfile"])
def test_a_file_that_was_opened_with_the_last_descriptor_is_sent_whole(site, args):
    with Server("wsgi:app", "--workers", "1", *args) as server:
        (worker,) = server.wait_workers(1)
        client = Client(server)
        assert client.get("/").status == 200
        leave_descriptors(worker, 1)
        for name in ("small.txt", "big.bin"):
            path = site / name
            assert client.get(f"/file?path={path}").body == path.read_bytes()
            head = client.get(f"/file?path={path}", method="HEAD")
            assert (head.status, int(head.headers["content-length"])) == (200, path.stat().st_size)
        assert not server.complaints()


@pytest.mark.parametrize("path", ["/nothing", "/small.txt/x", "/loop", "/dangling", "/pipe", "/sock", "/" + "x" * 300])
def test_what_is_no_file_is_not_found(server, path):
    assert server.get(path).status == 404


@pytest.fixture
def tree(site):
    (site / "sub" / "index.html").write_text("sub")
    (site / "sub" / "page.html").write_text("page")
    (site / "bare").mkdir()
    (site / "evil.example").mkdir()
    (site / "back\\slash").mkdir()
    (site / "a b").mkdir()
    (site.parent / "secret").write_text("secret")
    (site.parent / "outside").mkdir()
    (site.parent / "outside" / "index.html").write_text("secret")
    (site / "out-file").symlink_to("../secret")
    (site / "out-file-absolute").symlink_to(site.parent / "secret")
    (site / "out-dir").symlink_to(site.parent / "outside")
    (site / "sub" / "up").symlink_to("../..")
    (site / "in-file").symlink_to("sub/page.html")
    (site / "in-file-absolute").symlink_to(site / "sub" / "page.html")
    (site / "in-dir-absolute").symlink_to(site / "sub")
    (site / "to-proc").symlink_to("/proc/self/environ")
    return site


def raw_get(server, target, host="test"):
    with server.connect() as sock:
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1"))
        return read_response(sock)


@pytest.mark.parametrize(
    "target",
    [
        "/../secret",
        "/sub/../../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/sub/%2e%2e/%2e%2e/secret",
        "//../secret",
        "/out-file",
        "/out-file-absolute",
        "/out-dir",
        "/out-dir/",
        "/out-dir/index.html",
        "/sub/up/secret",
        "/to-proc",
        "/small.txt%00.html",
        "/%00",
    ],
)
def test_nothing_leads_out_of_the_directory(tree, target):
    with Server(f'files:app("{tree}")') as server:
        answer = raw_get(server, target)
        assert answer.status in (400, 404)
        assert b"secret" not in answer.body


@pytest.mark.parametrize("name", ["/in-file", "/in-file-absolute", "/in-dir-absolute/page.html", "/sub/../sub/page.html"])
def test_links_that_stay_within_are_followed(tree, name):
    with Server(f'files:app("{tree}")') as server:
        assert raw_get(server, name).body == b"page"


@pytest.mark.parametrize(
    "target, location",
    [
        ("/sub", "/sub/"),
        ("/sub?x=1&y=%20", "/sub/?x=1&y=%20"),
        ("/in-dir-absolute", "/in-dir-absolute/"),
        ("/a%20b", "/a%20b/"),
        ("http://test/sub", "/sub/"),
        ("http://test/sub?x=1", "/sub/?x=1"),
        ("//evil.example", "/evil.example/"),
        ("///evil.example", "/evil.example/"),
        ("http://test//evil.example", "/evil.example/"),
        ("/%2fevil.example", "/evil.example/"),
        ("/back%5Cslash", "/back%5Cslash/"),
    ],
)
def test_a_directory_without_its_slash_is_redirected_to_on_this_server(tree, target, location):
    with Server(f'files:app("{tree}")') as server:
        answer = raw_get(server, target)
        assert (answer.status, answer.headers["location"]) == (301, location)


def test_a_redirect_knows_where_the_app_is_mounted(tree):
    with Server(f'files:app("{tree}")', "--root-path", "/shop") as server:
        for target in ("/shop/sub", "/sub"):
            assert raw_get(server, target).headers["location"] == "/shop/sub/"


def test_a_directory_has_its_index_or_is_not_found(tree):
    with Server(f'files:app("{tree}")') as server:
        assert server.get("/").text == "<h1>home</h1>"
        assert server.get("/sub/").text == "sub"
        assert server.get("/bare/").status == 404
        assert server.get("/sub/page.html/").status == 404


def test_conditions_ranges_and_methods(site):
    os.utime(site / "small.txt", (784111777, 784111777))
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    with Server(f'files:app("{site}")') as server:
        whole = server.get("/small.txt")
        assert whole.headers["last-modified"] == date
        assert whole.headers["accept-ranges"] == "bytes"
        assert whole.headers["content-type"] == "text/plain; charset=utf-8"
        tag = whole.headers["etag"]
        for fields, status, body in (
            ({"If-None-Match": tag}, 304, b""),
            ({"If-None-Match": "*"}, 304, b""),
            ({"If-None-Match": '"x"', "If-Modified-Since": date}, 200, b"small"),
            ({"If-Modified-Since": "Sunday, 06-Nov-94 08:49:37 GMT"}, 304, b""),
            ({"If-Modified-Since": "Sun Nov  6 08:49:37 1994"}, 304, b""),
            ({"If-Modified-Since": date + "; length=5"}, 200, b"small"),
            ({"If-Match": '"x"'}, 412, None),
            ({"If-Match": tag}, 200, b"small"),
            ({"If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:36 GMT"}, 412, None),
            ({"Range": "bytes=1-3"}, 206, b"mal"),
            ({"Range": "bytes=-2", "If-Range": tag}, 206, b"ll"),
            ({"Range": "bytes=-2", "If-Range": date}, 206, b"ll"),
            ({"Range": "bytes=-2", "If-Range": '"x"'}, 200, b"small"),
            ({"Range": "bytes=0-0,4-4"}, 200, b"small"),
            ({"Range": "bytes=5-"}, 416, None),
            ({"Range": "pages=5-"}, 200, b"small"),
        ):
            answer = server.get("/small.txt", fields)
            assert answer.status == status, fields
            assert body is None or answer.body == body, fields
            if status in (200, 206, 304):
                assert answer.headers["etag"] == tag
        assert server.get("/small.txt", {"Range": "bytes=1-3"}).headers["content-range"] == "bytes 1-3/5"
        assert server.get("/small.txt", {"Range": "bytes=5-"}).headers["content-range"] == "bytes */5"
        head = server.get("/small.txt", {"Range": "bytes=1-3"}, method="HEAD")
        assert (head.status, head.headers["content-length"]) == (200, "5")
        for method in ("POST", "DELETE", "OPTIONS"):
            refused = server.get("/small.txt", method=method)
            assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


def test_a_changed_file_has_another_tag(site):
    with Server(f'files:app("{site}")') as server:
        before = server.get("/small.txt").headers["etag"]
        (site / "small.txt").write_text("other")
        answer = server.get("/small.txt", {"If-None-Match": before})
        assert (answer.status, answer.body) == (200, b"other")
        assert answer.headers["etag"] != before
        os.utime(site / "small.txt", (4_000_000_000, 4_000_000_000))  # in the future
        answer = server.get("/small.txt")
        modified, sent = (parsedate_to_datetime(answer.headers[name]) for name in ("last-modified", "date"))
        assert (modified - sent).total_seconds() <= 1  # the server's Date is of the turn's beginning


@pytest.mark.parametrize("args", [(), ("--no-sendfile",)], ids=["sendfile", "no sendfile"])
def test_a_large_file_arrives_in_ranges(site, args):
    data = (site / "big.bin").read_bytes()
    with Server(f'files:app("{site}")', *args) as server:
        client = Client(server)
        received = b""
        for first in range(0, len(data), 700_001):
            answer = client.get("/big.bin", {"Range": f"bytes={first}-{first + 700_000}"})
            assert answer.status == 206
            received += answer.body
        assert received == data


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run it as another user")
def test_a_file_that_may_not_be_read_is_forbidden(tmp_path):
    os.chmod(tmp_path, 0o755)
    for parent in list(tmp_path.parents)[:-2]:
        if parent.stat().st_uid == os.geteuid() and str(parent).startswith("/tmp/"):
            os.chmod(parent, parent.stat().st_mode | 0o055)
    (tmp_path / "mine").write_text("secret")
    os.chmod(tmp_path / "mine", 0o600)
    (tmp_path / "theirs").write_text("theirs")
    with Server(f'files:app("{tmp_path}")', "--user", "nobody") as server:
        assert server.get("/theirs").status == 200
        assert server.get("/mine").status == 403


@pytest.mark.skipif(SANITIZED, reason="the sanitizer's library has to be the first one")
def test_without_openat2_nothing_changes(tree, tmp_path):
    source = tmp_path / "no_openat2.c"
    source.write_text(NO_OPENAT2)
    library = tmp_path / "no_openat2.so"
    subprocess.run(["gcc", "-shared", "-fPIC", source, "-o", library, "-ldl"], check=True)
    with Server(f'files:app("{tree}")', env={"LD_PRELOAD": str(library)}) as server:
        for target, status in (
            ("/", 200),
            ("/small.txt", 200),
            ("/sub/page.html", 200),
            ("/in-file-absolute", 200),
            ("/sub", 301),
            ("/sub/", 200),
            ("/nothing", 404),
            ("/small.txt/", 404),
            ("/../secret", 404),
            ("/out-file", 404),
            ("/out-dir/index.html", 404),
            ("/loop", 404),
            ("/pipe", 404),
        ):
            assert raw_get(server, target).status == status, target


# syscall() as the C library has it, but for one number.
NO_OPENAT2 = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/syscall.h>

long syscall(long number, long a, long b, long c, long d, long e, long f) {
    static long (*next)(long, ...);
    if (number == SYS_openat2) {
        errno = ENOSYS;
        return -1;
    }
    if (next == 0) next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    return next(number, a, b, c, d, e, f);
}
"""
