"""Files: which answer a path gets, and why one that exists is not given."""

import os
import resource
import socket

import pytest

from harness import Server, open_files, read_response, request_bytes


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
