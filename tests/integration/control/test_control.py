"""`cppcorn ctl`: what each command does, what it says, and the code that it ends with."""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time

import pytest

from control_port import ControlServer
from harness import (
    APPS,
    BINARY,
    SANITIZED,
    Server,
    clean_environment,
    command_line,
    is_alive,
    only_with_other_users,
    processes,
    read_response,
    request_bytes,
    run,
    wait_until,
)
from status_port import ask_unix

USAGE, FAILED, NOT_NOW, NO_SLOT, NO_SOCKET, ABSENT, FORBIDDEN, NO_OUTCOME = 2, 10, 11, 12, 13, 14, 15, 16


def start_ctl(server, *words):
    """One that goes on while the test does something else."""
    return subprocess.Popen(
        [BINARY, "ctl", "--control-socket", server.socket, *map(str, words)],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# ---- The socket


def test_the_socket_is_for_its_user_alone_and_says_how_the_service_is():
    with ControlServer("hello:app", "--umask", "0") as server:
        server.wait_log(f"Control at: unix:{server.socket} ")
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o600
        server.wait_for(lambda: ask_unix(server.socket, "/ready").status == 200, what="/ready")
        assert ask_unix(server.socket, "/metrics").text.startswith("# HELP")


def test_without_the_setting_nothing_listens_and_nobody_answers(tmp_path):
    with Server("hello:app", cwd=tmp_path) as server:
        assert not [each for each in server.tree() if "cppcorn: status" in command_line(each.pid)]
        result = run("ctl", "status", cwd=tmp_path)
        assert result.code == NO_SOCKET
        assert result.stderr == (
            "cppcorn: no control socket is set in the environment or on the command line: --control-socket PATH\n"
        )
        assert os.listdir(tmp_path) == []


def test_the_status_port_takes_no_orders(tmp_path):
    from status_port import StatusServer

    with StatusServer("hello:app", "--control-socket", tmp_path / "control.sock") as server:
        server.wait_status("/ready", 200)
        for path in ["/stop", "/reload", "/drain", "/scale?workers=2"]:
            assert server.ask(path, method="POST").status == 405
            assert server.ask(path).status == 404
        assert server.ask("/orders/1").status == 404
        assert server.ask("/ready").status == 200


def test_the_client_finds_it_by_the_servers_settings(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "cppcorn.toml").write_text("control_socket = 'control.sock'\nchdir = 'run'\n")
    with Server("hello:app", cwd=tmp_path) as server:
        assert (tmp_path / "run/control.sock").exists()
        assert run("ctl", "status", cwd=tmp_path).code == 0
        assert run("ctl", "-c", tmp_path / "cppcorn.toml", "--chdir", tmp_path / "run", "status", cwd="/").code == 0
        variable = {"CPPCORN_CMD_ARGS": f"--control-socket {tmp_path}/run/control.sock"}
        assert run("ctl", "status", cwd="/", env=variable).code == 0
        line = run("ctl", f"--control-socket={tmp_path}/run/control.sock", "status", cwd="/")
        assert line.code == 0 and str(server.worker_pids()[0]) in line.stdout


def test_settings_that_cannot_be_read_are_told_of(tmp_path):
    (tmp_path / "cppcorn.toml").write_text("workers = 'many'\n")
    result = run("ctl", "status", cwd=tmp_path)
    assert result.code == 1
    assert result.stderr.startswith("cppcorn: cppcorn.toml: workers: ")


def test_nobody_listening_is_one_line(tmp_path):
    path = tmp_path / "control.sock"
    absent = run("ctl", "--control-socket", path, "status")
    assert (absent.code, absent.stderr) == (ABSENT, f"cppcorn: nobody listens at {path}: No such file or directory\n")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
    left = run("ctl", "--control-socket", path, "reload")
    assert (left.code, left.stderr) == (ABSENT, f"cppcorn: nobody listens at {path}: Connection refused\n")


@pytest.mark.parametrize("app", ["ctl", "top"])
def test_an_app_of_a_commands_name_needs_its_colon(app):
    result = run("--workers", "1", app)
    assert result.code == USAGE
    assert result.stderr == (
        f"cppcorn: {app} is a command, and comes first: cppcorn {app}; an app of that name is {app}:app\n"
    )


def test_an_app_may_be_called_ctl(tmp_path):
    shutil.copy(f"{APPS}/hello.so", tmp_path / "ctl.so")
    with Server("ctl:app", app_dir=tmp_path) as server:
        assert server.get("/").status == 200


@pytest.mark.parametrize(
    "words, line",
    [
        (("fly",), "unknown command 'fly'; there are status, reload, scale, "),
        (("status", "now"), "unknown command 'status'"),
        (("scale",), "usage: scale N"),
        (("scale", "0"), "scale: '0' is no number from 1 to 500"),
        (("scale", "-1"), "scale: '-1' is no number from 1 to 500"),
        (("scale", "2", "3"), "usage: scale N"),
        (("reload", "--fast"), "usage: reload [--wait-old]"),
        (("recycle", "one"), "recycle: 'one' is no number from 0 to 1023"),
        (("log-level", "loud"), "log-level: 'loud' is no level; there are debug, info, warning, error, critical"),
        (("stop", "now"), "usage: stop"),
    ],
)
def test_what_is_no_command_is_refused_without_a_server(words, line):
    result = run("ctl", "--control-socket", "/nonexistent", *words)
    assert result.code == USAGE
    assert result.stderr.startswith(f"cppcorn: {line}"), result.stderr
    assert result.stderr.count("\n") == 1


def test_help_names_the_commands():
    result = run("ctl", "--help")
    assert result.code == 0
    for command in ["status", "reload", "scale", "stop", "reopen", "recycle", "stack", "log-level", "drain"]:
        assert re.search(rf"^  {command} ", result.stdout, re.MULTILINE)
    assert run("ctl").code == USAGE


def with_other_users(test):
    for mark in only_with_other_users:
        test = mark(test)
    return test


def ctl_of_nobody(server):
    server.socket.parent.chmod(0o755)
    return subprocess.run(
        [BINARY, "ctl", "--control-socket", server.socket, "status"],
        user=65534, group=65534, extra_groups=[], env=clean_environment(), capture_output=True, text=True, timeout=30,
    )  # fmt: skip


@with_other_users
def test_others_may_not_connect():
    with ControlServer("hello:app") as server:
        result = ctl_of_nobody(server)
        assert result.returncode == FORBIDDEN
        assert result.stderr == f"cppcorn: no permission for {server.socket}: Permission denied\n"


@with_other_users
def test_others_may_not_even_where_the_file_lets_them():
    """With --user, the app's user is another one as well: the app must not steer root's master."""
    with ControlServer("hello:app", "--user", "65534", "--group", "65534") as server:
        assert server.socket.stat().st_uid == 0
        server.socket.chmod(0o666)
        result = ctl_of_nobody(server)
        assert result.returncode == FORBIDDEN
        assert result.stderr == f"cppcorn: no permission: {server.socket} is for root and the user of the master\n"
        assert server.ctl("status").code == 0


TAKE_DESCRIPTORS = """
import ctypes, os, sys
pidfd_getfd, pid = 438, int(sys.argv[1])
process, call = os.pidfd_open(pid), ctypes.CDLL(None).syscall
print(sum(call(pidfd_getfd, process, fd, 0) >= 0 for fd in range(256)), os.access(f"/proc/{pid}/fd", os.R_OK))
"""


def taken_by_nobody(pid):
    return subprocess.run(
        ["/usr/bin/python3", "-c", TAKE_DESCRIPTORS, str(pid)],
        user=65534, group=65534, extra_groups=[], check=True, capture_output=True, text=True, timeout=30,
    ).stdout.split()  # fmt: skip


@with_other_users
def test_the_app_cannot_take_the_status_processs_way_to_the_master():
    """They have the same user; the app must not steer root's master by what the other one has open either."""
    with ControlServer("hello:app", "--user", "65534", "--group", "65534", "--status-bind", "127.0.0.1:0") as server:
        [status], [worker] = server.status_pids(), server.worker_pids()
        assert taken_by_nobody(status) == ["0", "False"]
        assert taken_by_nobody(worker)[1] == "True"  # as a debugger needs it
        assert str(worker) in server.ordered("status")
        assert server.ordered("reopen").startswith("The log files are open anew")


# ---- Status


def test_status_shows_the_workers_and_what_they_do():
    with ControlServer("faults:app", "--workers", "2", wait=2) as server:
        sock = server.send("/sleep?ms=3000&x=\x1b[31m".replace("\x1b", "%1b"))
        wanted = r"^ +\d+ +(\d+)  serving +\d.* GET /sleep\?ms=3000\S* HTTP/1\.1 from 127\.0\.0\.1, for \d\.\d s$"
        server.wait_for(lambda: re.search(wanted, server.ordered("status"), re.MULTILINE))
        text = server.ordered("status")
        assert re.match(r"faults:app: serving; ready: yes \(ok: 2 of 2 workers serve\)\n", text)
        assert {int(each) for each in re.findall(r"^ +\d+ +(\d+)  ", text, re.MULTILINE)} == set(server.worker_pids())
        assert read_response(sock).status == 200


# ---- Reload


def test_reload_waits_for_the_new_workers_and_says_what_has_changed(tmp_path):
    settings = tmp_path / "cppcorn.toml"
    settings.write_text("workers = 2\nenv = ['TOKEN=first']\n")
    with ControlServer("hello:app", "--config", settings, wait=2) as server:
        old = server.worker_pids()
        settings.write_text("workers = 3\nenv = ['TOKEN=second']\n")
        text = server.ordered("reload")
        assert re.match(r"Reloaded: 3 new workers serve after \d+\.\d\d s\napp: hello:app, the same build \(\w+\)\n", text)
        assert "\nworkers: 3; it was 2\n" in text
        assert "second" not in text  # what --env gives is nobody's business
        new = server.worker_pids()
        assert len(set(new) - set(old)) == 3
        assert server.count_log(r"Handling order \d+: reload") == 1
        again = server.ordered("reload")
        assert again.endswith("\nsettings: the same\n")


def test_reload_names_the_new_build(tmp_path):
    app = tmp_path / "myapp.so"
    shutil.copy(f"{APPS}/hello.so", app)
    with ControlServer("myapp:app", app_dir=tmp_path) as server:
        shutil.copy(f"{APPS}/faults.so", tmp_path / "new.so")
        os.replace(tmp_path / "new.so", app)
        text = server.ordered("reload")
        assert re.search(r"^app: myapp:app, build \w+; it was \w+$", text, re.MULTILINE), text


def test_reload_may_wait_for_the_end_of_the_old_workers():
    with ControlServer("faults:app") as server:
        [old] = server.worker_pids()
        sock = server.send("/sleep?ms=6000")
        server.wait_for(lambda: "GET /sleep" in server.ordered("status"))
        assert "new worker serves" in server.ordered("reload")
        assert is_alive(old)
        assert read_response(sock).status == 200
        wait_until(lambda: not is_alive(old))

        [old] = server.worker_pids()
        sock = server.send("/sleep?ms=3000")
        server.wait_for(lambda: "GET /sleep" in server.ordered("status"))
        assert server.ordered("reload", "--wait-old").endswith("\nThe old workers have gone\n")
        assert not is_alive(old)
        assert read_response(sock).status == 200


def test_a_reload_that_is_refused_says_why(tmp_path):
    settings = tmp_path / "cppcorn.toml"
    settings.write_text("")
    with ControlServer("hello:app", "--config", settings) as server:
        old = server.worker_pids()
        settings.write_text("workers = 0\n")
        code, line = server.refused("reload")
        assert code == FAILED
        assert re.fullmatch(r"Reload failed: \S+cppcorn\.toml: workers: .*; the old workers serve on", line)
        assert server.worker_pids() == old
        settings.write_text("")
        server.ordered("reload")


def test_a_reload_of_a_broken_app_says_why(tmp_path):
    app = tmp_path / "myapp.so"
    shutil.copy(f"{APPS}/hello.so", app)
    with ControlServer("myapp:app", app_dir=tmp_path) as server:
        old = server.worker_pids()
        (tmp_path / "new.so").write_text("no library")
        os.replace(tmp_path / "new.so", app)
        code, line = server.refused("reload")
        assert code == FAILED
        assert line.startswith("Reload failed: ") and "myapp.so" in line and line.endswith("; the old workers serve on")
        assert server.worker_pids() == old


def test_a_reload_that_is_rolled_back_says_so(tmp_path):
    mood = tmp_path / "mood"
    mood.write_text("serves")
    with ControlServer("moody:app", env={"MOOD": str(mood)}) as server:
        old = server.worker_pids()
        mood.write_text("fails")
        assert server.refused("reload") == (
            FAILED,
            "Reload failed: the new workers cannot start; the error log says why; the old workers serve on",
        )
        server.wait_log(r"Order \d+ failed: reload: Reload failed: the new workers cannot start;")
        server.wait_for(lambda: server.worker_pids() == old, what="the end of the new ones that are left")


def test_a_second_reload_while_one_runs_is_refused(tmp_path):
    settings = tmp_path / "cppcorn.toml"
    settings.write_text("")
    with ControlServer("hello:app", "--config", settings, "--bind-retry", "30") as server:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            settings.write_text(f"status_bind = '127.0.0.1:{port}'\n")
            first = start_ctl(server, "reload")
            server.wait_log("Address already in use")
            assert server.refused("reload") == (NOT_NOW, "Not now: a reload is under way")
            server.wait_log(r"Order \d+ failed: reload: Not now: a reload is under way")
        out, err = first.communicate(timeout=30)
        assert (first.returncode, err) == (0, "")
        assert f"status_bind: 127.0.0.1:{port}; it was none" in out


def test_reload_may_move_the_socket(tmp_path):
    settings = tmp_path / "cppcorn.toml"
    first, second = tmp_path / "first.sock", tmp_path / "second.sock"
    settings.write_text(f"control_socket = '{first}'\n")
    with Server("hello:app", "--config", settings) as server:
        settings.write_text(f"control_socket = '{second}'\n")
        # The settings say the new place already, where nobody is yet.
        assert run("ctl", "-c", settings, "reload").code == ABSENT
        result = run("ctl", "-c", settings, "--control-socket", first, "reload")
        assert (result.code, result.stderr) == (0, "")
        assert f"control_socket: {second}; it was {first}\n" in result.stdout
        server.wait_log(f"Control at: unix:{second} ")
        assert run("ctl", "-c", settings, "status").code == 0
        server.wait_for(lambda: not first.exists())
        settings.write_text("")
        assert run("ctl", "--control-socket", second, "reload").code in (0, ABSENT)
        server.wait_log("Reload done", count=2)
        server.wait_for(lambda: not second.exists())
        server.wait_for(lambda: not [each for each in server.tree() if "cppcorn: status" in command_line(each.pid)])


# ---- Workers


def test_scale_lasts_until_the_next_reload():
    with ControlServer("hello:app") as server:
        assert server.ordered("scale", "3") == "3 workers are wanted, until the next reload; 1 before\n"
        server.wait_workers(3)
        assert server.ordered("scale", "2") == "2 workers are wanted, until the next reload; 3 before\n"
        server.wait_workers(2)
        given = re.findall(rf"Order (\d+) from pid:\d+ uid:{os.getuid()}: scale (\d) ", server.log_text())
        assert given == [("1", "3"), ("2", "2")]
        assert re.findall(r"Handling order (\d+): scale (\d); now \d workers$", server.log_text(), re.MULTILINE) == given
        server.ordered("reload", "--wait-old")
        server.wait_workers(1)


def test_scale_brings_back_workers_that_have_retired():
    with ControlServer("hello:app") as server:
        server.signal(signal.SIGWINCH)
        server.wait_for(lambda: not server.worker_pids())
        assert server.ordered("scale", "2") == "2 workers are wanted, until the next reload; 0 before\n"
        server.wait_workers(2)
        assert server.get("/").status == 200


def test_recycle_replaces_one_worker_and_cuts_nothing():
    with ControlServer("faults:app", "--workers", "2", wait=2) as server:
        socks = server.connection_to_each(2)
        table = dict(
            (int(slot), int(pid)) for slot, pid in re.findall(r"^ +(\d+) +(\d+)  ", server.ordered("status"), re.MULTILINE)
        )
        old = table[0]
        socks[old].sendall(request_bytes("/sleep?ms=3000"))
        server.wait_for(lambda: "GET /sleep" in server.ordered("status"))
        text = server.ordered("recycle", "0")
        assert text == f"Another worker serves in the place of pid:{old}, which retires\n"
        assert read_response(socks[old]).status == 200
        wait_until(lambda: not is_alive(old))
        assert table[1] in server.wait_workers(2)
        assert not server.complaints()


def test_a_slot_without_a_worker_is_told_of():
    with ControlServer("hello:app") as server:
        assert server.refused("recycle", "7") == (NO_SLOT, "No worker has slot 7")
        assert server.refused("stack", "1023") == (NO_SLOT, "No worker has slot 1023")


# ---- Stacks


@pytest.mark.skipif(SANITIZED, reason="frames have other names")
@pytest.mark.parametrize("path, place", [("/sleep?ms=4000", "  #0 was in: nanosleep"), ("/spin", "")])
def test_stack_shows_where_the_app_is_and_the_worker_goes_on(path, place):
    with ControlServer("faults:app", "--timeout", "5") as server:
        [worker] = server.worker_pids()
        sock = server.send(path)
        server.wait_for(lambda: f"GET {path}" in server.ordered("status"))
        text = server.ordered("stack", "0")
        assert re.match(
            rf"Worker in slot 0 \(pid:{worker}\): GET {re.escape(path)} HTTP/1\.1 from 127\.0\.0\.1, for \d\.\d s\n", text
        )
        assert re.search(r"^  #\d+ .*(Faults::operator|spin)\(", text, re.MULTILINE) and place in text, text
        assert "build id" in text
        assert server.count_log("Worker in slot") == 0  # it is for who has asked
        if path.startswith("/sleep"):
            assert read_response(sock).status == 200
            assert server.worker_pids() == [worker]


def test_a_stack_breaks_no_wait_of_the_apps_off():
    """nanosleep() would return early, with EINTR; the app would say so."""
    with ControlServer("waits:app") as server:
        sock = server.send("/nanosleep?ms=4000")
        server.wait_for(lambda: "GET /nanosleep" in server.ordered("status"))
        for _ in range(3):
            assert "wait_in_nanosleep(" in server.ordered("stack", "0")
        assert read_response(sock).text == "waited\n"


def test_the_stack_of_an_idle_worker_is_the_servers():
    with ControlServer("hello:app") as server:
        assert re.match(r"Worker in slot 0 \(pid:\d+\): it serves no request\n  #0 ", server.ordered("stack", "0"))


# ---- Logs


def test_the_logs_are_reopened(tmp_path):
    log = tmp_path / "error.log"
    with ControlServer("faults:app", "--log-file", log, log_file=log) as server:
        server.get("/")
        os.rename(log, tmp_path / "error.log.1")
        assert server.ordered("reopen").startswith("The log files are open anew")
        server.get("/throw")
        wait_until(lambda: "faults: thrown" in log.read_text())


def test_the_log_level_changes_at_once_in_all_processes():
    with ControlServer("faults:app", "--log-level", "warning", "--workers", "2", wait=False) as server:
        server.wait_for(lambda: server.ctl("status").code == 0)
        server.wait_workers(2)
        before = server.log_text()
        assert "[INFO]" not in before
        assert server.ordered("log-level", "info") == "The error log has level info, until the next reload\n"
        [pid, other] = server.wait_workers(2)
        os.kill(pid, signal.SIGTERM)
        server.wait_log(rf"\[{pid}\] \[INFO\] Worker exiting")
        # One that is started later has it, too; also when the logs are reopened.
        server.ordered("reopen")
        os.kill(other, signal.SIGTERM)
        server.wait_log(rf"\[{other}\] \[INFO\] Worker exiting")
        server.wait_log(r"\[INFO\] Booting worker", count=2)
        server.ordered("reload", "--wait-old")
        count = server.count_log(r"\[INFO\]")
        for pid in server.wait_workers(2):
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not is_alive(pid))
        server.wait_workers(2)
        assert server.count_log(r"\[INFO\]") == count


# ---- The end


def test_drain_sends_clients_away_and_serves_on():
    with ControlServer("hello:app", "--workers", "2", wait=2) as server:
        kept = server.connect()
        kept.sendall(request_bytes("/"))
        assert read_response(kept).headers.get("connection") != "close"
        assert server.ordered("drain").startswith("Draining: /ready answers 503")
        ready = ask_unix(server.socket, "/ready")
        assert (ready.status, ready.text) == (503, "draining\n")
        assert ask_unix(server.socket, "/live").status == 200
        for _ in range(4):
            kept.sendall(request_bytes("/"))
            answer = read_response(kept)
            assert answer.status == 200 and answer.headers["connection"] == "close"
            assert kept.recv(1) == b""
            kept = server.connect()
        # A worker that takes another's place does the same.
        [pid, _] = server.worker_pids()
        os.kill(pid, signal.SIGKILL)
        server.wait_workers(2)
        for _ in range(4):
            assert server.get("/").headers["connection"] == "close"
        server.ordered("reload", "--wait-old")
        assert ask_unix(server.socket, "/ready").status == 200
        kept.sendall(request_bytes("/"))
        assert "connection" not in read_response(kept).headers


def test_stop_waits_for_the_end():
    with ControlServer("faults:app") as server:
        sock = server.send("/sleep?ms=2000")
        server.wait_for(lambda: "GET /sleep" in server.ordered("status"))
        assert server.ordered("stop") == "Stopping\nStopped\n"
        assert read_response(sock).status == 200
        assert server.wait_exit() == 0
        assert server.refused("status")[0] == ABSENT


ANSWERS = {
    "POST /stop": (202, '{"order": 7000000001}'),
    "GET /orders/7000000001": (200, '{"order": 7000000001, "state": "done", "code": 0, "text": "Stopping\\u001b]0;x"}'),
    "POST /drain": (400, "no \x1b[31morder\n"),
}


class FakeServer:
    """What answers at a socket as it is told to; who asks for more than that is told that it is not there."""

    def __init__(self, path):
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(30)
        self.path = path

    def answer(self, answers, goes_after=False):
        """One client's request."""
        connection, _ = self._listener.accept()
        with connection:
            target = " ".join(connection.recv(4096).decode().split(" ")[:2])
            status, body = answers.get(target, (404, "There is no such order\n"))
            length = len(body.encode())
            if goes_after:
                self._listener.close()
                self.path.unlink()
            connection.sendall(f"HTTP/1.1 {status} x\r\nContent-Length: {length}\r\n\r\n{body}".encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()


def test_stop_ends_where_another_master_answers(tmp_path):
    """The next one of an upgrade, or one that was started at once: the socket is there all the time."""
    with FakeServer(tmp_path / "s") as fake, subprocess.Popen(
        [BINARY, "ctl", "--control-socket", fake.path, "stop"], env=clean_environment(), stdout=subprocess.PIPE, text=True
    ) as ctl:
        try:
            for answers in [ANSWERS, ANSWERS, ANSWERS, {"GET /live": (200, "ok\n")}]:
                fake.answer(answers)
            wait_until(lambda: ctl.poll() is not None, what="the end of ctl")
        finally:
            ctl.kill()
        assert ctl.stdout.read() == "Stopping\\x1b]0;x\nStopped; another master answers here now\n"
        assert ctl.returncode == 0


def test_stop_has_been_done_where_the_service_is_gone_before_it_is_asked_for(tmp_path):
    with FakeServer(tmp_path / "s") as fake, subprocess.Popen(
        [BINARY, "ctl", "--control-socket", fake.path, "stop"], env=clean_environment(), stdout=subprocess.PIPE, text=True
    ) as ctl:
        try:
            fake.answer(ANSWERS, goes_after=True)
            assert ctl.stdout.read() == "Stopping\nStopped\n"
        finally:
            ctl.kill()
        assert ctl.wait() == 0


def test_what_is_told_does_not_steer_the_terminal(tmp_path):
    with FakeServer(tmp_path / "s") as fake, subprocess.Popen(
        [BINARY, "ctl", "--control-socket", fake.path, "drain"], env=clean_environment(), stderr=subprocess.PIPE, text=True
    ) as ctl:
        try:
            fake.answer(ANSWERS)
            assert ctl.stderr.read() == "cppcorn: no \\x1b[31morder\n"
        finally:
            ctl.kill()


def test_orders_that_come_too_late_are_refused():
    with ControlServer("faults:app", "--shutdown-delay", "30") as server:
        stopping = start_ctl(server, "stop")
        server.wait_log(r"Handling order 1: stop; serving on for 30 s \(--shutdown-delay\)")
        assert server.refused("reload") == (NOT_NOW, "Not now: the server is about to stop")
        assert server.refused("scale", "2") == (NOT_NOW, "Not now: the server is about to stop")
        assert server.refused("recycle", "0") == (NOT_NOW, "Not now: the server is stopping")
        server.signal(signal.SIGINT)
        assert server.wait_exit() == 0
        out, err = stopping.communicate(timeout=30)
        assert (stopping.returncode, out, err) == (0, "Stopping in 30 s (--shutdown-delay)\nStopped\n", "")


def test_a_status_process_that_dies_is_waited_for():
    with ControlServer("hello:app") as server:
        [pid] = server.status_pids()
        os.kill(pid, signal.SIGSTOP)
        waiting = start_ctl(server, "scale", "2")
        os.kill(pid, signal.SIGKILL)
        out, err = waiting.communicate(timeout=30)
        # What it had taken in is lost with it; what it had not, the next one takes.
        assert waiting.returncode in (0, NO_OUTCOME), err
        server.wait_for(lambda: server.ctl("scale", "2").code == 0)


def test_an_upgrade_keeps_the_socket():
    with ControlServer("hello:app") as server:
        inode = server.socket.stat().st_ino
        server.signal(signal.SIGUSR2)
        new = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])

        def new_one_answers():
            return [each for each in processes() if each.parent == new and "cppcorn: status" in command_line(each.pid)]

        server.wait_for(lambda: new_one_answers() and not server.status_pids())
        assert server.socket.stat().st_ino == inode
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o600
        assert server.ordered("scale", "2").startswith("2 workers are wanted")
        server.wait_log(rf"\[{new}\] \[INFO\] Handling order 1: scale 2")
        try:
            server.signal(signal.SIGTERM)
            server.wait_exit()
            assert server.ordered("reload").startswith("Reloaded: ")
            assert server.ordered("stop") == "Stopping\nStopped\n"
            wait_until(lambda: not is_alive(new))
        finally:
            if is_alive(new):
                os.kill(new, signal.SIGKILL)


# ---- Figures


@pytest.mark.skipif(SANITIZED, reason="measures")
def test_a_reload_is_told_of_as_soon_as_it_is_done():
    """Beside the time that the log says it took, there is next to none."""
    with ControlServer("hello:app", "--workers", "4", wait=4) as server:
        over = []
        for count in range(1, 11):
            began = time.monotonic()
            server.ordered("reload")
            took = time.monotonic() - began
            logged = float(server.wait_log(r"Reload done: .* after (\d+\.\d+) s", count=count)[-1][1])
            over.append(took - logged)
        assert min(over) < 0.2 * server.within(1), over
