"""Runs the real server and talks to it over real sockets.

    with Server("hello:app", "--workers", "2", wait=2) as server:
        assert server.get("/").status == 200

Each server listens on a port that the kernel chose. Leaving the block stops it with SIGTERM, checks that it exits with
code 0 and that no process of its tree is left. Nothing here sleeps for a fixed time: all waiting is for an event, with
a limit.
"""

import contextlib
import ctypes
import os
import random
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("CPPCORN_BINARY") or str(ROOT / "build/release/cppcorn")
APPS = os.environ.get("CPPCORN_APPS") or str(ROOT / "build/release/apps")
SANITIZED = os.environ.get("CPPCORN_SANITIZED", "0").upper() in ("1", "ON", "TRUE", "YES")

# A sanitized build is several times slower, and so is a machine that is busy with something else.
SLOWNESS = 4 if SANITIZED else 1

SANITIZER_REPORT = re.compile(r"ERROR: \w+Sanitizer|runtime error:|WARNING: ThreadSanitizer")
LISTENING = re.compile(r"Listening at: http://(\[[^\]]*\]|[^:\s]+):(\d+) \(\d+\)")

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    """So that a test run that is killed leaves no server behind. Must run in the thread that outlives the server."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def clean_environment(extra=None):
    """The environment for a server: ours without what would change its settings."""
    unwanted = ("PORT", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS", "SCRIPT_NAME", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID")
    env = {k: v for k, v in os.environ.items() if k not in unwanted and not k.startswith("CPPCORN_")}
    if SANITIZED:
        # The workers have signal handlers of their own, and the apps crash on purpose.
        env["ASAN_OPTIONS"] = "allow_user_segv_handler=1:handle_abort=0:abort_on_error=0:detect_leaks=1"
        env["UBSAN_OPTIONS"] = "print_stacktrace=1"
    env.update(extra or {})
    return env


def wait_until(predicate, timeout=10.0, what="the condition"):
    """Returns the predicate's first true value; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout * SLOWNESS
    pause = 0.001
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what} did not come about within {timeout * SLOWNESS} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)


def free_port():
    """Below those that the kernel gives to clients, so that none of them takes it before a server does."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
                return port
            except OSError:
                pass  # taken


def is_refused(port):
    """Whether nobody listens there any more."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def working_wrapper(*wrapper):
    """The wrapper, for Server, if this machine lets us use it; else the test is skipped.

    Plain chroots and most containers have no right to mount or to make namespaces.
    """
    wrapper = [str(each) for each in wrapper]
    try:
        tried = subprocess.run([*wrapper, "true"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    except FileNotFoundError as error:
        pytest.skip(f"{wrapper[0]} is not installed: {error}")
    if tried.returncode != 0:
        pytest.skip(f"not possible here: {' '.join(wrapper)}: {tried.stderr.decode(errors='replace').strip()}")
    return wrapper


def with_file(path, replacement):
    """A wrapper in which a file of the system's has other contents. Skips the test where that cannot be done."""
    if not os.path.exists(path):
        pytest.skip(f"{path} is missing here, so nothing can take its place")
    return working_wrapper("unshare", "-m", "sh", "-c", f'mount --bind "$0" {path} && exec "$@"', replacement)


def has_capability(number):
    """Whether we may do what capabilities(7) lists under that number."""
    match = re.search(r"^CapEff:\s*(\S+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return match is not None and int(match[1], 16) >> number & 1 == 1


CAP_SYS_PTRACE = 19

# For tests that start servers whose workers are somebody else.
only_with_other_users = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can start servers of other users"),
    pytest.mark.skipif(
        not has_capability(CAP_SYS_PTRACE), reason="without CAP_SYS_PTRACE, nothing is seen of other users' processes"
    ),
]


@contextlib.contextmanager
def folder_for_others():
    """A folder that other users can enter. No folder of pytest's: each pytest that starts closes them all to others."""
    with tempfile.TemporaryDirectory(prefix="cppcorn-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


# ---- Processes


class Process(NamedTuple):
    pid: int
    state: str
    parent: int
    session: int


def process(pid):
    """The process with this pid, or None."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    return Process(int(pid), fields[0], int(fields[1]), int(fields[3]))


def processes():
    found = (process(name) for name in os.listdir("/proc") if name.isdigit())
    return [each for each in found if each is not None]


def command_line(pid):
    """What ps shows of a process; "" if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").strip().decode()
    except OSError:
        return ""


# Children of the master that help the workers and are none.
HELPERS = ("cppcorn: lookout [", "cppcorn: understudy [", "cppcorn: status [")


def is_helper(pid):
    """Also an understudy that has just come and still has its worker's title."""
    title = command_line(pid)
    return title.startswith(HELPERS) or title.startswith("cppcorn: worker [") and not is_worker(pid)


def is_worker(pid):
    """An understudy hears no signal from the first on."""
    try:
        [blocked] = re.findall(r"^SigBlk:\t([0-9a-f]+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except OSError:
        return False
    hears_faults = int(blocked, 16) & 1 << (signal.SIGSEGV - 1) == 0
    return hears_faults and command_line(pid).startswith("cppcorn: worker [")


def is_alive(pid):
    found = process(pid)
    return found is not None and found.state not in "ZX"


def open_files(pid):
    """What the descriptors of a process are, by number."""
    files = {}
    folder = f"/proc/{pid}/fd"
    for name in os.listdir(folder):
        try:
            files[int(name)] = os.readlink(f"{folder}/{name}")
        except OSError:
            pass
    return files


def holds_open(pid, *paths):
    """If one of the files is open in a process, which may have ended."""
    try:
        return not set(map(str, paths)).isdisjoint(open_files(pid).values())
    except FileNotFoundError:
        return False


def cpu_seconds(pid):
    """The CPU time that a process has used, in steps of a hundredth."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    fields = stat[stat.rindex(")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class CpuTime:
    """To see that some processes use next to none from here on."""

    def __init__(self, *pids, most=0.3):
        self._before = {pid: cpu_seconds(pid) for pid in pids}
        self._most = most * SLOWNESS

    def assert_little(self):
        for pid, before in self._before.items():
            assert cpu_seconds(pid) - before < self._most


def is_sleeping(pid):
    """Whether a process is in nanosleep or clock_nanosleep, as a worker is in the app's sleep."""
    try:
        number = Path(f"/proc/{pid}/syscall").read_text().split()[0]
    except OSError:
        return False
    return number in ("35", "230", "101", "115")  # x86-64, then the others' common table


def is_ready(pid):
    """Whether a worker has loaded its app: its epoll is told what to wait for from then on, and of nothing before."""
    try:
        epolls = [number for number, target in open_files(pid).items() if "[eventpoll]" in target]
        return any("tfd:" in Path(f"/proc/{pid}/fdinfo/{number}").read_text() for number in epolls)
    except OSError:
        return False


# ---- HTTP


class Response(NamedTuple):
    status: int
    headers: dict  # names in lower case; the values of repeated fields are joined with ", "
    body: bytes

    @property
    def text(self):
        return self.body.decode()


class Disconnected(Exception):
    """The server closed the connection before the end of a response."""


# What was received from a socket and belongs to its next response.
_pending = weakref.WeakKeyDictionary()


def _receive_more(sock, pending):
    data = sock.recv(65536)
    if not data:
        raise Disconnected(bytes(pending))
    pending += data


def _take(pending, size):
    taken = bytes(pending[:size])
    del pending[:size]
    return taken


def _read_until(sock, pending, mark):
    while (end := pending.find(mark)) < 0:
        _receive_more(sock, pending)
    taken = _take(pending, end)
    del pending[: len(mark)]
    return taken


def _read_exactly(sock, pending, size):
    while len(pending) < size:
        _receive_more(sock, pending)
    return _take(pending, size)


def _read_chunks(sock, pending):
    body = b""
    while (size := int(_read_until(sock, pending, b"\r\n").split(b";")[0], 16)) > 0:
        body += _read_exactly(sock, pending, size)
        assert _read_exactly(sock, pending, 2) == b"\r\n", "a chunk that is longer than it says"
    while _read_until(sock, pending, b"\r\n"):
        pass
    return body


def _read_to_end(sock, pending):
    try:
        while True:
            _receive_more(sock, pending)
    except Disconnected:
        return _take(pending, len(pending))


def read_response(sock, method="GET"):
    """Reads exactly one response; what follows it is kept for the next call on the same socket.

    Raises Disconnected if the connection ends before the response does.
    """
    pending = _pending.setdefault(sock, bytearray())
    head = _read_until(sock, pending, b"\r\n\r\n").decode("latin-1").split("\r\n")
    version, status = head[0].split(" ", 2)[:2]
    assert version in ("HTTP/1.1", "HTTP/1.0"), head[0]
    headers = {}
    for line in head[1:]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    status = int(status)
    if method == "HEAD" or status < 200 or status in (204, 304):
        body = b""
    elif headers.get("transfer-encoding", "").lower() == "chunked":
        body = _read_chunks(sock, pending)
    elif "content-length" in headers:
        body = _read_exactly(sock, pending, int(headers["content-length"]))
    else:
        body = _read_to_end(sock, pending)
    return Response(status, headers, body)


def read_end(sock):
    """Waits for the server to close the connection and returns what it sent before that."""
    return _read_to_end(sock, _pending.setdefault(sock, bytearray()))


def request_bytes(path, headers=None, method="GET", body=None):
    fields = {"Host": "test"}
    if body is not None:
        fields["Content-Length"] = str(len(body))
    fields.update(headers or {})
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


# ---- The server


class Finished(NamedTuple):
    code: int
    stdout: str
    stderr: str


def kill_session(session, patience=2.0):
    """Kills what is left of a session after a while for those that are just ending; returns what that was."""

    def alive():
        return [each.pid for each in processes() if each.session == session and each.state not in "ZX"]

    try:
        wait_until(lambda: not alive(), timeout=patience)
    except AssertionError:
        pass
    leftovers = [(pid, command_line(pid)) for pid in alive()]
    for pid, _ in leftovers:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return leftovers


def run(*args, env=None, cwd=None, timeout=15, pass_fds=()):
    """Runs the program to its end."""
    with subprocess.Popen(
        [BINARY, *map(str, args)],
        env=clean_environment(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=pass_fds,
        start_new_session=True,
        preexec_fn=_die_with_parent,
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout * SLOWNESS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{args} is still running after {timeout * SLOWNESS} s") from None
        finally:
            process.kill()
            leftovers = kill_session(process.pid)
    result = Finished(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))
    assert not leftovers, f"processes left behind: {leftovers}"
    assert not SANITIZER_REPORT.search(result.stderr), result.stderr
    return result


class _Lines:
    """Gathers what comes out of a pipe. All that was written before somebody asks for it is there."""

    def __init__(self, pipe):
        self._pipe = pipe
        os.set_blocking(pipe.fileno(), False)
        self._data = bytearray()
        self._lock = threading.Lock()  # for the data, and whenever the pipe is read
        self._thread = threading.Thread(target=self._gather, daemon=True)
        self._thread.start()

    def _gather(self):
        readable = select.poll()
        readable.register(self._pipe, select.POLLIN)
        more = True
        while more:
            readable.poll()
            with self._lock:
                more = self._read_all()

    def _read_all(self):
        """False at the end of the pipe."""
        while True:
            try:
                data = os.read(self._pipe.fileno(), 65536)
            except BlockingIOError:
                return True
            if not data:
                return False
            self._data += data

    def bytes(self):
        with self._lock:
            if not self._pipe.closed:
                self._read_all()
            return bytes(self._data)

    def text(self):
        return self.bytes().decode(errors="replace")

    def join(self):
        self._thread.join(5)

    def close(self):
        self.join()
        if not self._thread.is_alive():
            self._pipe.close()


class _Nothing:
    """In the place of _Lines for a stream that is the test's own."""

    def bytes(self):
        return b""

    def text(self):
        return ""

    def join(self):
        pass

    def close(self):
        pass


class Server:
    """A server for one `with` block.

    `app` may be None (from the environment or a file, then). `bind` is left out of the command line if it is None.
    `wait` is the number of workers to wait for; False returns as soon as the process is started. `log_file` names the
    file that --log-file in `args` sends the error log to, so that it is read, too. `stop_code` is the exit code
    expected at the end of the block. `wrapper` is a command that runs the program; the signals are then the test's to
    send. `stdout` and `stderr` are descriptors to give it; without them, what it writes is gathered.
    """

    def __init__(
        self,
        app,
        *args,
        env=None,
        cwd=None,
        bind="127.0.0.1:0",
        wait=True,
        log_file=None,
        pass_fds=(),
        app_dir=APPS,
        stop_code=0,
        binary=BINARY,
        wrapper=(),
        stdout=None,
        stderr=None,
    ):
        self._program = [*map(str, wrapper), str(binary)]
        self._args = [app] if app else []
        if bind is not None:
            self._args += ["--bind", bind]
        if app_dir is not None:
            self._args += ["--app-dir", str(app_dir)]
        self._args += map(str, args)
        self._env = clean_environment(env)
        self._cwd = cwd
        self._wait = int(wait)
        self._log_file = log_file
        self._pass_fds = pass_fds
        self._stop_code = stop_code
        self._stdout = stdout
        self._stderr = stderr
        self._sockets = []
        self._process = None
        self._port = None
        self._start_took = 0.0

    def __enter__(self):
        began = time.monotonic()
        self._process = subprocess.Popen(
            [*self._program, *self._args],
            env=self._env,
            cwd=self._cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if self._stdout is None else self._stdout,
            stderr=subprocess.PIPE if self._stderr is None else self._stderr,
            pass_fds=self._pass_fds,
            start_new_session=True,  # by which the tree is known later
            preexec_fn=_die_with_parent,
        )
        self.pid = self._process.pid
        self._out = _Lines(self._process.stdout) if self._process.stdout else _Nothing()
        self._err = _Lines(self._process.stderr) if self._process.stderr else _Nothing()
        if self._wait:
            try:
                self.wait_ready(self._wait)
            except BaseException:
                self._clean_up()
                raise
            self._start_took = time.monotonic() - began
        return self

    def __exit__(self, kind, *_):
        leftovers = []
        try:
            for sock in self._sockets:
                sock.close()
            if kind is None and self._process.poll() is None:
                self.stop()
        finally:
            leftovers = self._clean_up()
        if kind is None:
            log = self.log_text()
            assert self._process.returncode == self._stop_code, self._with_log(f"exit code {self._process.returncode}")
            assert not leftovers, self._with_log(f"processes left behind: {leftovers}")
            assert not SANITIZER_REPORT.search(log), log

    def _clean_up(self):
        """Kills what is left of the tree and returns it. A worker that is just ending is not left behind."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        leftovers = kill_session(self.pid)
        self._out.close()
        self._err.close()
        return leftovers

    def within(self, seconds):
        """The limit for what takes so long where the machine has nothing else to do.

        How much longer it may take here and now is told by something of the same kind: the server's own start.
        """
        return seconds * SLOWNESS + 3 * self._start_took

    # -- What it says

    def log_text(self):
        text = self._err.text()
        if self._log_file is not None and os.path.exists(self._log_file):
            text += Path(self._log_file).read_text(errors="replace")
        return text

    def stdout_bytes(self):
        return self._out.bytes()

    def stdout_text(self):
        return self._out.text()

    def _with_log(self, message):
        return f"{message}; the log:\n{self.log_text()}"

    def wait_for(self, predicate, timeout=10.0, what="the condition"):
        """wait_until, with the log in the message of a failure."""
        try:
            return wait_until(predicate, timeout, what)
        except AssertionError as error:
            raise AssertionError(self._with_log(str(error))) from None

    def wait_log(self, regex, timeout=10.0, count=1):
        """Waits until `regex` is found in the log `count` times and returns the matches."""
        pattern = re.compile(regex, re.MULTILINE)

        def found():
            matches = list(pattern.finditer(self.log_text()))
            return matches if len(matches) >= count else None

        return self.wait_for(found, timeout, f"{count} times {regex!r} in the log")

    def count_log(self, regex):
        return len(re.findall(regex, self.log_text(), re.MULTILINE))

    def rotate(self, *logs):
        """Moves logs aside, as logrotate does, and waits until none of its processes has those open: not only the master."""
        moved = [log.rename(f"{log}.1") for log in logs]
        self.signal(signal.SIGUSR1)
        self.wait_for(lambda: not any(holds_open(each.pid, *moved) for each in self.tree()), what="the end of the old logs")

    def complaints(self):
        """The lines of its log that a service in good health does not write."""
        return re.findall(r"^.*(?:\[ERROR\]|\[CRITICAL\]|Killing worker).*", self.log_text(), re.MULTILINE)

    # -- What it consists of

    def tree(self):
        """The live processes that it consists of."""
        return [each for each in processes() if each.session == self.pid and each.state not in "ZX"]

    def children(self):
        """Its children but the workers' helpers."""
        return [each for each in processes() if each.parent == self.pid and not is_helper(each.pid)]

    def lookouts(self):
        """The processes that look at what the workers do: one, where there are understudies."""
        alive = [each.pid for each in processes() if each.parent == self.pid and each.state not in "ZX"]
        return [pid for pid in alive if command_line(pid).startswith("cppcorn: lookout [")]

    def worker_pids(self):
        """The workers, ready or not, in the order of their pids."""
        alive = [each.pid for each in self.children() if each.state not in "ZX"]
        return sorted(filter(is_worker, alive))

    def wait_workers(self, count, timeout=10.0):
        """Waits until there are exactly `count` workers, all of them ready, and returns their pids."""

        def found():
            if self._process.poll() is not None:
                raise AssertionError(self._with_log(f"the server has exited with code {self._process.returncode}"))
            pids = self.worker_pids()
            return pids if len(pids) == count and all(map(is_ready, pids)) else None

        return self.wait_for(found, timeout, f"{count} ready workers")

    def wait_ready(self, count=1, timeout=10.0):
        """Waits until `count` workers, or more, are ready."""

        def found():
            if self._process.poll() is not None:
                self._err.join()
                raise AssertionError(self._with_log(f"the server has exited with code {self._process.returncode}"))
            return sum(map(is_ready, self.worker_pids())) >= count

        self.wait_for(found, timeout, f"{count} ready workers")

    def ports(self):
        """All the TCP ports that it has said it listens at."""
        return [int(match[2]) for match in LISTENING.finditer(self.log_text())]

    @property
    def port(self):
        if self._port is None:
            self._port = int(self.wait_log(LISTENING.pattern)[0][2])
        return self._port

    # -- What it answers

    def connect(self, timeout=10.0, port=None, host="127.0.0.1"):
        """A connection that is closed at the end of the block."""
        sock = socket.create_connection((host, port or self.port), timeout=timeout * SLOWNESS)
        self._sockets.append(sock)
        return sock

    def send(self, path):
        """Sends a request on a connection of its own, and returns that."""
        sock = self.connect()
        sock.sendall(request_bytes(path))
        return sock

    def connection_to_each(self, workers):
        """A keep-alive connection to each worker, by its pid: none of them accepts while its app is busy.

        For apps that have /sleep and /pid.
        """
        socks = [self.send("/sleep?ms=200") for _ in range(workers)]
        assert [read_response(sock).status for sock in socks] == [200] * workers
        by_pid = {}
        for sock in socks:
            sock.sendall(request_bytes("/pid"))
            by_pid[int(read_response(sock).body)] = sock
        assert len(by_pid) == workers
        return by_pid

    def get(self, path, headers=None, method="GET", body=None, timeout=10.0, port=None):
        """One request on a connection of its own."""
        with socket.create_connection(("127.0.0.1", port or self.port), timeout=timeout * SLOWNESS) as sock:
            sock.sendall(request_bytes(path, headers, method, body))
            return read_response(sock, method)

    def raw(self, data, timeout=10.0):
        """Sends these bytes and returns everything until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout * SLOWNESS) as sock:
            sock.sendall(data)
            return read_end(sock)

    # -- What ends it

    def signal(self, number):
        os.kill(self.pid, number)

    def wait_exit(self, timeout=10.0):
        """Waits for the master to exit and returns its code."""
        try:
            code = self._process.wait(timeout * SLOWNESS)
        except subprocess.TimeoutExpired:
            raise AssertionError(self._with_log(f"still running after {timeout * SLOWNESS} s")) from None
        if not self.tree():  # a new master, or the workers of one that was killed, hold the pipes
            self._err.join()
            self._out.join()
        return code

    def stop(self, timeout=10.0):
        self.signal(signal.SIGTERM)
        code = self.wait_exit(timeout)
        assert code == self._stop_code, self._with_log(f"exit code {code}")
