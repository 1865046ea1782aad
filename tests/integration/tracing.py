"""Processes that do one step after the other, so that they can be killed at a certain one.

    with Traced(pid) as traced:
        call = traced.next_stop()      # before a system call, or behind it
        traced.step(100)               # instructions
        traced.kill()

All of it in one thread, as ptrace(2) wants it. Of processes with one thread.
"""

import ctypes
import os
import platform
import signal
import subprocess
from typing import NamedTuple

import pytest

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

_STEP, _DETACH, _SYSCALL = 9, 17, 24
_SEIZE, _INTERRUPT, _GET_INFO = 0x4206, 0x4207, 0x420E
_OPTION_SYSGOOD = 1
_ENTRY, _EXIT = 1, 2
_WALL = 0x40000000  # waits for whoever is traced

# x86-64's numbers of the calls that are asked for.
CALLS = {
    1: "write", 39: "getpid", 45: "recvfrom", 47: "recvmsg", 232: "epoll_wait", 281: "epoll_wait", 288: "accept4",
    307: "sendmmsg", 441: "epoll_wait",
}  # fmt: skip


class _Info(ctypes.Structure):
    _fields_ = [
        ("kind", ctypes.c_uint8),
        ("arch", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("rest", ctypes.c_uint64 * 8),
    ]


def _ptrace(request, pid, address=0, data=0):
    if _libc.ptrace(request, pid, address, data) < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"ptrace: {os.strerror(error)}")


class Stop(NamedTuple):
    call: str  # or its number, if nobody asks for it
    is_behind: bool


class Ended(Exception):
    """It came to its end by itself."""


class Traced:
    def __init__(self, pid):
        self._pid = pid
        self._call = ""
        self._is_there = True

    def __enter__(self):
        _ptrace(_SEIZE, self._pid, 0, _OPTION_SYSGOOD)
        _ptrace(_INTERRUPT, self._pid)
        self._wait()
        return self

    def __exit__(self, *_):
        if self._is_there:
            self.kill()

    def next_stop(self):
        passed_on = 0
        while True:
            _ptrace(_SYSCALL, self._pid, 0, passed_on)
            status = self._wait()
            stopped_by = os.WSTOPSIG(status)
            if stopped_by == signal.SIGTRAP | 0x80:
                return self._stop()
            passed_on = 0 if status >> 16 else stopped_by

    def step(self, instructions):
        for _ in range(instructions):
            _ptrace(_STEP, self._pid)
            self._wait()

    def kill(self):
        os.kill(self._pid, signal.SIGKILL)
        try:
            while True:
                self._wait()
        except Ended:
            pass

    def _stop(self):
        info = _Info()
        _ptrace(_GET_INFO, self._pid, ctypes.sizeof(info), ctypes.addressof(info))
        if info.kind == _ENTRY:
            self._call = CALLS.get(info.number, str(info.number))
        return Stop(self._call, info.kind == _EXIT)

    def _wait(self):
        _, status = os.waitpid(self._pid, _WALL)
        if not os.WIFSTOPPED(status):
            self._is_there = False
            raise Ended(status)
        return status


@pytest.fixture(scope="session")
def tracing():
    """Skips tests where nothing can be traced."""
    if platform.machine() != "x86_64":
        pytest.skip("the numbers of system calls are x86-64's")
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            with Traced(process.pid) as traced:
                traced.next_stop()
        except OSError as error:
            pytest.skip(f"nothing can be traced here: {error}")
        finally:
            process.kill()
