"""An exception that leaves a function of an app's, which must let none out: the process ends there, where it was thrown,
and the log shows that place and what was thrown."""

import re

import pytest

from harness import APPS, SANITIZED, Server, run


def stack_of(log):
    """What the log has of the first stack: the text from its header on."""
    return re.search(r"Stack of pid \d+ at SIGABRT(.*)", log, re.DOTALL)[1]


def assert_told(log, where):
    stack = stack_of(log)
    assert f"Uncaught std::runtime_error: escaped from {where}" in stack
    # The function that throws has a local that is to be destroyed, and still stands on the stack below the other.
    assert len(re.findall(r"escapes\.so\(\+0x", stack)) >= 2, stack


def test_out_of_handle():
    with Server("escapes:handle") as server:
        assert server.get("/").status == 500
        server.wait_log(r"was sent SIGABRT while serving GET / HTTP/1\.1, for ")
        server.wait_log(r"escapes\.so\(\+0x")
        server.wait_ready()
        assert_told(server.log_text(), "handle")


def test_what_is_no_object_with_a_text():
    with Server("escapes:handle_number") as server:
        assert server.get("/").status == 500
        server.wait_log(r"Uncaught int$")
        server.wait_ready()


def test_out_of_worker_start():
    with Server("escapes:worker_start", wait=False, stop_code=3) as server:
        assert server.wait_exit() == 3
        assert_told(server.log_text(), "worker_start")


@pytest.mark.parametrize("function", ["worker_exit", "destroy"])
def test_out_of_what_ends_a_worker(function):
    with Server(f"escapes:{function}") as server:
        assert server.get("/").status == 204
        server.stop()
        assert_told(server.log_text(), function)


@pytest.mark.skipif(SANITIZED, reason="a process that crashes while it is loaded reports leaks")
@pytest.mark.parametrize("app, env", [("entry", {}), ("app", {"ESCAPES_FROM_CONSTRUCTOR": "1"})])
def test_out_of_loading(app, env):
    result = run(f"escapes:{app}", "--bind", "127.0.0.1:0", "--app-dir", APPS, env=env)
    assert result.code == 4
    assert f"escapes:{app}: crashed while loading (SIGABRT)" in result.stderr
    assert_told(result.stderr, "entry" if app == "entry" else "constructor")
