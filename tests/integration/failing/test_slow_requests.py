"""--slow-request tells of a request while it runs, and where the app is, without disturbing it."""

import re
import signal

import pytest

from harness import SANITIZED, Server, read_response, request_bytes

# What waits.cpp waits in.
CALLS = (
    *("nanosleep", "clock_nanosleep", "poll", "select", "epoll_wait"),
    *("recv", "semtimedop", "sem_timedwait", "sigtimedwait"),
)
SLOW = r"Slow request \(pid:(\d+)\): GET (/\S+) HTTP/1\.1 from 127\.0\.0\.1, for (\d+\.\d) s.* request_id=[0-9a-f]{32}$"


def record(server, path):
    """The warning about it, with the lines that belong to it."""
    server.wait_log(SLOW.replace(r"/\S+", re.escape(path)))
    log = server.log_text()
    begin = log.index(f"GET {path} HTTP/1.1 from")
    return re.split(r"^\[2", log[begin:], maxsplit=1, flags=re.MULTILINE)[0]


def test_a_request_that_waits_is_told_of_with_its_stack_and_goes_on():
    with Server("faults:app", "--slow-request", "0.3") as server:
        sock = server.send("/sleep?ms=1500")
        text = record(server, "/sleep?ms=1500")
        assert "Faults::" in text and "no stack" not in text, text
        assert server.count_log("Slow request") == 1
        assert read_response(sock).text == "slept 1500 ms\n"
        assert server.count_log("Slow request") == 1
        assert server.get("/").status == 200


def test_no_wait_is_broken_off_by_it():
    with Server("waits:app", "--slow-request", "0.3", "--workers", len(CALLS), wait=len(CALLS)) as server:
        socks = {call: server.send(f"/{call}?ms=2000") for call in CALLS}
        texts = {call: record(server, f"/{call}?ms=2000") for call in CALLS}
        assert {call: read_response(sock).text for call, sock in socks.items()} == dict.fromkeys(CALLS, "waited\n")
        for call, text in texts.items() if not SANITIZED else ():  # whose frames cannot be walked so far
            assert f"wait_in_{call.removesuffix('_wait')}(" in text, text


def test_one_that_runs_is_told_of_and_goes_on():
    with Server("faults:app", "--slow-request", "0.3", "--timeout", "2") as server:
        sock = server.send("/spin")
        text = record(server, "/spin")
        assert "spin" in text and "no stack" not in text, text
        assert read_response(sock).status == 504
        server.wait_log("WORKER TIMEOUT")


def test_quick_requests_are_not_told_of():
    with Server("faults:app", "--slow-request", "0.5") as server:
        for _ in range(5):
            assert server.get("/sleep?ms=200").status == 200
        assert server.get("/sleep?ms=900").status == 200
        server.wait_log(SLOW)
        assert server.count_log("Slow request") == 1


@pytest.mark.parametrize("options", [[], ["--slow-request", "0"]])
def test_without_it_none_is(options):
    with Server("faults:app", *options) as server, Server("faults:app", "--slow-request", "0.2") as sibling:
        first, second = server.send("/sleep?ms=700"), sibling.send("/sleep?ms=700")
        assert [read_response(sock).status for sock in (first, second)] == [200, 200]
        sibling.wait_log(SLOW)
        assert server.count_log("Slow request") == 0


def test_without_libdw_the_stack_is_a_guess(tmp_path):
    (tmp_path / "libdw.so.1").write_bytes(b"")
    env = {"LD_LIBRARY_PATH": str(tmp_path)}
    with Server("faults:app", "--slow-request", "0.3", env=env) as server:
        sock = server.send("/sleep?ms=1500")
        text = record(server, "/sleep?ms=1500")
        assert "Faults::" in text and "#1 on is a guess" in text, text
        assert read_response(sock).status == 200


def test_of_a_crowd_each_is_told_of_by_its_own_name():
    """More at once than stacks are looked up of: the rest come without, and still say which request they are."""
    count = 24
    with Server("faults:app", "--slow-request", "0.5", "--workers", count, "--no-understudy", wait=count) as server:
        ids = {f"/sleep?ms=3000&n={n}": f"the-request-of-number-{n:02}" for n in range(count)}
        socks = []
        for path, name in ids.items():
            socks.append(server.connect())
            socks[-1].sendall(request_bytes(path, {"X-Request-Id": name}))
        assert [read_response(sock).status for sock in socks] == [200] * count
        server.wait_for(lambda: server.count_log("Slow request") == count, timeout=30)
        lines = [line for line in server.log_text().splitlines() if "Slow request" in line]
        assert any("; no stack: others come first" in line for line in lines)
        for line in lines:
            path, name = re.search(r": GET (\S+) HTTP/1\.1 from 127\.0\.0\.1, .* request_id=(.*)$", line).groups()
            assert ids[path] == name, line


def test_a_shorter_limit_is_kept_from_the_reload_on(tmp_path):
    settings = tmp_path / "cppcorn.toml"
    settings.write_text("slow_request = 600")
    with Server("faults:app", "--config", settings) as server:
        assert server.get("/").status == 200
        settings.write_text("slow_request = 0.3")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done")
        sock = server.send("/sleep?ms=1500")
        assert read_response(sock).status == 200
        server.wait_log(SLOW)
