"""Large request bodies are gathered in a file: who sends one slowly holds no worker, and loses nothing by it."""

import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness import SANITIZED, Server, open_files, read_response, request_bytes, wait_until, working_wrapper

PERIOD = 251
LARGE = 400_000  # bytes; more than --body-buffer


def pattern(size):
    return (bytes(range(PERIOD)) * (size // PERIOD + 1))[:size]


def read_of(body):
    """What the app `spools` says that it has read."""
    return "read %d bytes, sum %d\n" % (len(body), sum(byte * (index % PERIOD + 1) for index, byte in enumerate(body)))


def spool_files(pid):
    return [name for name in open_files(pid).values() if "(deleted)" in name and "/memfd:" not in name]


def memory_files(pid):
    return [name for name in open_files(pid).values() if "/memfd:cppcorn-spool" in name]


def is_polling(pid):
    """Whether a worker waits for one client."""
    return Path(f"/proc/{pid}/syscall").read_text().split()[0] in ("7", "271", "73")  # poll, ppoll; ppoll of others


def begin_upload(server, size, sent, path="/", headers=None):
    """A client that has sent so much of its body, and does not go on by itself."""
    sock = server.connect(timeout=30)
    sock.sendall(request_bytes(path, {"Content-Length": str(size), **(headers or {})}, "POST") + pattern(size)[:sent])
    return sock


def chunked(body, piece=1000):
    pieces = [body[at : at + piece] for at in range(0, len(body), piece)]
    return b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n"


def test_who_stops_in_the_middle_of_a_large_body_holds_nobody_up():
    with Server("spools:app") as server:
        (worker,) = server.worker_pids()
        clients = [begin_upload(server, LARGE, LARGE // 2) for _ in range(3)]
        server.wait_for(lambda: len(spool_files(worker)) == 3, what="three files")
        assert server.get("/").text == "here\n"
        for client in clients:
            client.sendall(pattern(LARGE)[LARGE // 2 :])
            assert read_response(client).text == read_of(pattern(LARGE))
        server.wait_for(lambda: not spool_files(worker), what="the end of the files")


@pytest.mark.parametrize("size", [65_536, 65_537, 100_000, 3_000_000])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_the_app_reads_what_was_sent(size, framing):
    with Server("spools:app") as server:
        body = pattern(size)
        if framing == "length":
            answer = server.get("/", method="POST", body=body)
        else:
            sock = server.connect()
            sock.sendall(request_bytes("/", {"Transfer-Encoding": "chunked"}, "POST") + chunked(body))
            answer = read_response(sock)
        assert answer.text == read_of(body)


def test_a_body_in_chunks_goes_to_a_file_once_it_is_large():
    with Server("spools:app") as server:
        (worker,) = server.worker_pids()
        bytes_sent = chunked(pattern(LARGE))
        sock = server.connect()
        sock.sendall(request_bytes("/", {"Transfer-Encoding": "chunked"}, "POST") + bytes_sent[: LARGE // 2])
        server.wait_for(lambda: spool_files(worker), what="its file")
        assert server.get("/").text == "here\n"
        sock.sendall(bytes_sent[LARGE // 2 :] + request_bytes("/"))
        assert read_response(sock).text == read_of(pattern(LARGE))
        assert read_response(sock).text == "here\n"  # what was sent behind it


def test_what_is_sent_behind_a_large_body_is_the_next_request():
    with Server("spools:app") as server:
        sock = server.connect()
        sock.sendall(request_bytes("/", body=pattern(LARGE), method="POST") + request_bytes("/"))
        assert read_response(sock).text == read_of(pattern(LARGE))
        assert read_response(sock).text == "here\n"


def test_a_small_body_takes_no_file(tmp_path):
    with Server("spools:app", "--spool-dir", tmp_path / "missing") as server:
        assert server.get("/", method="POST", body=pattern(65_536)).text == read_of(pattern(65_536))
        assert not memory_files(server.worker_pids()[0])


@pytest.mark.parametrize("app", ["app", "early"])
def test_who_sends_slowly_but_surely_is_not_cut_at_the_apps_timeout(app):
    """Three times as long as an app may take, whether the app is called at the end or reads all the while."""
    with Server(f"spools:{app}", "--timeout", "2") as server:
        body = pattern(LARGE)
        sock = begin_upload(server, LARGE, 0)
        began = time.monotonic()
        sent = 0
        while sent < LARGE:
            step = 20_000
            sock.sendall(body[sent : sent + step])
            sent += step
            wait_until(lambda due=began + 6 * sent / LARGE: time.monotonic() >= due, what="the next step")
        assert read_response(sock).text == read_of(body)
        assert time.monotonic() - began > 4
        assert server.complaints() == []


def test_who_keeps_less_than_the_rate_is_told_408():
    with Server("spools:app", "--body-timeout", "1", "--min-rate", "1000000") as server:
        sock = begin_upload(server, LARGE, LARGE // 2)
        assert read_response(sock).status == 408
        server.wait_log("the body took too long")
        assert server.get("/").text == "here\n"


@pytest.mark.parametrize("rate, status", [(0, 200), (100_000, 408)])
def test_the_rate_is_a_setting(rate, status):
    """A byte now and then."""
    with Server("spools:app", "--body-timeout", "1", "--min-rate", rate) as server:
        sock = begin_upload(server, 70_000, 69_990)
        body = pattern(70_000)
        try:
            for sent in range(69_990, 70_000):
                began = time.monotonic()
                wait_until(lambda: time.monotonic() - began > 0.3)
                sock.sendall(body[sent : sent + 1])
        except OSError:
            pass  # it was given up
        assert read_response(sock).status == status


# ---- Expect: 100-continue


def test_a_large_body_is_invited_and_gathered():
    with Server("spools:app") as server:
        sock = begin_upload(server, LARGE, 0, headers={"Expect": "100-continue"})
        assert read_response(sock).status == 100
        assert server.get("/").text == "here\n"  # the app waits for nobody
        sock.sendall(pattern(LARGE))
        assert read_response(sock).text == read_of(pattern(LARGE))


# ---- Apps that want it otherwise


def test_an_app_may_read_while_it_arrives():
    """It has the worker to itself meanwhile."""
    with Server("spools:early") as server:
        (worker,) = server.worker_pids()
        sock = begin_upload(server, LARGE, LARGE // 2)
        server.wait_for(lambda: is_polling(worker), what="the app's wait")
        other = server.connect()
        other.sendall(request_bytes("/"))
        other.settimeout(0.5)
        with pytest.raises(socket.timeout):
            other.recv(1)
        assert spool_files(worker) == []
        sock.sendall(pattern(LARGE)[LARGE // 2 :])
        assert read_response(sock).text == read_of(pattern(LARGE))
        other.settimeout(10)
        assert read_response(other).text == "here\n"


def test_a_silent_client_of_such_an_app_is_given_up_before_the_worker_is():
    with Server("spools:early", "--timeout", "2") as server:
        workers = server.worker_pids()
        assert read_response(begin_upload(server, LARGE, LARGE // 2)).status == 408
        assert server.worker_pids() == workers


@pytest.mark.parametrize("framing", ["length", "chunked", "expected"])
@pytest.mark.parametrize("status", [401, 413])
def test_an_app_may_refuse_by_the_head(framing, status):
    with Server("spools:asks") as server:
        headers = {"X-Refuse": str(status)}
        if framing == "chunked":
            sock = server.connect()
            sock.sendall(request_bytes("/", {"Transfer-Encoding": "chunked", **headers}, "POST"))
        else:
            expected = {"Expect": "100-continue"} if framing == "expected" else {}
            sock = begin_upload(server, 10 if expected else LARGE, 0, headers={**headers, **expected})
        answer = read_response(sock)
        assert (answer.status, answer.text) == (status, "asked, refused\n")


def test_an_app_that_refuses_nothing_gets_the_body():
    with Server("spools:asks") as server:
        for headers in ({}, {"Expect": "100-continue"}):
            sock = server.connect()
            sock.sendall(request_bytes("/", headers, "POST", pattern(LARGE)))
            assert read_response(sock).text == read_of(pattern(LARGE))


def test_an_app_is_not_asked_about_small_bodies():
    with Server("spools:asks") as server:
        answer = server.get("/", {"X-Refuse": "401"}, "POST", b"small")
        assert answer.text == read_of(b"small")


@pytest.mark.parametrize("how, log", [("throw", "cannot say"), ("read", "Protocol error")])
def test_an_app_that_fails_when_it_is_asked(how, log):
    with Server("spools:asks") as server:
        assert read_response(begin_upload(server, LARGE, 0, headers={"X-Refuse": how})).status == 500
        server.wait_log(f"Error handling request POST /: .*{log}")
        assert server.get("/").text == "here\n"


def test_a_connection_goes_on_behind_a_refusal_of_what_is_here():
    with Server("spools:asks") as server:
        sock = server.connect()
        sock.sendall(request_bytes("/", {"X-Refuse": "401"}, "POST", pattern(70_000)) + request_bytes("/"))
        assert read_response(sock).status == 401
        assert read_response(sock).text == "here\n"


# ---- Where there is no room


def test_a_body_waits_for_room_and_the_others_do_not():
    with Server("spools:app", "--spool-limit", "1M") as server:
        first = begin_upload(server, 900_000, 700_000)
        (worker,) = server.worker_pids()
        server.wait_for(lambda: spool_files(worker), what="the first one's file")
        second = begin_upload(server, 900_000, 0)
        done = threading.Event()

        def send():
            second.sendall(pattern(900_000))
            done.set()

        sender = threading.Thread(target=send)
        sender.start()
        server.wait_for(lambda: len(spool_files(worker)) == 2, what="the second one's file")
        for _ in range(5):
            assert server.get("/").text == "here\n"
        first.sendall(pattern(900_000)[700_000:])
        assert read_response(first).text == read_of(pattern(900_000))
        assert read_response(second).text == read_of(pattern(900_000))
        sender.join()


def test_a_body_that_never_fits_is_read_by_the_app():
    with Server("spools:app", "--spool-limit", "100K") as server:
        for length in (True, False):
            body = pattern(LARGE)
            sock = server.connect()
            if length:
                sock.sendall(request_bytes("/", method="POST", body=body))
            else:
                sock.sendall(request_bytes("/", {"Transfer-Encoding": "chunked"}, "POST") + chunked(body))
            assert read_response(sock).text == read_of(body)


def test_who_waits_for_room_in_vain_is_told_503():
    with Server("spools:app", "--spool-limit", "1M", "--body-timeout", "1", "--min-rate", "0") as server:
        stop = threading.Event()
        first = begin_upload(server, 1_000_000, 900_000)

        def go_on():  # a byte now and then is enough
            at = 900_000
            while not stop.wait(0.2):
                first.sendall(pattern(1_000_000)[at : at + 1])
                at += 1

        slow = threading.Thread(target=go_on)
        slow.start()
        try:
            second = begin_upload(server, 500_000, 400_000)
            assert read_response(second).status == 503
            server.wait_log("no room in the spool")
        finally:
            stop.set()
            slow.join()


def test_who_leaves_while_it_waits_for_room_is_forgotten():
    with Server("spools:app", "--spool-limit", "1M") as server:
        (worker,) = server.worker_pids()
        begin_upload(server, 1_000_000, 900_000)
        second = begin_upload(server, 500_000, 400_000)
        server.wait_for(lambda: len(spool_files(worker)) == 2, what="both files")
        second.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        second.close()
        server.wait_for(lambda: len(spool_files(worker)) == 1, what="the end of its file")
        assert server.get("/").text == "here\n"


def test_without_a_spool_the_app_reads_from_the_client():
    with Server("spools:app", "--spool-limit", "0") as server:
        assert server.get("/", method="POST", body=pattern(LARGE)).text == read_of(pattern(LARGE))


# ---- Where files cannot be written


def test_a_directory_that_is_missing_is_told_and_memory_serves(tmp_path):
    with Server("spools:app", "--spool-dir", tmp_path / "missing") as server:
        server.wait_log(r"\[WARNING\] Cannot spool to .*/missing: No such file or directory")
        (worker,) = server.worker_pids()
        client = begin_upload(server, LARGE, LARGE // 2)
        server.wait_for(lambda: memory_files(worker), what="its place in memory")
        assert server.get("/").text == "here\n"
        client.sendall(pattern(LARGE)[LARGE // 2 :])
        assert read_response(client).text == read_of(pattern(LARGE))
        for _ in range(3):
            assert server.get("/", method="POST", body=pattern(LARGE)).text == read_of(pattern(LARGE))
        assert server.count_log("Cannot spool to") <= 2  # at the start, and when it was needed


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with Server("spools:app", "--spool-dir", tmp_path) as server:
        server.wait_log("Cannot spool to .*: Permission denied")
        assert server.get("/", method="POST", body=pattern(LARGE)).text == read_of(pattern(LARGE))


def test_a_file_system_that_is_read_only(tmp_path):
    server = mounted(tmp_path, "ro")
    with server:
        server.wait_log("Cannot spool to .*: Read-only file system")
        assert server.get("/", method="POST", body=pattern(LARGE)).text == read_of(pattern(LARGE))


def test_a_disk_that_is_full(tmp_path):
    """What is in the file by then is not lost."""
    with mounted(tmp_path, "size=1M") as server:
        body = pattern(3_000_000)
        assert server.get("/", method="POST", body=body).text == read_of(body)
        server.wait_log("Cannot spool to .*: No space left on device")
        assert server.get("/", method="POST", body=body).text == read_of(body)


def mounted(tmp_path, options):
    """A server whose spool is a file system of its own, if that is possible here."""
    mount = f"mount -t tmpfs -o {options} tmpfs {tmp_path} && exec \"$0\" \"$@\""
    wrapper = working_wrapper("unshare", "-m", "sh", "-c", mount)
    return Server("spools:app", "--spool-dir", tmp_path, wrapper=wrapper)


def test_files_may_not_grow_and_memory_neither():
    """As where both are used up: the app reads the rest from the client."""
    wrapper = ["sh", "-c", 'ulimit -f 200; exec "$0" "$@"']  # blocks of 512 bytes
    with Server("spools:app", wrapper=wrapper) as server:
        body = pattern(1_000_000)
        assert server.get("/", method="POST", body=body).text == read_of(body)
        server.wait_log("Cannot spool to .*: File too large")


def test_a_file_system_without_unnamed_files(tmp_path):
    library = build_preload(tmp_path)
    (tmp_path / "spool").mkdir()
    with Server("spools:app", "--spool-dir", tmp_path / "spool", env={"LD_PRELOAD": str(library)}) as server:
        (worker,) = server.worker_pids()
        client = begin_upload(server, LARGE, LARGE // 2)
        files = server.wait_for(lambda: spool_files(worker), what="its file")
        assert "cppcorn-spool-" in files[0]
        assert list((tmp_path / "spool").iterdir()) == []  # it has no name any more
        client.sendall(pattern(LARGE)[LARGE // 2 :])
        assert read_response(client).text == read_of(pattern(LARGE))


NO_TMPFILE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
static int answer(const char *name, const char *path, int flags, int mode) {
    if ((flags & O_TMPFILE) == O_TMPFILE) { errno = EOPNOTSUPP; return -1; }
    return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name))(path, flags, mode);
}
int open(const char *path, int flags, ...) {
    va_list rest; va_start(rest, flags); int mode = va_arg(rest, int); va_end(rest);
    return answer("open", path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    va_list rest; va_start(rest, flags); int mode = va_arg(rest, int); va_end(rest);
    return answer("open64", path, flags, mode);
}
"""


def build_preload(tmp_path):
    if SANITIZED or shutil.which("gcc") is None:
        pytest.skip("a library cannot be put in front here")
    (tmp_path / "no_tmpfile.c").write_text(NO_TMPFILE)
    library = tmp_path / "no_tmpfile.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, tmp_path / "no_tmpfile.c", "-ldl"], check=True)
    return library
