"""What a worker holds for its clients, and that it lets go of it."""

import os
import resource
import socket
from pathlib import Path

import pytest

from harness import SANITIZED, Server, open_files, read_response, request_bytes, wait_until


@pytest.mark.parametrize("args", [(), ("--no-sendfile",)], ids=["sendfile", "no sendfile"])
def test_no_descriptor_is_left_of_files_that_were_sent(tmp_path, args):
    (tmp_path / "small").write_bytes(b"small\n")
    (tmp_path / "empty").write_bytes(b"")
    with open(tmp_path / "large", "wb") as file:
        file.truncate(100_000_000)  # a hole: it takes no disk
    with Server(f'files:app("{tmp_path}")', "--workers", "1", *args) as server:
        (worker,) = server.wait_workers(1)
        with server.connect() as sock:
            sock.sendall(request_bytes("/missing"))
            assert read_response(sock).status == 404
            before = len(open_files(worker))
            sock.sendall(request_bytes("/small"))
            modified = read_response(sock).headers["last-modified"]
            for method, path, headers, status in (
                ("GET", "/small", {}, 200),
                ("HEAD", "/small", {}, 200),
                ("GET", "/empty", {}, 200),
                ("GET", "/small", {"If-Modified-Since": modified}, 304),
                ("GET", "/small/", {}, 404),
            ):
                for _ in range(5):
                    sock.sendall(request_bytes(path, headers, method))
                    assert read_response(sock, method).status == status
                # A client may have the whole file just before the worker has closed it.
                server.wait_for(lambda: len(open_files(worker)) == before, what=f"the end of {method} {path}")
            # Those that leave before they have all of it.
            for _ in range(5):
                with server.connect() as leaver:
                    leaver.sendall(request_bytes("/large"))
                    assert leaver.recv(1000).startswith(b"HTTP/1.1 200 ")
            server.wait_for(lambda: len(open_files(worker)) == before, what="the end of those that have left")


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def run_time_ns(pid):
    """The processor time that a process has used. Unlike the clock on the wall, others do not add to it."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def time_of_coming_and_going(server, worker):
    """What a connection that is opened, used once and closed by its client costs its worker: the best of a few looks."""
    connected = len(os.listdir(f"/proc/{worker}/fd"))
    looks = []
    for _ in range(6):
        before = run_time_ns(worker)
        for _ in range(100):
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
                sock.sendall(request_bytes("/"))
                assert read_response(sock).status == 200
        wait_until(lambda: len(os.listdir(f"/proc/{worker}/fd")) == connected, what="the end of the connections")
        looks.append((run_time_ns(worker) - before) / 100)
    return min(looks)


@pytest.mark.skipif(SANITIZED, reason="what the sanitizer costs is not ours")
def test_a_connection_that_ends_costs_the_same_however_many_others_there_are(many_descriptors):
    others = 14_000
    args = ("--workers", "1", "--header-timeout", "300", "--worker-connections", others + 100)
    with Server("hello:app", *args) as server:
        (worker,) = server.wait_workers(1)
        alone = time_of_coming_and_going(server, worker)
        held = []
        for _ in range(others):
            sock = socket.socket()
            sock.connect(("127.0.0.1", server.port))
            held.append(sock)
        server.wait_for(lambda: len(os.listdir(f"/proc/{worker}/fd")) > others, timeout=20, what="the others")
        for _ in range(4):  # a machine that has become busy meanwhile makes it look dearer
            among_others = time_of_coming_and_going(server, worker)
            if among_others < 1.75 * alone:
                break
        for sock in held:
            sock.close()
        print(f"{alone:.0f} ns alone, {among_others:.0f} ns among {others} others")
        assert among_others < 1.75 * alone


def test_a_connection_keeps_one_file_open_however_many_it_asks_for(tmp_path):
    clients = 10
    with open(tmp_path / "large", "wb") as file:
        file.truncate(100_000_000)  # a hole: it takes no disk
    with Server(f'files:app("{tmp_path}")', "--workers", "1") as server:
        (worker,) = server.wait_workers(1)
        before = len(open_files(worker))
        socks = []
        for _ in range(clients):
            socks.append(server.connect())
            socks[-1].sendall(request_bytes("/large") * 16)
            socks[-1].recv(1, socket.MSG_PEEK)  # it sends, and is not read
        assert server.get("/missing").status == 404  # those that came before are served by now
        assert len(open_files(worker)) <= before + 2 * clients + 1  # a socket and a file each
        for sock in socks:
            sock.close()


def resident_mb(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024


def large_head(sock):
    sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 4_000_000)


def large_body(sock):
    sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n" + b"x" * 4_000_000)


def large_answer(sock):
    sock.sendall(request_bytes("/big?bytes=4000000"))
    sock.recv(1, socket.MSG_PEEK)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer keeps what is freed for a while")
@pytest.mark.parametrize("take", [large_head, large_body], ids=lambda each: each.__name__)
def test_memory_that_clients_made_a_worker_take_is_given_back(take):
    limits = ("--limit-request-head", "16000000", "--limit-request-field_size", "0", "--body-buffer", "16000000")
    with Server("faults:app", "--workers", "1", *limits) as server:
        (worker,) = server.wait_workers(1)
        for _ in range(10):
            assert server.get("/").status == 200
        before = resident_mb(worker)
        socks = [server.connect() for _ in range(50)]
        for sock in socks:
            take(sock)
        server.wait_for(lambda: resident_mb(worker) > before + 100, timeout=60, what="the memory that is taken")
        for sock in socks:
            sock.close()
        for _ in range(200):
            assert server.get("/").status == 200
        server.wait_for(lambda: resident_mb(worker) < before + 20, timeout=60, what="the memory that is given back")


@pytest.mark.skipif(SANITIZED, reason="a sanitizer keeps what is freed for a while")
def test_large_answers_that_are_not_read_take_little_memory():
    """They wait in files."""
    with Server("faults:app") as server:
        (worker,) = server.wait_workers(1)
        for _ in range(10):
            assert server.get("/").status == 200
        before = resident_mb(worker)
        socks = [server.connect() for _ in range(50)]
        for sock in socks:
            large_answer(sock)
        assert server.get("/").status == 200
        assert resident_mb(worker) < before + 40  # of 200 MB
