"""Responses that are cut, wherever: the client can tell, the error log has a warning, the access log a mark."""

import os
import pathlib
import signal
import socket
import struct

import pytest

from harness import Disconnected, Server, read_response, request_bytes

MB = 1_000_000


def request(path, version):
    return request_bytes(path) if version == "1.1" else f"GET {path} HTTP/1.0\r\n\r\n".encode()


def read_to_end(sock):
    while sock.recv(1 << 20):
        pass


def has_cut_line(server, path, mark=" cut\n"):
    """The access log's only line of that path is there, and marked."""
    lines = [line for line in server.stdout_text().splitlines(keepends=True) if path in line]
    return len(lines) == 1 and lines[0].endswith(mark)


@pytest.fixture(scope="module")
def faults():
    with Server("faults:app", "--workers", "1", "--write-timeout", "1", "--access-logfile", "-") as server:
        yield server


@pytest.fixture
def files(tmp_path):
    with open(tmp_path / "large", "wb") as file:
        file.truncate(100 * MB)  # a hole: it takes no disk
    with Server("respond:app", "--workers", "1", "--write-timeout", "1", "--access-logfile", "-") as server:
        yield server, tmp_path / "large"


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("path, reason", [("/short", "shorter than its Content-Length"), ("/late-throw", "the app failed")])
def test_a_response_that_the_app_leaves_unfinished(faults, path, reason, version):
    path += f"?{version}"
    with faults.connect() as sock:
        sock.sendall(request(path, version))
        with pytest.raises((Disconnected, ConnectionResetError)):
            read_response(sock)
    faults.wait_log(rf"\[WARNING\] Response to GET {path.split('?')[0]}\S*{version} was cut: .*{reason}")
    faults.wait_for(lambda: has_cut_line(faults, path), what="the access log's mark")


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_client_that_leaves(faults, version):
    path = f"/big?bytes={20 * MB}&leaves={version}"
    with faults.connect() as sock:
        sock.sendall(request(path, version))
        sock.recv(1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    faults.wait_log(rf"\[WARNING\] Response to GET /big\S*leaves={version} was cut: the client is gone")
    faults.wait_for(lambda: has_cut_line(faults, path), what="the access log's mark")


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_client_that_does_not_read(faults, version):
    path = f"/big?bytes={20 * MB}&deaf={version}"
    with faults.connect() as sock:
        sock.sendall(request(path, version))
        faults.wait_log(rf"\[WARNING\] Response to GET /big\S*deaf={version} was cut: the client does not read")
        faults.wait_for(lambda: has_cut_line(faults, path), what="the access log's mark")


def test_the_answers_before_it_are_whole(faults):
    """Those of a pipeline that have gone out have no mark, the others have."""
    paths = ["/count?1", f"/big?bytes={20 * MB}&pipelined", "/count?2"]
    with faults.connect() as sock:
        sock.sendall(b"".join(request_bytes(path) for path in paths))
        assert read_response(sock).status == 200
    faults.wait_for(lambda: has_cut_line(faults, paths[1]), what="the access log's mark")
    assert has_cut_line(faults, "/count?1", '"-"\n')


def test_a_whole_answer_has_no_mark_however_slow_its_reader(faults):
    path = f"/big?bytes={20 * MB}&slow"
    with faults.connect() as sock:
        sock.sendall(request_bytes(path))
        sock.recv(1, socket.MSG_PEEK)
        assert faults.get("/count?meanwhile").status == 200
        faults.wait_for(lambda: "/count?meanwhile" in faults.stdout_text(), what="the line of a later one")
        assert path not in faults.stdout_text()  # nobody knows yet
        assert len(read_response(sock).body) == 20 * MB
    faults.wait_for(lambda: has_cut_line(faults, path, '"-"\n'), what="a line without a mark")


@pytest.mark.parametrize("form, mark", [("json", '"cut":true}\n'), ("logfmt", " cut=true\n")])
def test_the_ready_formats(form, mark):
    with Server("faults:app", "--workers", "1", "--access-logfile", "-", "--access-logformat", form) as server:
        with server.connect() as sock:
            sock.sendall(request_bytes("/late-throw"))
            with pytest.raises(Disconnected):
                read_response(sock)
        server.wait_for(lambda: has_cut_line(server, "/late-throw", mark), what="the mark")


# ---- Answers that end with the connection: a client takes what it has got for all, unless that is reset


def test_a_file_that_shrinks(files):
    server, path = files
    with server.connect() as sock:
        sock.sendall(f"GET /?file={path} HTTP/1.0\r\n\r\n".encode())
        sock.recv(1, socket.MSG_PEEK)
        os.truncate(path, MB)
        with pytest.raises(ConnectionResetError):
            read_to_end(sock)
    server.wait_log(r"\[WARNING\] Response to GET /\?file=\S+ was cut: a file is shorter than announced")
    server.wait_for(lambda: has_cut_line(server, "/?file="), what="the access log's mark")


def test_a_reader_that_is_given_up(files):
    server, path = files
    with server.connect() as sock:
        sock.sendall(f"GET /?file={path} HTTP/1.0\r\n\r\n".encode())
        server.wait_log("was cut: the client does not read")
        with pytest.raises(ConnectionResetError):
            read_to_end(sock)


def is_asleep(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def begin_download(server, path):
    """A client that does not read, and the worker, which waits for it."""
    (worker,) = server.wait_workers(1)
    sock = server.connect(timeout=20)
    sock.sendall(f"GET /?file={path} HTTP/1.0\r\n\r\n".encode())
    sock.recv(1, socket.MSG_PEEK)
    server.wait_for(lambda: is_asleep(worker), what="the worker to wait for the client")
    return sock, worker


def test_a_worker_that_ends_cuts_nothing_that_another_can_go_on_with(tmp_path):
    with open(tmp_path / "large", "wb") as file:
        file.truncate(100 * MB)
    with Server("respond:app") as server:
        sock, worker = begin_download(server, tmp_path / "large")
        os.kill(worker, signal.SIGKILL)
        assert len(read_response(sock).body) == 100 * MB


def test_a_quick_stop(files):
    server, path = files
    sock, _ = begin_download(server, path)
    server.signal(signal.SIGQUIT)
    with pytest.raises(ConnectionResetError):
        read_to_end(sock)
    assert server.wait_exit() == 0


def test_a_worker_that_ends_without_an_understudy(tmp_path):
    with open(tmp_path / "large", "wb") as file:
        file.truncate(100 * MB)
    with Server("respond:app", "--no-understudy") as server:
        sock, worker = begin_download(server, tmp_path / "large")
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(ConnectionResetError):
            read_to_end(sock)


@pytest.mark.parametrize("options", [(), ("--no-understudy",)], ids=["understudy", "no understudy"])
def test_a_worker_that_ends_while_its_app_writes(options):
    with Server("stream:app", *options) as server:
        (worker,) = server.wait_workers(1)
        sock = server.connect()
        sock.sendall(b"GET /?n=1000&ms=10 HTTP/1.0\r\n\r\n")
        sock.recv(1, socket.MSG_PEEK)
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(ConnectionResetError):
            read_to_end(sock)
