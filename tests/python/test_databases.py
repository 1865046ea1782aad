"""An app with SQLAlchemy on a real PostgreSQL, under load while its workers are replaced and killed."""

import json
import os
import signal
import socket
import subprocess
import threading
from collections import Counter
from pathlib import Path

import pytest
from harness import Disconnected, is_helper, open_files, read_response, request_bytes
from killing import POLLS, kill_one_in_app
from postgres import Postgres
from python_server import PYTHON, PythonServer
from reference import needs

pytestmark = [needs("flask"), needs("sqlalchemy"), needs("psycopg2")]
WORKERS = 2
POOL = 2


@pytest.fixture(scope="module")
def postgres():
    with Postgres() as running:
        yield running


@pytest.fixture
def ask(postgres):
    """Runs SQL by a connection that is not the app's."""
    asked = """
import json, sys, psycopg2
connection = psycopg2.connect(host="127.0.0.1", port=sys.argv[1], user="test", dbname="postgres", application_name="test")
connection.autocommit = True
cursor = connection.cursor()
cursor.execute(sys.argv[2])
print(json.dumps(cursor.fetchall() if cursor.description else []))
"""

    def run(sql):
        done = subprocess.run([PYTHON, "-c", asked, str(postgres.port), sql], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    run("DROP TABLE IF EXISTS orders")
    return run


class Orders:
    """Clients with a keep-alive connection each, which order one thing after another until the end of the block."""

    def __init__(self, server, clients=4):
        self.statuses = Counter()
        self.wrong = []
        self.cut = []
        self.closed = 0
        self.backends = {}  # of each worker
        self.tags = set()  # of orders that were answered
        self._server = server
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(i,)) for i in range(clients)]

    def _run(self, client):
        sock = None
        number = 0
        while not self._stop.is_set():
            number += 1
            tag = f"{client}-{number}"
            try:
                if sock is None:
                    sock = socket.create_connection(("127.0.0.1", self._server.port), timeout=20)
                sock.sendall(request_bytes(f"/order/{tag}"))
                response = read_response(sock)
            except (OSError, Disconnected) as error:
                self.cut.append(repr(error))
                return
            with self._lock:
                self._take(tag, response)
            if response.headers.get("connection") == "close":
                self.closed += 1
                sock.close()
                sock = None
        if sock is not None:
            sock.close()

    def _take(self, tag, response):
        self.statuses[response.status] += 1
        if response.status != 200:
            return
        answer = json.loads(response.body)
        if answer["tag"] != tag:
            self.wrong.append((tag, answer))
        self.tags.add(tag)
        self.backends.setdefault(answer["worker"], set()).add(answer["backend"])

    def __enter__(self):
        self._server.port
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_more(self, count=40):
        before = sum(self.statuses.values())
        self._server.wait_for(
            lambda: self.cut or sum(self.statuses.values()) >= before + count, self._server.within(10), f"{count} answers"
        )

    def assert_right(self):
        assert self.wrong == [] and self.cut == []
        shared = [backend for backend, n in Counter(b for each in self.backends.values() for b in each).items() if n > 1]
        assert shared == []
        assert all(len(each) <= POOL for each in self.backends.values())


def holders(port, pids):
    """Which of these processes have the client's end of the connection with that port."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == port:
            inodes.add(f"socket:[{fields[9]}]")
    return [pid for pid in pids if inodes & set(open_files(pid).values())]


def assert_none_shared(server, ask, orders):
    """Each connection that answers is held by one worker and nobody else."""
    answering = {backend for backends in orders.backends.values() for backend in backends}
    everybody = "SELECT pid, client_port FROM pg_stat_activity WHERE client_port > 0 AND application_name <> 'test'"
    connections = {backend: port for backend, port in ask(everybody) if backend in answering}
    pids = [each.pid for each in server.tree() if not is_helper(each.pid)]
    held = {backend: holders(port, pids) for backend, port in connections.items()}
    assert held and all(len(each) <= 1 for each in held.values()), held


def counted(ask):
    return {tag for (tag,) in ask("SELECT tag FROM orders")}, ask("SELECT count(*) FROM orders")[0][0]


def test_reloads_under_load_fail_no_request_and_share_no_connection(postgres, ask):
    with PythonServer("orders:app", "--workers", WORKERS, wait=WORKERS, env={"DATABASE_URL": postgres.url}) as server:
        with Orders(server) as orders:
            for count in (1, 2):
                orders.wait_more()
                server.signal(signal.SIGHUP)
                server.wait_log(f"Reload done: {WORKERS} new workers serve", server.within(10), count)
            orders.wait_more()
            server.wait_workers(WORKERS, server.within(10))
            assert_none_shared(server, ask, orders)
        orders.assert_right()
        assert set(orders.statuses) == {200} and orders.closed == 0
        assert len(orders.backends) > WORKERS
        tags, rows = counted(ask)
        assert tags == orders.tags and rows == len(orders.tags)
        gone = "SELECT count(*) FROM pg_stat_activity WHERE client_port > 0 AND application_name <> 'test'"
        server.wait_for(lambda: ask(gone)[0][0] <= WORKERS * POOL, what="the end of the old workers' connections")


# With --preload, the app has opened a connection before there are workers.
@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["each", "preload"])
def test_kills_under_load_cost_the_request_in_the_app_and_no_connection_is_shared(postgres, ask, options):
    args = ("--workers", WORKERS, *options)
    with PythonServer("orders:app", *args, wait=WORKERS, env={"DATABASE_URL": postgres.url}) as server:
        kills = 4
        with Orders(server) as orders:
            for _ in range(kills):
                kill_one_in_app(server, POLLS)
                orders.wait_more(20)
            server.wait_workers(WORKERS, server.within(10))
            orders.wait_more()
            assert_none_shared(server, ask, orders)
        orders.assert_right()
        assert set(orders.statuses) == {200, 500} and orders.statuses[500] == orders.closed == kills
        tags, rows = counted(ask)
        # What was committed and not answered any more is there as well: at most one order a kill.
        assert orders.tags <= tags and rows == len(tags) and len(tags - orders.tags) <= kills


def test_a_worker_killed_in_its_transaction_leaves_no_row(postgres, ask):
    with PythonServer("orders:app", env={"DATABASE_URL": postgres.url}) as server:
        with server.connect(timeout=30) as sock:
            sock.sendall(request_bytes("/wait?s=60"))
            sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
            server.wait_for(lambda: ask(sleeping)[0][0] == 1, what="the app's query")
            os.kill(server.worker_pids()[0], signal.SIGKILL)
            assert read_response(sock).status == 500
        server.wait_workers(1, server.within(10))
        assert json.loads(server.get("/order/next").body)["tag"] == "next"
        assert counted(ask) == ({"next"}, 1)
