"""Workers that retire give their connections to others: no client notices, whatever it was doing."""

import json
import os
import signal
import socket
import threading
from unittest.mock import ANY

import pytest

from harness import Server, free_port, is_alive, read_end, read_response, request_bytes, wait_until

CLIENTS = 60
LARGE = 1_000_000
GET = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"


class Clients:
    """Clients that ask and ask, each on the one connection that it has."""

    def __init__(self, server, count=CLIENTS, path=b"/"):
        self._request = GET % path
        self._socks = [server.connect(timeout=30) for _ in range(count)]
        self.answers = [0] * count
        self.failures = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(index,)) for index in range(count)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, index):
        sock = self._socks[index]
        while not self._over.is_set():
            try:
                sock.sendall(self._request)
                response = read_response(sock)
            except Exception as error:  # noqa: BLE001: whatever it is, the client has noticed
                self.failures.append(repr(error))
                return
            if response.status != 200 or "connection" in response.headers:
                self.failures.append(f"{response.status} {response.headers}")
                return
            self.answers[index] += 1
            self._over.wait(0.01)

    def go_on(self, server):
        """Until each of them has had more answers."""
        least = [count + 3 for count in self.answers]
        done = lambda: self.failures or all(has >= wants for has, wants in zip(self.answers, least))  # noqa: E731
        server.wait_for(done, timeout=30, what="more answers")
        assert self.failures == []


def reload(server, times):
    for _ in range(times):
        done = server.count_log("Reload done")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done", count=done + 1, timeout=30)


def workers_have_changed(server, before):
    return lambda: not set(before) & set(server.worker_pids())


# ---- Busy clients


def test_reloads_cost_no_client_anything():
    with Server("hello:app", "--workers", "4", wait=4) as server, Clients(server) as clients:
        for _ in range(8):
            reload(server, 1)
            clients.go_on(server)
        assert clients.failures == []


def test_more_and_fewer_workers_cost_no_client_anything():
    with Server("hello:app", "--workers", "2", wait=2) as server, Clients(server) as clients:
        for _ in range(4):
            server.signal(signal.SIGTTIN)
            server.wait_workers(3)
            clients.go_on(server)
            server.signal(signal.SIGTTOU)
            server.wait_workers(2)
            clients.go_on(server)
        assert clients.failures == []


def test_recycling_costs_no_client_anything():
    with Server("hello:app", "--workers", "3", "--max-requests", "50", wait=3) as server, Clients(server) as clients:
        wait_until(lambda: clients.failures or server.count_log("wants a replacement") > 20, timeout=60)
        clients.go_on(server)
        assert clients.failures == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_to_one_worker_costs_no_client_anything(number):
    with Server("hello:app", "--workers", "2", wait=2) as server, Clients(server) as clients:
        for _ in range(4):
            workers = server.wait_workers(2)
            os.kill(workers[0], number)
            server.wait_for(lambda gone=workers[0]: not is_alive(gone), what="its end")
            server.wait_workers(2)
            clients.go_on(server)
        assert clients.failures == []


def test_upgrades_cost_no_client_anything():
    with Server("hello:app", "--workers", "2", wait=2) as server:
        with Clients(server) as clients:
            masters = [server.pid]
            for number in range(1, 4):
                os.kill(masters[-1], signal.SIGUSR2)
                found = server.wait_log(r"started the new master \(pid:(\d+)\)", count=number, timeout=30)
                masters.append(int(found[-1][1]))
                server.wait_log("Worker ready", count=2 * number + 2, timeout=30)
                clients.go_on(server)
                os.kill(masters[-2], signal.SIGTERM)
                server.wait_log("Worker exiting", count=2 * number, timeout=30)
                server.wait_log("this one takes its place", count=number)  # before, another upgrade is refused
                clients.go_on(server)
            assert clients.failures == []
        os.kill(masters[-1], signal.SIGTERM)
        server.wait_for(lambda: server.tree() == [], what="the end of all")


# ---- Clients in the middle of something


class Idle:
    def begin(self, sock):
        pass

    def end(self, sock):
        sock.sendall(GET % b"/")
        assert read_response(sock).status == 200


class Answered:
    def begin(self, sock):
        sock.sendall(GET % b"/")
        assert read_response(sock).status == 200

    end = Idle.end


class HalfHead:
    def begin(self, sock):
        sock.sendall(b"GET / HTTP/1.1\r\nHo")

    def end(self, sock):
        sock.sendall(b"st: x\r\n\r\n")
        assert read_response(sock).status == 200


class HalfBody:
    def begin(self, sock):
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n" + b"a" * 7000)

    def end(self, sock):
        sock.sendall(b"b" * 13000)
        response = read_response(sock)
        assert (response.status, response.body) == (200, b"a" * 7000 + b"b" * 13000)


class HalfChunks:
    def begin(self, sock):
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1")

    def end(self, sock):
        sock.sendall(b"0\r\n0123456789abcdef\r\n0\r\nA: b\r\n\r\n")
        response = read_response(sock)
        assert (response.status, response.body) == (200, b"hello0123456789abcdef")


KINDS = [Idle, Answered, HalfHead, HalfBody, HalfChunks]


@pytest.mark.parametrize("workers", [1, 3])
def test_what_clients_have_half_sent_goes_along(workers):
    with Server("echo:app", "--workers", workers, wait=workers) as server:
        clients = [(kind(), server.connect(timeout=30)) for kind in KINDS for _ in range(4)]
        for kind, sock in clients:
            kind.begin(sock)
        for times in (1, 2):
            before = server.wait_workers(workers)
            reload(server, times)
            server.wait_for(workers_have_changed(server, before), timeout=30, what="the end of the old workers")
        for kind, sock in clients:
            kind.end(sock)
            Idle().end(sock)
        assert "WARNING" not in server.log_text()


def slow_client(server, path):
    """One that has sent its request and reads nothing; its answer is larger than what the kernel holds."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(30)
    sock.connect(("127.0.0.1", server.port))
    sock.sendall(GET % path)
    return sock


@pytest.mark.parametrize("kind", ["bytes", "file"])
def test_a_client_that_reads_slowly_gets_all_of_it(kind, tmp_path):
    content = os.urandom(LARGE * 8)
    file = tmp_path / "large"
    file.write_bytes(content)
    if kind == "file":
        app, path, options = f'files:app("{tmp_path}")', b"/large", []
    else:
        app, path, options = "faults:app", b"/big?bytes=%d" % (LARGE * 8), []
    with Server(app, "--workers", "1", *options) as server:
        sock = slow_client(server, path)
        quick = server.connect(timeout=30)
        quick.sendall(GET % b"/")
        read_response(quick)
        before = server.worker_pids()
        reload(server, 1)
        server.wait_for(workers_have_changed(server, before), timeout=30, what="the end of the old worker")
        response = read_response(sock)
        assert response.status == 200
        assert len(response.body) == LARGE * 8
        if kind == "file":
            assert response.body == content
        sock.sendall(GET % b"/")
        assert read_response(sock).status in (200, 404)
        sock.close()


def test_the_request_in_the_app_is_answered_and_its_connection_kept():
    with Server("faults:app", "--workers", "2", wait=2) as server:
        socks = [server.connect(timeout=30) for _ in range(2)]
        for sock in socks:
            sock.sendall(GET % b"/sleep?ms=700")
        before = server.worker_pids()
        reload(server, 1)
        for sock in socks:
            response = read_response(sock)
            assert response.status == 200
            assert "connection" not in response.headers
        server.wait_for(workers_have_changed(server, before), timeout=30, what="the end of the old workers")
        for sock in socks:
            sock.sendall(GET % b"/pid")
            assert int(read_response(sock).body) in server.worker_pids()


def test_access_lines_of_answers_on_their_way_are_written_once(tmp_path):
    log = tmp_path / "access.log"
    with Server("faults:app", "--workers", "1", "--access-logfile", log) as server:
        sock = slow_client(server, b"/big?bytes=%d" % (LARGE * 8))
        quick = server.connect(timeout=30)
        quick.sendall(GET % b"/pid")
        read_response(quick)
        before = server.worker_pids()
        reload(server, 2)
        server.wait_for(workers_have_changed(server, before), timeout=30, what="the end of the old worker")
        assert "/big" not in log.read_text()
        assert len(read_response(sock).body) == LARGE * 8
        server.wait_for(lambda: "/big" in log.read_text(), what="its line")
        sock.close()
        server.stop()
        lines = log.read_text().splitlines()
        assert sum("/big" in line for line in lines) == 1
        assert sum("/pid" in line for line in lines) == 1


# ---- Where there is no worker to give them to


def test_a_stop_of_the_service_closes_them():
    with Server("hello:app", "--workers", "2", wait=2) as server:
        socks = [server.connect(timeout=30) for _ in range(20)]
        for sock in socks:
            sock.sendall(request_bytes("/"))
            assert read_response(sock).status == 200
        server.signal(signal.SIGTERM)
        for sock in socks:
            assert read_end(sock) == b""
        assert server.wait_exit() == 0


def test_a_reload_that_is_overtaken_by_a_stop_answers_all():
    with Server("hello:app", "--workers", "2", wait=2) as server:
        socks = [server.connect(timeout=30) for _ in range(40)]
        for sock in socks:
            sock.sendall(request_bytes("/"))
            assert read_response(sock).status == 200
        server.signal(signal.SIGHUP)
        server.wait_log("Worker ready", count=3)
        server.signal(signal.SIGTERM)
        for sock in socks:
            assert read_end(sock) == b""
        assert server.wait_exit() == 0


def test_connections_go_to_workers_that_listen_elsewhere(tmp_path):
    """A reload has taken their listener away: they stay, and apps are told of the one that they came by."""
    first, second = free_port(), free_port()
    config = tmp_path / "cppcorn.toml"
    config.write_text(f'bind = ["127.0.0.1:{first}"]\n')
    with Server("environ:app", "--config", config, bind=None) as server:
        sock = server.connect(port=first)
        sock.sendall(GET % b"/")
        before = json.loads(read_response(sock).text)
        assert before["SERVER_PORT"] == str(first)
        config.write_text(f'bind = ["127.0.0.1:{second}"]\n')
        workers = server.worker_pids()
        reload(server, 1)
        server.wait_for(workers_have_changed(server, workers), timeout=30, what="the end of the old worker")
        sock.sendall(GET % b"/")
        assert json.loads(read_response(sock).text) == before | {"HTTP_X_REQUEST_ID": ANY}
        assert f'"SERVER_PORT": "{second}"' in server.get("/", port=second).text


def test_what_a_proxy_header_tells_goes_along():
    with Server("environ:app", "--proxy-protocol", "v1") as server:
        begun, answered = server.connect(), server.connect()
        begun.sendall(b"PROXY TCP4 192.0.2.7 19")
        answered.sendall(b"PROXY TCP4 192.0.2.8 192.0.2.1 1234 80\r\n" + GET % b"/")
        assert '"REMOTE_ADDR": "192.0.2.8"' in read_response(answered).text
        workers = server.worker_pids()
        reload(server, 1)
        server.wait_for(workers_have_changed(server, workers), timeout=30, what="the end of the old worker")
        begun.sendall(b"2.0.2.1 1234 80\r\n" + GET % b"/")
        assert '"REMOTE_ADDR": "192.0.2.7"' in read_response(begun).text
        answered.sendall(GET % b"/")
        assert '"REMOTE_ADDR": "192.0.2.8"' in read_response(answered).text
