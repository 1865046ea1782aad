"""What containers forbid is not needed: the server runs under a seccomp filter that refuses what the default profiles of
the common container engines refuse of the calls that come near to what we do."""

import os
import platform
import re
import signal
import sys

import pytest

from harness import Server, command_line, is_alive, processes, read_response, request_bytes, run

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the filter has x86-64's numbers of system calls")

# Installs the filter, then becomes the program that its arguments name.
FILTERED = r"""
import ctypes, errno, os, struct, sys

NEW_NAMESPACES = 0x7E020000  # all CLONE_NEW… flags
CLONE, CLONE3 = 56, 435
REFUSED = {  # with EPERM
    "ptrace": 101, "unshare": 272, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
    "bpf": 321, "userfaultfd": 323, "perf_event_open": 298, "io_uring_setup": 425, "pidfd_getfd": 438,
}
LOAD, JUMP_IF_EQUAL, JUMP_IF_SET, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ERROR = 0x7FFF0000, 0x00050000

program = []
def add(code, value, if_true=0, if_false=0):
    program.append(struct.pack("HBBI", code, if_true, if_false, value))

add(LOAD, 0)  # the number of the call
for number in REFUSED.values():
    add(JUMP_IF_EQUAL, number, 0, 1)
    add(RETURN, ERROR | errno.EPERM)
add(JUMP_IF_EQUAL, CLONE3, 0, 1)
add(RETURN, ERROR | errno.ENOSYS)
add(JUMP_IF_EQUAL, CLONE, 0, 3)
add(LOAD, 16)  # the lower half of its first argument
add(JUMP_IF_SET, NEW_NAMESPACES, 0, 1)
add(RETURN, ERROR | errno.EPERM)
add(RETURN, ALLOW)

libc = ctypes.CDLL(None, use_errno=True)
code = ctypes.create_string_buffer(b"".join(program))
class Program(ctypes.Structure):
    _fields_ = [("size", ctypes.c_ushort), ("code", ctypes.c_void_p)]
whole = Program(len(program), ctypes.addressof(code))
if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(whole), 0, 0) != 0:
    sys.exit("no filter can be installed here")
if libc.unshare(0x20000000) == 0 or ctypes.get_errno() != errno.EPERM:
    sys.exit("the filter does not work")
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_everything_works_under_a_profile_like_that_of_containers():
    no_tracing = {"LSAN_OPTIONS": "detect_leaks=0"}  # to look for leaks takes ptrace
    filtered = [sys.executable, "-c", FILTERED]
    with Server("faults:app", "--workers", "2", wait=2, env=no_tracing, wrapper=filtered) as server:
        children = [command_line(each.pid) for each in processes() if each.parent == server.pid]
        assert sorted(children) == [
            "cppcorn: lookout [faults:app]",
            *["cppcorn: understudy [faults:app]"] * 2,
            *["cppcorn: worker [faults:app]"] * 2,
        ]
        socks = server.connection_to_each(2)
        for pid in server.wait_workers(2):
            os.kill(pid, signal.SIGKILL)
            server.wait_for(lambda: not is_alive(pid), what="the worker's end")
            server.wait_workers(2)
        for sock in socks.values():
            sock.sendall(request_bytes("/"))
            assert read_response(sock).status == 200
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done")
        assert server.get("/").status == 200
        assert server.count_log(r"Operation not permitted|Function not implemented") == 0
        server.stop()


@pytest.mark.parametrize("path", ["/sleep?ms=1200", "/spin"])
def test_a_slow_request_is_told_of_without_a_stack_where_that_is_forbidden(path):
    no_tracing = {"LSAN_OPTIONS": "detect_leaks=0"}
    filtered = [sys.executable, "-c", FILTERED]
    args = ("--slow-request", "0.3", "--timeout", "2")
    with Server("faults:app", *args, env=no_tracing, wrapper=filtered) as server:
        sock = server.send(path)
        forbidden = r"; no stack: .*: Operation not permitted \(a container may forbid ptrace\) request_id="
        server.wait_log(r"Slow request \(pid:\d+\): GET /\S+ HTTP/1\.1 from 127\.0\.0\.1, for \d\.\d s" + forbidden)
        assert read_response(sock).status == (504 if path == "/spin" else 200)


def test_a_stack_that_is_asked_for_is_refused_where_that_is_forbidden(tmp_path):
    socket = tmp_path / "control.sock"
    no_tracing = {"LSAN_OPTIONS": "detect_leaks=0"}
    filtered = [sys.executable, "-c", FILTERED]
    with Server("faults:app", "--control-socket", socket, env=no_tracing, wrapper=filtered) as server:
        sock = server.send("/sleep?ms=4000")
        server.wait_for(lambda: "GET /sleep" in run("ctl", "--control-socket", socket, "status").stdout)
        result = run("ctl", "--control-socket", socket, "stack", "0")
        assert (result.code, result.stdout) == (10, "")
        assert re.search(
            r"GET /sleep\?ms=4000 HTTP/1\.1 from 127\.0\.0\.1, for \d\.\d s; no stack: .*: Operation not permitted "
            r"\(a container may forbid ptrace\)\n$",
            result.stderr,
        )
        assert read_response(sock).status == 200
        assert run("ctl", "--control-socket", socket, "reload").code == 0
