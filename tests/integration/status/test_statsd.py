"""--statsd-host: what statsd is told, once a second and without waiting for anybody."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from harness import SANITIZED, SLOWNESS, Server, command_line, free_port, read_response, wait_until, with_file
from statsd_receiver import StatsdReceiver
from status_port import StatusServer


def statuses(server):
    """The pids of its status processes."""
    return [each.pid for each in server.tree() if command_line(each.pid).startswith("cppcorn: status [")]


def listeners(server):
    """How many sockets listen in all of its processes."""
    inodes = set()
    for each in server.tree():
        for name in os.listdir(f"/proc/{each.pid}/fd"):
            try:
                target = os.readlink(f"/proc/{each.pid}/fd/{name}")
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return len([row for row in rows if row[3] == "0A" and row[9] in inodes])


def test_what_the_service_does_is_told_by_gunicorn_s_names():
    with StatsdReceiver() as statsd, Server("faults:app", "--workers", "2", "--statsd-host", statsd.address, wait=2) as server:
        for path, times in (("/", 5), ("/throw", 2), ("/sleep?ms=300", 1)):
            for _ in range(times):
                server.get(path)
        assert server.raw(b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        server.wait_for(lambda: statsd.count("gunicorn.requests") == 9)
        assert statsd.counts["gunicorn.request.status.200"] == 6
        assert statsd.counts["gunicorn.request.status.500"] == 2
        assert statsd.counts["gunicorn.request.status.400"] == 1
        # A line may come a moment after its request is counted.
        for level in ("error", "warning"):
            lines = rf"\[{level.upper()}\]"
            server.wait_for(lambda: statsd.counts[f"gunicorn.log.{level}"] == server.count_log(lines) > 0)
        times = statsd.times["gunicorn.request.duration"]
        assert round(sum(weight for _, weight in times)) == 8  # what was refused never was in the app
        assert 300 <= sum(value * weight for value, weight in times) < 300 + 1000 * server.within(1)
        assert max(value for value, _ in times) >= 250
        assert statsd.gauges["gunicorn.workers"] == 2
        assert statsd.gauges["cppcorn.workers.busy"] == 0
        assert statsd.gauges["cppcorn.backlog"] == 0
        assert statsd.tags == {None}


def test_busy_workers_and_those_who_wait_are_told_of():
    with StatsdReceiver() as statsd, Server("faults:app", "--statsd-host", statsd.address) as server:
        busy = server.send("/sleep?ms=3000")
        waiting = [server.send("/sleep?ms=0") for _ in range(3)]
        server.wait_for(lambda: statsd.take().gauges.get("cppcorn.backlog") == 3)
        assert statsd.gauges["cppcorn.workers.busy"] == 1
        assert [read_response(sock).status for sock in (busy, *waiting)] == [200] * 4
        server.wait_for(lambda: statsd.take().gauges["cppcorn.workers.busy"] == 0)


def test_the_time_in_front_of_the_server_is_told():
    with StatsdReceiver() as statsd, Server("hello:app", "--statsd-host", statsd.address) as server:
        server.get("/", headers={"X-Request-Start": f"t={time.time() - 2:.6f}"})
        server.wait_for(lambda: statsd.take().times.get("cppcorn.request.queue"))
        [(value, weight)] = statsd.times["cppcorn.request.queue"]
        assert 2000 <= value < 2000 + 1000 * server.within(1)
        assert weight == 1


def test_names_have_a_prefix_and_values_have_tags():
    with StatsdReceiver() as statsd, Server(
        "hello:app", "--statsd-host", statsd.address, "--statsd-prefix", "shop.web", "--dogstatsd-tags", "env:prod,zone:b"
    ) as server:
        server.get("/")
        server.wait_for(lambda: statsd.count("shop.web.gunicorn.requests") == 1)
        assert statsd.tags == {"env:prod,zone:b"}
        assert all(name.startswith("shop.web.") for name in [*statsd.counts, *statsd.gauges, *statsd.times])


def test_it_alone_makes_nothing_listen():
    with StatsdReceiver() as statsd, Server("hello:app", "--statsd-host", statsd.address) as server:
        server.wait_for(lambda: statsd.take().gauges)
        assert len(statuses(server)) == 1
        assert listeners(server) == 1
        assert len(server.worker_pids()) == 1


def test_nothing_is_told_twice_or_never_through_reloads_deaths_and_the_end():
    with StatsdReceiver() as statsd:
        with Server("faults:app", "--workers", "2", "--statsd-host", statsd.address, wait=2) as server:
            requests = 0
            for times in range(1, 4):
                for _ in range(20):
                    server.get("/")
                    requests += 1
                before = server.wait_for(lambda: statuses(server))
                server.signal(signal.SIGHUP)
                server.wait_log("Reload done", count=times)
                server.wait_for(lambda: statuses(server) not in ([], before))
                os.kill(server.worker_pids()[0], signal.SIGKILL)
                server.get("/")
                requests += 1
            server.wait_for(lambda: statsd.count("gunicorn.requests") == requests)
            [status] = server.wait_for(lambda: statuses(server))
            os.kill(status, signal.SIGSTOP)  # what it misses, the next one tells
            for _ in range(10):
                server.get("/")
                requests += 1
            os.kill(status, signal.SIGKILL)
            server.wait_for(lambda: statsd.count("gunicorn.requests") == requests)
            server.get("/")
            requests += 1
        # And the end is not waited for.
        assert statsd.count("gunicorn.requests") == requests
        assert statsd.counts["gunicorn.request.status.200"] == requests


def test_a_request_that_was_lost_with_its_worker_is_a_500():
    with StatsdReceiver() as statsd, Server("faults:app", "--statsd-host", statsd.address) as server:
        busy = server.send("/sleep?ms=5000")
        server.wait_for(lambda: statsd.take().gauges.get("cppcorn.workers.busy") == 1)
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        assert read_response(busy).status == 500
        server.wait_for(lambda: statsd.count("gunicorn.request.status.500") == 1)


def test_a_reload_turns_it_on_and_off_and_what_was_before_is_not_told(tmp_path):
    settings = tmp_path / "cppcorn.toml"
    settings.write_text("")
    with StatsdReceiver() as statsd, Server("hello:app", "--config", settings) as server:
        for _ in range(5):
            server.get("/")
        assert not statuses(server)
        settings.write_text(f"statsd_host = '{statsd.address}'\nstatsd_prefix = 'a'")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done")
        server.wait_for(lambda: statsd.take().gauges)
        for _ in range(3):
            server.get("/")
        server.wait_for(lambda: statsd.count("a.gunicorn.requests") >= 3)
        settings.write_text(f"statsd_host = '{statsd.address}'\nstatsd_prefix = 'b'")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done", count=2)
        server.wait_for(lambda: statsd.take().gauges.get("b.gunicorn.workers"))
        server.get("/")
        server.wait_for(lambda: statsd.count("b.gunicorn.requests") == 1)
        assert statsd.counts["a.gunicorn.requests"] == 3
        settings.write_text("")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done", count=3)
        server.wait_for(lambda: not statuses(server))


def test_at_a_unix_socket_one_may_come_late_and_be_replaced(tmp_path):
    path = tmp_path / "statsd.sock"
    with Server("hello:app", "--statsd-host", f"unix://{path}") as server:
        server.wait_log(f"Cannot send to statsd at unix://{path}: No such file or directory")
        for times in (1, 2):
            with StatsdReceiver(path) as statsd:
                server.wait_for(lambda: statsd.take().gauges)
                server.get("/")
                server.wait_for(lambda: statsd.count("gunicorn.requests") >= 1)
            path.unlink()
        assert server.count_log("Cannot send to statsd") == 1


def test_one_that_does_not_listen_is_said_once_and_costs_nothing():
    port = free_port()
    with StatusServer("hello:app", "--statsd-host", f"127.0.0.1:{port}") as server:
        server.wait_log(f"Cannot send to statsd at 127.0.0.1:{port}: Connection refused")
        [status] = server.status_pids()
        began = time.monotonic()
        server.wait_for(lambda: time.monotonic() > began + 3, what="three seconds more")
        assert server.count_log("to statsd at") == 1
        assert server.status_pids() == [status]
        assert server.ask("/live").status == 200
        with StatsdReceiver(port=port) as statsd:
            server.get("/")
            server.wait_for(lambda: statsd.count("gunicorn.requests") == 1)


def test_one_that_does_not_read_holds_nobody_up(tmp_path):
    with StatsdReceiver(tmp_path / "statsd.sock") as statsd:
        filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        filler.setblocking(False)
        filler.connect(str(tmp_path / "statsd.sock"))
        with pytest.raises(BlockingIOError):
            while True:
                filler.send(b"x")
        with StatusServer("hello:app", "--statsd-host", statsd.address) as server:
            server.wait_log("Cannot send to statsd at .*: Resource temporarily unavailable")
            took = []
            for _ in range(20):
                began = time.monotonic()
                assert server.ask("/live").status == 200
                took.append(time.monotonic() - began)
            assert min(took) < 0.01 * server.within(1)
        filler.close()


def test_a_name_is_looked_up():
    name = socket.gethostname()
    try:
        its_own = socket.gethostbyname(name)
    except OSError:
        pytest.skip("this machine does not know its own name")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((its_own, 0))
        sock.settimeout(10 * SLOWNESS)
        with Server("hello:app", "--statsd-host", f"{name}:{sock.getsockname()[1]}"):
            while b"gunicorn.workers:1|g" not in sock.recv(65536):
                pass  # the first may be from before it was started


def test_a_name_that_nobody_knows_is_said():
    with StatusServer("hello:app", "--statsd-host", "statsd.invalid") as server:
        server.wait_log(r"Cannot send to statsd at statsd\.invalid: ", timeout=60)
        assert server.ask("/live").status == 200


def test_a_resolver_that_takes_its_time_holds_nobody_up(tmp_path):
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        silent.bind(("127.0.0.77", 53))
    except PermissionError:
        pytest.skip("only root may listen at port 53")
    silent.settimeout(20 * SLOWNESS)
    configuration = tmp_path / "resolv.conf"
    configuration.write_text("nameserver 127.0.0.77\noptions timeout:15 attempts:1\n")
    wrapper = with_file("/etc/resolv.conf", configuration)
    with silent, StatusServer("hello:app", "--statsd-host", "metrics.example", wrapper=wrapper) as server:
        assert b"metrics" in silent.recv(4096)
        for path in ("/live", "/ready", "/metrics"):
            assert server.ask(path).status == 200
        # The question is still open, and the service may end meanwhile.
        assert server.count_log("to statsd at") == 0


@pytest.mark.skipif(SANITIZED, reason="measures")
@pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="this kernel does not count CPU time so exactly")
def test_one_datagram_a_second_costs_next_to_nothing():
    def cpu_nanoseconds(pid):
        return int(open(f"/proc/{pid}/schedstat").read().split()[0])

    with StatsdReceiver() as statsd, Server("hello:app", "--workers", "4", "--statsd-host", statsd.address, wait=4) as server:
        server.wait_for(lambda: statsd.take().sizes)
        [status] = statuses(server)
        before, began = cpu_nanoseconds(status), time.monotonic()
        statsd.take().sizes.clear()
        while time.monotonic() < began + 3:
            server.get("/")
        sent = len(statsd.take().sizes)
        used = cpu_nanoseconds(status) - before
        took = time.monotonic() - began
        assert used < 0.005 * 1e9 * took
        assert 1 <= sent <= took + 1
        assert max(statsd.sizes) <= 1432
        rollup = open(f"/proc/{status}/smaps_rollup").read()
        private = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))
        assert private < 3 * 1024, rollup


@pytest.fixture(scope="module")
def real_statsd(tmp_path_factory):
    """Where Etsy's own server is, from npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node or npm is not installed (Debian: nodejs, npm)")
    place = tmp_path_factory.mktemp("statsd")
    command = [npm, "install", "--no-audit", "--no-fund", "--omit=optional", "--fetch-retries=0", "--fetch-timeout=10000", "statsd"]
    try:
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        pytest.skip("npm's registry is out of reach")
    if done.returncode != 0:
        pytest.skip(f"npm's registry is out of reach: {' '.join(done.stderr.split())[-200:]}")
    return node, place / "node_modules/statsd/stats.js"


def test_a_real_statsd_understands_it(real_statsd, tmp_path):
    node, program = real_statsd
    port, management = free_port(), free_port()
    config = tmp_path / "config.js"
    config.write_text(
        f"{{port: {port}, address: '127.0.0.1', mgmt_port: {management}, mgmt_address: '127.0.0.1', "
        "flushInterval: 600000, backends: ['./backends/console']}"
    )

    def ask(what):
        try:
            with socket.create_connection(("127.0.0.1", management), timeout=5) as sock:
                sock.sendall(what.encode() + b"\n")
                text = b""
                while not text.endswith(b"END\n\n"):
                    data = sock.recv(65536)
                    if not data:
                        return None
                    text += data
        except OSError:
            return None
        # As node shows an object: { 'gunicorn.requests': 33, … }; the lists of timers have their numbers.
        shown = re.findall(r"'?([\w.]+)'?: (\[[^\]]*\]|[0-9.]+)", text.decode())
        return {name: [float(number) for number in re.findall(r"[0-9.]+", value)] for name, value in shown}

    statsd = subprocess.Popen([node, program, config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: ask("counters") is not None, timeout=30, what="statsd")
        with Server("faults:app", "--workers", "2", "--statsd-host", f"127.0.0.1:{port}", wait=2) as server:
            for path, times in (("/", 30), ("/throw", 2), ("/sleep?ms=300", 1)):
                for _ in range(times):
                    server.get(path)
            server.wait_for(lambda: ask("counters").get("gunicorn.requests") == [33])
            counters = ask("counters")
            assert counters["gunicorn.request.status.200"] == [31]
            assert counters["gunicorn.request.status.500"] == [2]
            assert counters["statsd.bad_lines_seen"] == [0]
            assert counters["gunicorn.log.error"] == [server.count_log(r"\[ERROR\]")]
            assert ask("gauges")["gunicorn.workers"] == [2]
            assert max(ask("timers")["gunicorn.request.duration"]) >= 250
    finally:
        statsd.kill()
        statsd.wait()
