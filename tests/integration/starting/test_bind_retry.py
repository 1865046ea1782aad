"""An address that cannot be bound is retried for --bind-retry, then exit code 5; what is served goes on meanwhile."""

import os
import signal
import socket
import time

import pytest

from harness import (
    APPS,
    SANITIZED,
    Server,
    free_port,
    is_sleeping,
    read_response,
    request_bytes,
    run,
    wait_until,
    working_wrapper,
)

NO_ADDRESS = 5
NOT_OURS = "192.0.2.1"  # TEST-NET-1: no machine's


def listening(port=0):
    return socket.create_server(("127.0.0.1", port))


def live_unix_socket(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen()
    return sock


def ask_unix(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(path))
        sock.sendall(request_bytes("/"))
        return read_response(sock).status


def start(*args, **options):
    return run("hello:app", "--app-dir", APPS, *args, **options)


# ---- At the start


@pytest.mark.parametrize(
    "bind, said",
    [
        (f"{NOT_OURS}:0", f"cannot bind {NOT_OURS}:0: Cannot assign requested address"),
        ("no-such-host.invalid:0", "cannot bind no-such-host.invalid: "),
    ],
)
def test_what_never_comes_about_is_exit_code_5(bind, said):
    done = start("--bind", bind, "--bind-retry", "0.3")
    assert done.code == NO_ADDRESS
    assert done.stderr.count("retrying for 0.3 s (--bind-retry)") == 1
    assert done.stderr.count(said) == 2  # when it begins, and when it gives up
    assert "Booting worker" not in done.stderr


@pytest.mark.parametrize("workers", [1, 4])
def test_a_port_that_stays_taken_is_exit_code_5(workers):
    with listening() as taken:
        port = taken.getsockname()[1]
        done = start("--bind", f"127.0.0.1:{port}", "--bind-retry", "0.3", "--workers", workers)
    assert done.code == NO_ADDRESS
    assert done.stderr.count(f"cannot bind 127.0.0.1:{port}: Address already in use") == 2
    assert "Booting worker" not in done.stderr


def test_a_unix_socket_that_stays_live_is_exit_code_5(tmp_path):
    with live_unix_socket(tmp_path / "sock"):
        done = start("--bind", f"unix:{tmp_path}/sock", "--bind-retry", "0.3")
        assert done.code == NO_ADDRESS
    assert (tmp_path / "sock").exists()


def test_without_a_retry_it_ends_at_once():
    with listening() as taken:
        done = start("--bind", f"127.0.0.1:{taken.getsockname()[1]}", "--bind-retry", "0")
    assert done.code == NO_ADDRESS
    assert "retrying" not in done.stderr
    assert done.stderr.count("Address already in use") == 1


def test_the_reason_is_on_stderr_even_if_the_log_is_a_file(tmp_path):
    with listening() as taken:
        port = taken.getsockname()[1]
        done = start("--bind", f"127.0.0.1:{port}", "--bind-retry", "0.1", "--log-file", tmp_path / "log")
    assert done.code == NO_ADDRESS
    assert done.stderr == f"cppcorn: cannot bind 127.0.0.1:{port}: Address already in use\n"
    assert "retrying for 0.1 s" in (tmp_path / "log").read_text()


def test_a_port_that_becomes_free_is_taken():
    with listening() as taken:
        port = taken.getsockname()[1]
        with Server("hello:app", "--bind-retry", "60", bind=f"127.0.0.1:{port}", wait=False) as server:
            server.wait_log("Address already in use; retrying for 60 s")
            taken.close()
            server.wait_ready(1)
            assert server.get("/", port=port).status == 200
            assert server.count_log("retrying") == 1


def test_a_unix_socket_that_becomes_free_is_taken(tmp_path):
    path = tmp_path / "sock"
    with live_unix_socket(path) as taken:
        with Server("hello:app", "--bind-retry", "60", bind=f"unix:{path}", wait=False) as server:
            server.wait_log("Address already in use; retrying for 60 s")
            taken.close()
            server.wait_ready(1)
            assert ask_unix(path) == 200


@pytest.mark.skipif(SANITIZED, reason="a sanitizer looks for leaks in a process of its own")
def test_where_there_can_be_no_process_it_ends_after_the_wait_as_well():
    # Root has no such limit.
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    wrapper = working_wrapper(*nobody, "prlimit", "--nproc=0")
    with listening() as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        args = ["--bind-retry", "60"]
        with Server("hello:app", *args, bind=bind, cwd="/", wrapper=wrapper, wait=False, stop_code=3) as server:
            server.wait_log("retrying for 60 s")
            taken.close()
            assert server.wait_exit() == 3
            assert server.count_log(r"\[ERROR\] cannot fork") == 1
            server.stop = lambda *_: None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_while_it_waits_for_its_address_is_a_clean_end(number):
    with listening() as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        with Server("hello:app", "--bind-retry", "60", bind=bind, wait=False) as server:
            server.wait_log("retrying for 60 s")
            server.signal(signal.SIGHUP)  # changes nothing
            server.signal(number)
            assert server.wait_exit() == 0


def test_a_reload_that_is_asked_for_while_it_waits_follows():
    with listening() as taken:
        port = taken.getsockname()[1]
        with Server("hello:app", "--bind-retry", "60", bind=f"127.0.0.1:{port}", wait=False) as server:
            server.wait_log("retrying for 60 s")
            server.signal(signal.SIGHUP)
            server.wait_log("Handling signal: hup")
            taken.close()
            server.wait_log("Reloading: new workers start")
            server.wait_workers(1)
            assert server.get("/", port=port).status == 200


@pytest.mark.parametrize("kind", ["port", "unix", "pidfile"])
def test_a_start_right_after_the_master_was_killed(tmp_path, kind):
    """Its workers hold the address until they have noticed, for up to a second."""
    path, port = tmp_path / "sock", free_port()
    bind = f"unix:{path}" if kind == "unix" else f"127.0.0.1:{port}"
    args = ["--workers", "2", "--pid", tmp_path / "pid"] if kind == "pidfile" else ["--workers", "2"]
    with Server("faults:app", *args, bind=bind, wait=2, stop_code=-signal.SIGKILL) as first:
        if kind != "unix":
            first.send("/sleep?ms=700")
            first.wait_for(lambda: any(map(is_sleeping, first.worker_pids())), what="a busy worker")
        first.signal(signal.SIGKILL)
        with Server("faults:app", *args, bind=bind, wait=2) as second:
            assert (ask_unix(path) if kind == "unix" else second.get("/", port=port).status) == 200
        first.wait_exit()


# ---- At a reload


def reload_to(server, config, bind, retry):
    config.write_text(f'bind = ["{bind}"]\nbind_retry = {retry}\n')
    server.signal(signal.SIGHUP)


def serve_from(config):
    port = free_port()
    config.write_text(f'bind = ["127.0.0.1:{port}"]\n')
    return Server("faults:app", "--config", config, bind=None), port


def test_a_reload_waits_for_an_address_and_serves_meanwhile(tmp_path):
    config = tmp_path / "settings.toml"
    server, port = serve_from(config)
    with server, listening() as taken:
        new = taken.getsockname()[1]
        (old,) = server.wait_workers(1)
        reload_to(server, config, f"127.0.0.1:{new}", 60)
        server.wait_log(f"cannot bind 127.0.0.1:{new}: Address already in use; retrying for 60 s")
        assert server.get("/", port=port).status == 200
        os.kill(old, signal.SIGKILL)  # the master looks after its workers meanwhile
        server.wait_for(lambda: server.worker_pids() not in ([], [old]), what="another worker")
        server.wait_workers(1)
        assert server.get("/", port=port).status == 200
        taken.close()
        server.wait_log(f"Listening at: http://127.0.0.1:{new}")
        wait_until(lambda: answers(server, new), what="an answer at the new address")


def answers(server, port):
    try:
        return server.get("/", port=port).status == 200
    except OSError:
        return False


def test_a_reload_gives_up_an_address_that_stays_taken(tmp_path):
    config = tmp_path / "settings.toml"
    server, port = serve_from(config)
    with server, listening() as taken:
        workers = server.wait_workers(1)
        reload_to(server, config, f"127.0.0.1:{taken.getsockname()[1]}", 0.3)
        server.wait_log("Reload failed: the old workers serve on")
        assert server.count_log("retrying for 0.3 s") == 1
        assert server.wait_workers(1) == workers
        assert server.get("/", port=port).status == 200


def test_another_reload_takes_the_place_of_one_that_waits(tmp_path):
    config = tmp_path / "settings.toml"
    server, port = serve_from(config)
    with server, listening() as taken:
        reload_to(server, config, f"127.0.0.1:{taken.getsockname()[1]}", 60)
        server.wait_log("retrying for 60 s")
        other = free_port()
        reload_to(server, config, f"127.0.0.1:{other}", 60)
        server.wait_log(f"Listening at: http://127.0.0.1:{other}")
        wait_until(lambda: answers(server, other), what="an answer at the new address")


def test_term_ends_a_reload_that_waits_for_its_address(tmp_path):
    config = tmp_path / "settings.toml"
    server, _ = serve_from(config)
    with server, listening() as taken:
        reload_to(server, config, f"127.0.0.1:{taken.getsockname()[1]}", 60)
        server.wait_log("retrying for 60 s")
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < server.within(5)
