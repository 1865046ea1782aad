"""What is written where: the formats that people grep for, once each, and no byte that a client could do harm with."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from harness import ROOT, Disconnected, Server, read_response, request_bytes, wait_until

LINE = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[(DEBUG|INFO|WARNING|ERROR|CRITICAL)\] \S.*")
# gunicorn's default: %(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"
ACCESS_LINE = re.compile(
    r'(?P<h>\S+) - (?P<u>\S+) \[(?P<t>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]'
    r' "(?P<r>[^"]*)" (?P<s>\d+) (?P<b>\d+|-) "(?P<f>(?:[^"\\]|\\.)*)" "(?P<a>(?:[^"\\]|\\.)*)"'
)


def wait_lines(path, count=1):
    """The lines of a log once it has so many."""

    def lines():
        text = path.read_bytes().decode() if path.exists() else ""
        return text.splitlines() if text.count("\n") >= count else None

    return wait_until(lines, what=f"{count} lines in {path.name}")


# ---- The error log


def test_each_line_has_date_pid_and_level(tmp_path):
    with Server("faults:app", "--workers", "2", wait=2) as server:
        server.get("/throw")
        server.stop()
        lines = server.log_text().splitlines()
        assert len(lines) > 8
        for line in lines:
            assert LINE.fullmatch(line), line


def test_a_line_for_a_request_names_it():
    with Server("middleware:app") as server:
        server.get("/x?y=1")
        server.wait_log(r"\[INFO\] took \d+ microseconds \(GET /x\?y=1\) request_id=[0-9a-f]{32}$")
        server.get("/" + "z" * 5000)
        (line,) = server.wait_log(r"^.*took \d+ microseconds \(GET /z.*$")
        assert len(line[0]) < 400


def test_the_error_log_in_a_file(tmp_path):
    path = tmp_path / "error.log"
    with Server("faults:app", "--log-file", path, log_file=path) as server:
        server.get("/throw")
        server.wait_log("thrown")
        server.stop()
        assert server._err.text() == ""
    for line in path.read_text().splitlines():
        assert LINE.fullmatch(line), line


def test_the_error_log_is_appended_to(tmp_path):
    path = tmp_path / "error.log"
    path.write_text("what was there\n")
    with Server("hello:app", "--error-logfile", path, log_file=path):
        pass
    assert path.read_text().startswith("what was there\n[")


@pytest.mark.parametrize(
    "level, levels", [("warning", {"WARNING", "ERROR"}), ("error", {"ERROR"}), ("critical", set())]
)
def test_the_level_is_a_threshold(level, levels, tmp_path):
    access = tmp_path / "access.log"
    args = ("--log-level", level, "--pid", tmp_path / "pid", "--access-logfile", access)
    with Server("faults:app", *args, bind=f"unix:{tmp_path}/x.sock") as server:
        for data in (b"bad request\r\n\r\n", request_bytes("/throw", {"Connection": "close"})):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(10)
                sock.connect(f"{tmp_path}/x.sock")
                sock.sendall(data)
                assert read_response(sock).status in (400, 500)
        wait_lines(access, 2)
        server.stop()
        assert {LINE.fullmatch(line)[1] for line in server.log_text().splitlines()} == levels


CHATTY = r"""
#include <unistd.h>
#include <cppcorn/app.hpp>
static cppcorn::Response app(cppcorn::Request&) {
    (void)!::write(1, "chatty on stdout\n", 17);
    (void)!::write(2, "chatty on stderr\n", 17);
    return {200, {}, "said\n"};
}
CPPCORN_APP(app)
"""


def build_chatty(target):
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    source = target.with_suffix(".cpp")
    source.write_text(CHATTY)
    include = ROOT / "include"
    flags = ["-std=c++20", "-O0", "-shared", "-fPIC", "-fvisibility=hidden", f"-I{include}"]
    subprocess.run([compiler, *flags, source, "-o", target], check=True)


def test_what_the_app_prints_goes_where_it_is_sent(tmp_path):
    path = tmp_path / "error.log"
    app = tmp_path / "chatty.so"
    build_chatty(app)
    with Server(str(app), "--log-file", path, "--capture-output", log_file=path) as server:
        server.get("/")
        server.wait_log("^chatty on stdout$")
        server.wait_log("^chatty on stderr$")
        server.stop()
        assert "chatty" not in server.stdout_text()
    with Server(str(app)) as server:
        server.get("/")
        server.wait_for(lambda: "chatty on stdout" in server.stdout_text(), what="the line on stdout")
        server.wait_log("^chatty on stderr$")


# ---- The access log


def test_no_access_log_unless_it_is_asked_for():
    with Server("hello:app") as server:
        server.get("/")
        server.stop()
        assert server.stdout_bytes() == b""
        assert "GET /" not in server.log_text()


def test_the_default_format(tmp_path):
    path = tmp_path / "access.log"
    with Server("faults:app", "--access-logfile", path) as server:
        server.get("/big?bytes=1234", headers={"User-Agent": "me/1.0", "Referer": "http://there/"})
        match = ACCESS_LINE.fullmatch(wait_lines(path)[0])
        assert match, path.read_text()
        assert match["h"] == "127.0.0.1"
        assert match["r"] == "GET /big?bytes=1234 HTTP/1.1"
        assert (match["s"], match["b"]) == ("200", "1234")
        assert (match["f"], match["a"]) == ("http://there/", "me/1.0")


def test_a_dash_means_stdout():
    with Server("hello:app", "--access-logfile", "-") as server:
        server.get("/seen")
        server.wait_for(lambda: "\n" in server.stdout_text(), what="a line on stdout")
        assert ACCESS_LINE.fullmatch(server.stdout_text().rstrip("\n"))["r"] == "GET /seen HTTP/1.1"
        assert "/seen" not in server.log_text()


def test_one_line_for_each_request_whatever_the_number_of_workers(tmp_path):
    path = tmp_path / "access.log"
    with Server("hello:app", "--workers", "4", "--access-logfile", path, wait=4) as server:
        for i in range(40):
            server.get(f"/{i}")
        sock = server.connect()
        sock.sendall(b"".join(request_bytes(f"/pipelined/{i}") for i in range(10)))
        for _ in range(10):
            read_response(sock)
        wait_lines(path, 50)
        server.stop()
    requests = sorted(ACCESS_LINE.fullmatch(line)["r"].split()[1] for line in path.read_text().splitlines())
    assert requests == sorted([f"/{i}" for i in range(40)] + [f"/pipelined/{i}" for i in range(10)])


def test_lines_are_written_at_once_not_at_the_end(tmp_path):
    path = tmp_path / "access.log"
    with Server("hello:app", "--access-logfile", path) as server:
        for i in range(3):
            server.get("/")
            assert len(wait_lines(path, i + 1)) == i + 1


def test_refused_requests_are_logged_too(tmp_path):
    path = tmp_path / "access.log"
    with Server("hello:app", "--access-logfile", path) as server:
        assert server.raw(b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        assert server.raw(b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 414 ")
        lines = wait_lines(path, 2)
        assert [ACCESS_LINE.fullmatch(line)["s"] for line in lines] == ["400", "414"]
        server.wait_log(r"\[WARNING\] Invalid request from ip=127\.0\.0\.1: ", count=2)


def test_failed_requests_are_logged_with_their_status(tmp_path):
    path = tmp_path / "access.log"
    with Server("faults:app", "--access-logfile", path) as server:
        assert server.get("/throw").status == 500
        assert server.get("/nothing").status == 404
        statuses = [ACCESS_LINE.fullmatch(line)["s"] for line in wait_lines(path, 2)]
        assert statuses == ["500", "404"]


@pytest.mark.parametrize("path, status", [("/segv", 500), ("/abort", 500), ("/exit", 500), ("/spin", 504), ("/deaf", 504)])
def test_requests_that_ended_a_worker_are_logged_too(tmp_path, path, status):
    """With the status that its client was told."""
    args = ("--access-logfile", tmp_path / "access.log", "--access-logformat", "json", "--timeout", "0.5")
    with Server("faults:app", *args) as server:
        assert server.get(path).status == status
        server.wait_log(rf"Worker \(pid:\d+\) (was sent|exited).* while serving GET {path}")
        server.wait_ready()
        server.stop()
    assert only_entry(tmp_path / "access.log") == (f"GET {path} HTTP/1.1", status)


def test_requests_that_were_cut_off_are_logged_too(tmp_path):
    """Without a status, as its client was told none."""
    args = ("--access-logfile", tmp_path / "access.log", "--access-logformat", "json", "--no-understudy")
    with Server("faults:app", *args) as server:
        with pytest.raises((Disconnected, ConnectionResetError)):
            server.get("/segv")
        server.wait_log(r"Worker \(pid:\d+\) was sent SIGSEGV while serving GET /segv")
        server.wait_ready()
        server.stop()
    assert only_entry(tmp_path / "access.log") == ("GET /segv HTTP/1.1", 0)


def only_entry(path):
    (line,) = path.read_text().splitlines()
    entry = json.loads(line)
    return entry["request_line"], entry["status"]


def test_json(tmp_path):
    path = tmp_path / "access.log"
    with Server("faults:app", "--access-logfile", path, "--access-logformat", "json") as server:
        server.get("/big?bytes=10", headers={"User-Agent": 'quo"te\\slash'})
        server.raw(b"nonsense\r\n\r\n")
        first, second = map(json.loads, wait_lines(path, 2))
        assert first["method"] == "GET" and first["target"] == "/big?bytes=10" and first["status"] == 200
        assert first["bytes"] == 10 and first["user_agent"] == 'quo"te\\slash' and first["remote"] == "127.0.0.1"
        assert 0 <= first["duration_us"] < 10_000_000
        assert first["pid"] in server.worker_pids()
        assert second["status"] == 400 and second["method"] is None and "nonsense" in second["request_line"]


def test_logfmt(tmp_path):
    path = tmp_path / "access.log"
    with Server("faults:app", "--access-logfile", path, "--access-logformat", "logfmt") as server:
        server.get("/big?bytes=10", headers={"User-Agent": 'a "b" c'})
        line = wait_lines(path)[0]
        assert "method=GET" in line and "status=200" in line and "bytes=10" in line
        assert 'target="/big?bytes=10"' in line
        assert r'user_agent="a \"b\" c"' in line


def test_a_format_of_ones_own(tmp_path):
    path = tmp_path / "access.log"
    form = "%(m)s|%(U)s|%(q)s|%(H)s|%(s)s|%(B)s|%({x-id}i)s|%({content-type}o)s|%(p)s"
    with Server("faults:app", "--access-logfile", path, "--access-logformat", form) as server:
        server.get("/big?bytes=3", headers={"X-Id": "seven"})
        pid = server.worker_pids()[0]
        assert wait_lines(path)[0] == f"GET|/big|bytes=3|HTTP/1.1|200|3|seven|text/plain|<{pid}>"


# ---- What a client sends

NASTY = b"\x1b[2J\x07\x00\x7f\xff\xfe\xc3\x28\x9b31m\xe2\x80\xa8"


@pytest.mark.parametrize("form", [None, "json", "logfmt", "%(r)s %(U)s %({user-agent}i)s"])
def test_no_control_byte_of_a_client_gets_into_a_log(tmp_path, form):
    path = tmp_path / "access.log"
    extra = ["--access-logformat", form] if form else []
    with Server("faults:app", "--access-logfile", path, "--log-level", "debug", *extra) as server:
        requests = [
            b"GET /%1b%5b2J%0a%00 HTTP/1.1\r\nHost: x\r\nUser-Agent: a\xff\xfe\x9bz\r\nReferer: \xe2\x80\xa8\r\n"
            b"Connection: close\r\n\r\n",
            b"GET /" + NASTY + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: " + NASTY + b"\r\nConnection: close\r\n\r\n",
            b"GET /\n[2026-01-01 00:00:00 +0000] [1] [INFO] forged HTTP/1.1\r\n\r\n",
            NASTY + b"\r\n\r\n",
        ]
        for request in requests:
            assert server.raw(request).startswith(b"HTTP/1.1 ")
        wait_until(lambda: path.exists() and path.read_bytes().count(b"\n") >= len(requests), what="all lines")
        server.stop()
        logs = path.read_bytes() + server._err.bytes()
        assert path.read_bytes().count(b"\n") == len(requests)
        bad = {byte for byte in logs.replace(b"\n", b"") if byte < 0x20 or byte == 0x7F}
        assert bad == set()
        text = logs.decode("utf-8")  # which fails on what is not UTF-8
        assert not re.search("[\x80-\x9f\u2028\u2029]", text)
        for line in server._err.text().splitlines():
            assert LINE.fullmatch(line), line
        assert not re.search(r"^\[2026-01-01 00:00:00", text, re.MULTILINE)


def test_the_line_of_a_crash_is_escaped():
    with Server("faults:app") as server:
        server.get("/")
        assert server.get('/segv?"\\').status == 500
        server.wait_log(r'was sent SIGSEGV while serving GET /segv\?\\"\\\\ HTTP')


def test_both_logs_in_one_file(tmp_path):
    path = tmp_path / "both.log"
    args = ("--log-file", path, "--access-logfile", path, "--workers", "2")
    with Server("hello:app", *args, log_file=path, wait=2) as server:
        for _ in range(20):
            server.get("/")
        server.wait_log('"GET / HTTP/1.1" 200', count=20)
        server.signal(signal.SIGHUP)
        server.wait_log("Worker exiting", count=2)
    for line in path.read_text().splitlines():
        assert LINE.fullmatch(line) or ACCESS_LINE.fullmatch(line), line


def test_usr1_while_the_first_app_is_tried_reopens_the_access_log(tmp_path):
    log = tmp_path / "access.log"
    with Server("boot_hang:app", "--access-logfile", log, wait=False) as server:
        server.wait_log("Using worker")
        os.rename(log, tmp_path / "access.log.1")
        server.signal(signal.SIGUSR1)
        server.wait_for(log.exists, what="the new access log")


def test_usr1_reopens_a_relative_access_log_where_its_release_began(tmp_path):
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
    settings = tmp_path / "settings.toml"
    settings.write_text(f'chdir = "{tmp_path}/before"\naccess_logfile = "access.log"\n')
    with Server("hello:app", "-c", settings) as server:
        (old,) = server.wait_workers(1)
        settings.write_text(f'chdir = "{tmp_path}/after"\naccess_logfile = "access.log"\n')
        server.signal(signal.SIGHUP)
        server.wait_for((tmp_path / "after/access.log").exists, what="the new release's log")
        server.wait_for(lambda: not os.path.exists(f"/proc/{old}"), what="the end of the old worker")
        os.remove(tmp_path / "before/access.log")
        server.rotate(tmp_path / "after/access.log")
        server.get("/")
        assert len(wait_lines(tmp_path / "after/access.log")) == 1
        assert not (tmp_path / "before/access.log").exists()
