"""`cppcorn top`: the workers as a table in a terminal, with keys that steer: docs/operating.md."""

import os
import pty
import re
import shlex
import signal
import subprocess
from typing import NamedTuple

import pytest

from harness import BINARY, SANITIZED, Server, clean_environment, free_port, is_alive, run, wait_until
from terminal import Terminal, needs_tmux, without_leaks

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400}


class Row(NamedTuple):
    slot: int
    pid: int
    state: str
    busy: float  # seconds; None: it is not
    request: str


def seconds(text):
    if not text:
        return None
    value, unit = re.fullmatch(r"([\d.]+)(\w+)", text).groups()
    return float(value) * UNITS[unit]


def read_row(line):
    return Row(int(line[:5]), int(line[6:13]), line[14:22].strip(), seconds(line[23:29].strip()), line[30:54].strip())


class Top(Terminal):
    """For terminals that have the column of pids."""

    def __init__(self, *arguments, **options):
        super().__init__(BINARY, "top", *arguments, **options)

    def rows(self):
        return [read_row(line) for line in self.lines() if re.match(r" +\d+ +\d+ \w+ ", line)]

    def row(self, slot):
        return next((row for row in self.rows() if row.slot == slot), None)

    def slots(self):
        return [row.slot for row in self.rows()]

    def wait_row(self, slot, predicate):
        def found():
            row = self.row(slot)
            return row if row and predicate(row) else None

        return self.wait(found, what=f"the row of slot {slot}")


class Steered(Server):
    def __init__(self, directory, *args, workers=2, **options):
        self.socket = str(directory / "c")
        arguments = ("--workers", workers, "--timeout", 60, "--graceful-timeout", 1, "--control-socket", self.socket, *args)
        super().__init__("faults:app", *arguments, wait=workers, **options)

    def top(self, **options):
        return Top("--control-socket", self.socket, **options)


@needs_tmux
def test_rows_tell_what_workers_are_busy_with_and_for_how_long(tmp_path):
    with Steered(tmp_path, "--name", "shop", workers=3) as server, server.top() as top:
        top.wait_for(r"^shop  ready  cppcorn \d+\.\d+\.\d+, master " + str(server.pid))
        top.wait_for("3 of 3 workers serve, 0 busy; oldest request -$")
        assert top.slots() == [0, 1, 2]
        assert sorted(row.pid for row in top.rows()) == server.worker_pids()
        assert all(row.state == "serving" and row.busy is None and row.request == "idle" for row in top.rows())

        server.send("/sleep?ms=50000")
        busy = top.wait(lambda: next((row for row in top.rows() if row.busy), None), what="a busy row")
        assert busy.request.startswith("GET /sleep?ms=50000")
        later = top.wait_row(busy.slot, lambda row: row.busy > busy.busy)
        assert later.pid == busy.pid
        top.wait_for("1 busy; oldest request [1-9]")


@needs_tmux
def test_a_key_sorts_and_another_turns_the_order_round(tmp_path):
    with Steered(tmp_path, workers=4) as server, server.top() as top:
        top.wait(lambda: top.slots() == [0, 1, 2, 3], what="rows by slot")
        server.send("/sleep?ms=50000")
        first = top.wait(lambda: next((row for row in top.rows() if row.busy), None), what="a busy row").slot
        server.send("/sleep?ms=50000")
        top.wait_for("2 busy")
        others = [slot for slot in range(4) if slot != first]
        second = top.wait(lambda: [row.slot for row in top.rows() if row.busy and row.slot != first], what="another")[0]
        idle = [slot for slot in others if slot != second]
        top.type("B")
        top.wait(lambda: top.slots() == [first, second, *idle], what="rows by the age of their requests")
        top.wait_for(r"\*BUSY ")
        top.type("i")
        top.wait(lambda: top.slots() == [*reversed(idle), second, first], what="the reverse")
        top.type("S")
        top.wait(lambda: top.slots() == [0, 1, 2, 3], what="rows by slot again")


@needs_tmux
def test_a_key_recycles_the_chosen_worker_only(tmp_path):
    with Steered(tmp_path) as server, server.top() as top:
        top.wait(lambda: top.slots() == [0, 1], what="rows")
        before = {row.slot: row.pid for row in top.rows()}
        top.type("Down", "c")
        top.wait_for(rf"^Another worker serves in the place of pid:{before[1]}\b")
        pids = server.wait_workers(2)
        assert before[0] in pids and before[1] not in pids
        top.wait(lambda: sorted(row.pid for row in top.rows()) == pids, what="the new worker's row")
        assert all(row.state == "serving" for row in top.rows())
        # The one that is in its row now is chosen.
        top.type("c")
        chosen = next(pid for pid in pids if pid != before[0])
        top.wait_for(rf"^Another worker serves in the place of pid:{chosen}\b")


@needs_tmux
def test_a_key_shows_the_stack_of_the_chosen_worker_which_goes_on(tmp_path):
    with Steered(tmp_path) as server, server.top() as top:
        top.wait(lambda: top.slots() == [0, 1], what="rows")
        server.send("/sleep?ms=50000")
        busy = top.wait(lambda: next((row for row in top.rows() if row.busy), None), what="a busy row")
        top.type("B", "t")
        top.wait_for(f"^ stack {busy.slot}$")
        top.wait_for("Faults::")
        if not SANITIZED:  # whose frames cannot be walked so far
            top.wait_for(r"^ +\.\.\. \d+ frames of the server$")
        top.type("Escape")
        top.wait_row(busy.slot, lambda row: row.pid == busy.pid and row.busy > busy.busy)


@needs_tmux
def test_keys_scale_and_reload(tmp_path):
    with Steered(tmp_path) as server, server.top() as top:
        top.wait(lambda: top.slots() == [0, 1], what="rows")
        top.type("+", "+")
        top.wait_for("^4 of 4 workers serve")
        server.wait_workers(4)
        top.type("-")
        top.wait_for("^3 of 3 workers serve")
        top.type("r")
        top.wait_for("^Reloaded: ")
        top.wait_for("^2 of 2 workers serve")
        top.wait_for("reloads 1$")


@needs_tmux
def test_what_ends_the_service_is_asked_for_first(tmp_path):
    with Steered(tmp_path) as server, server.top() as top:
        top.wait(lambda: top.slots() == [0, 1], what="rows")
        top.type("s")
        top.wait_for(r"^Stop the service\? y: yes, else no")
        top.type("n")
        top.wait_for("^stop: not done")
        assert server.get("/").status == 200
        top.type("s", "y")
        assert server.wait_exit() == 0
        top.wait_for("no answer for .*; trying again: nobody listens at ")
        top.type("q")
        assert top.code() == 0


@needs_tmux
def test_it_waits_for_a_server_that_is_lost(tmp_path):
    with Steered(tmp_path) as server, server.top() as top:
        top.wait(lambda: top.slots() == [0, 1], what="rows")
        server.stop()
        top.wait_for("no answer for .*; trying again: nobody listens at ")
        assert len(top.rows()) <= 2  # what was known last
        with Steered(tmp_path, workers=3) as other:
            top.wait_for("^faults:app  ready .* master " + str(other.pid))
            top.wait(lambda: top.slots() == [0, 1, 2], what="the other's rows")


@needs_tmux
def test_it_fits_the_terminal_as_that_is_resized(tmp_path):
    with Steered(tmp_path, workers=12) as server, server.top(columns=170, rows=30) as top:
        top.wait_for(r"SLOT .* LAST END$")
        top.wait(lambda: top.slots() == [*range(12)], what="all rows")
        top.resize(80, 24)
        heading = top.wait_for(r"^\*SLOT     PID STATE .* P95$")[0]
        assert len(heading) == 80
        top.resize(44, 10)
        top.wait_for(r"^\*SLOT   BUSY REQUEST *$")
        top.type("End")
        top.wait_for(r"^ +11  ")
        assert top.lines()[-1].startswith("q quit")
        top.resize(170, 30)
        top.wait_for(r"SLOT .* LAST END$")
        top.wait(lambda: top.slots() == [*range(12)], what="all rows again")
        top.resize(5, 2)
        top.resize(80, 24)
        top.wait_for("^12 of 12 workers serve")


@needs_tmux
@pytest.mark.parametrize("end", ["q", "C-c", "TERM"])
def test_it_leaves_the_terminal_as_it_was(tmp_path, end):
    state = tmp_path / "state"
    with Steered(tmp_path) as server, Terminal("/bin/bash", "--norc", env={"PS1": "$ "}) as terminal:
        terminal.type("echo still''here", "Enter")
        terminal.wait_for("^stillhere$")
        terminal.type(f"stty -g > {state}-before", "Enter")
        terminal.type(f"{shlex.quote(BINARY)} top --control-socket {server.socket}", "Enter")
        terminal.wait_for("^2 of 2 workers serve")
        assert "stillhere" not in terminal.text()
        if end == "TERM":
            children = wait_until(lambda: pids_of_top(server.socket), what="top")
            os.kill(children[0], signal.SIGTERM)
        else:
            terminal.type(end)
        terminal.wait_for("^stillhere$")
        terminal.type(f"stty -g > {state}-after; echo again''here", "Enter")
        terminal.wait_for("^againhere$")
        assert (tmp_path / "state-after").read_text() == (tmp_path / "state-before").read_text()


def pids_of_top(socket):
    asked = f"{BINARY}\0top\0--control-socket\0{socket}\0".encode()
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if file.read() == asked:
                    found.append(int(name))
        except OSError:
            pass
    return found


@needs_tmux
def test_help_lists_the_keys(tmp_path):
    with Steered(tmp_path) as server, server.top(rows=50) as top:
        top.wait_for("^2 of 2 workers serve")
        top.type("h")
        top.wait_for(r"^ +c  recycle")
        top.wait_for(r"^ +P  P95: ")
        top.type("h")
        top.wait(lambda: top.slots() == [0, 1], what="the table again")


@needs_tmux
def test_nothing_that_others_wrote_reaches_the_terminal_raw(tmp_path):
    with Steered(tmp_path, "--name", "a\x1b[2J\x07b\u202e") as server, server.top() as top:
        top.wait_for(r"^a\\x1b\[2J\\x07b\\xe2\\x80\\xae  ready")


@needs_tmux
@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_status_address_shows_and_takes_no_orders(tmp_path, kind):
    address = f"localhost:{free_port()}" if kind == "tcp" else f"unix:{tmp_path}/s"
    arguments = ("--workers", "2", "--status-bind", address)
    with Server("faults:app", *arguments, wait=2), Top(address) as top:
        top.wait(lambda: top.slots() == [0, 1], what="rows")
        before = top.rows()
        top.type("c")
        top.wait_for("^a status address takes no orders; --control-socket does$")
        assert [row.pid for row in top.rows()] == [row.pid for row in before]


@needs_tmux
def test_it_finds_the_socket_as_the_server_does(tmp_path):
    (tmp_path / "cppcorn.toml").write_text(f'control_socket = "{tmp_path}/c"\nworkers = 2\n')
    with Steered(tmp_path, workers=2), Terminal("/bin/sh", "-c", f"cd {tmp_path} && exec {BINARY} top") as top:
        top.wait_for("^2 of 2 workers serve")
    with Steered(tmp_path, workers=2), Top(env={"CPPCORN_CMD_ARGS": f"--control-socket {tmp_path}/c"}) as top:
        top.wait_for("^2 of 2 workers serve")


# ---- Where there is nothing to see


def test_what_is_not_there_is_said_in_one_line(tmp_path):
    nobody = run("top", "--control-socket", tmp_path / "none")
    assert nobody.code == 14
    assert nobody.stderr == f"cppcorn: nobody listens at {tmp_path}/none: No such file or directory\n"
    nowhere = run("top", cwd=tmp_path)
    assert nowhere.code == 13
    assert nowhere.stderr.count("\n") == 1
    assert "--control-socket" in nowhere.stderr
    assert nobody.stdout == nowhere.stdout == ""
    nobody = run("top", f"127.0.0.1:{free_port()}")
    assert nobody.code == 14
    assert re.fullmatch(r"cppcorn: nobody listens at http://127.0.0.1:\d+: Connection refused\n", nobody.stderr)


@pytest.mark.parametrize("arguments", [("127.0.0.1:9000", "more"), ("--workers", "3"), ("127.0.0.1:nine",)])
def test_a_command_line_that_is_wrong(arguments):
    result = run("top", *arguments)
    assert (result.code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


def test_it_says_how_it_is_used():
    result = run("top", "--help")
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: cppcorn top ")


def test_without_a_terminal_it_says_so(tmp_path):
    with Steered(tmp_path) as server:
        result = run("top", "--control-socket", server.socket)
        assert (result.code, result.stdout) == (10, "")
        assert result.stderr == "cppcorn: top needs a terminal; for programs there is /status.json\n"


def on_terminal(*arguments, env):
    """The exit code and the errors of a program that ends by itself, at a terminal that nobody draws."""
    ours, its = pty.openpty()
    try:
        done = subprocess.run(
            [BINARY, *arguments], env=env, stdin=its, stdout=its, stderr=subprocess.PIPE, text=True, timeout=20
        )
        return done.returncode, done.stderr
    finally:
        os.close(ours)
        os.close(its)


@pytest.mark.parametrize(
    "term, said",
    [
        (None, "TERM is not set, so the terminal's kind is not known"),
        ("", "TERM is not set, so the terminal's kind is not known"),
        ("unheard-of", "cannot use a terminal of the kind TERM=unheard-of"),
    ],
)
def test_a_terminal_of_no_known_kind(tmp_path, term, said):
    env = clean_environment()
    env.pop("TERM", None)
    if term is not None:
        env["TERM"] = term
    with Steered(tmp_path) as server:
        assert on_terminal("top", "--control-socket", server.socket, env=without_leaks(env)) == (10, f"cppcorn: {said}\n")


def test_without_ncurses_it_says_what_to_install(tmp_path):
    for name in ("libncursesw.so.6", "libncurses.so.6"):
        (tmp_path / name).write_bytes(b"no library")
    env = clean_environment({"LD_LIBRARY_PATH": str(tmp_path), "TERM": "xterm"})
    with Steered(tmp_path) as server:
        code, said = on_terminal("top", "--control-socket", server.socket, env=env)
    assert code == 10
    assert said == "cppcorn: top needs ncurses, which is not installed (Debian: libncurses6)\n"


def test_what_answers_is_no_status(tmp_path):
    """An app's own socket, say."""
    with Server("hello:app", bind=f"unix:{tmp_path}/app"):
        result = run("top", "--control-socket", tmp_path / "app")
        assert result.code == 16
        assert result.stderr.count("\n") == 1


def test_no_key_is_needed_to_end_with_the_terminal(tmp_path):
    """A terminal that is closed leaves nobody behind who asks for ever."""
    with Steered(tmp_path) as server:
        ours, its = pty.openpty()
        env = clean_environment({"TERM": "xterm"})
        top = subprocess.Popen(
            [BINARY, "top", "--control-socket", server.socket], env=env, stdin=its, stdout=its, start_new_session=True
        )
        os.close(its)
        seen = b""
        while b"workers serve" not in seen:
            seen += os.read(ours, 65536)
        os.close(ours)
        try:
            assert top.wait(10) is not None
        finally:
            top.kill()
        assert not is_alive(top.pid)
