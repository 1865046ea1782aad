"""What signals do to a master that is not simply serving."""

import signal

import pytest

from harness import Server, is_sleeping, read_response


@pytest.fixture
def delaying():
    """A server that has been told to stop, and serves on for now."""
    with Server("faults:app", "--workers", "2", "--shutdown-delay", "60", wait=2) as server:
        workers = server.wait_workers(2)
        assert server.get("/").status == 200  # so that the master knows of one that serves
        server.signal(signal.SIGTERM)
        server.wait_log("serving on for 60 s")
        yield server
        server.signal(signal.SIGUSR1)  # is seen after the signals before it
        server.wait_log("Handling signal: usr1")
        assert server.worker_pids() == workers
        assert server.get("/").status == 200
        server.signal(signal.SIGQUIT)
        assert server.wait_exit() == 0


@pytest.mark.parametrize("name", ["winch", "ttin", "ttou", "hup", "term"])
def test_the_shutdown_delay_goes_on_whatever_else_is_asked_for(delaying, name):
    delaying.signal(signal.Signals[f"SIG{name.upper()}"])
    delaying.wait_log(rf"\[INFO\] Handling signal: {name}; ignored: the server is about to stop")


@pytest.mark.parametrize("name", ["winch", "ttin", "ttou", "hup", "term"])
def test_what_a_stopping_server_does_not_do_it_says(name):
    with Server("faults:app") as server:
        sock = server.send("/sleep?ms=500")
        server.wait_for(lambda: any(map(is_sleeping, server.worker_pids())), what="the request")
        server.signal(signal.SIGTERM)
        server.wait_log("Handling signal: term")
        server.signal(signal.Signals[f"SIG{name.upper()}"])
        server.wait_log(rf"\[INFO\] Handling signal: {name}; ignored: the server is stopping")
        assert read_response(sock).status == 200
        sock.close()
        assert server.wait_exit() == 0
        assert server.count_log("Booting worker") == 1


@pytest.mark.parametrize("name", ["winch", "ttin", "ttou"])
def test_what_comes_before_the_app_is_loaded_is_ignored(name):
    with Server("boot_hang:app", wait=False) as server:
        server.wait_log("Using worker")
        server.signal(signal.Signals[f"SIG{name.upper()}"])
        server.wait_log(rf"\[INFO\] Handling signal: {name}; ignored: the server has not started yet")
        server.signal(signal.SIGTERM)
        assert server.wait_exit() == 0


def test_retired_workers_are_not_made_fewer_but_come_back():
    with Server("faults:app") as server:
        server.signal(signal.SIGWINCH)
        server.wait_log("Handling signal: winch; the workers retire, the master stays")
        server.wait_for(lambda: not server.worker_pids(), what="the end of the workers")
        for name in ("winch", "ttou"):
            server.signal(signal.Signals[f"SIG{name.upper()}"])
            server.wait_log(f"Handling signal: {name}; ignored: the workers have retired")
        server.signal(signal.SIGTTIN)
        server.wait_log("Handling signal: ttin; now 1 worker$")
        server.wait_workers(1)
        assert server.get("/").status == 200
