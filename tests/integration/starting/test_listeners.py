"""Where it listens, and what it does to the files and descriptors that it is given for that."""

import os
import re
import signal
import socket
import stat

import pytest

from harness import APPS, Server, free_port, has_ipv6, read_response, request_bytes, run, wait_until, with_file


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")


def ask(sock, path="/"):
    with sock:
        sock.sendall(request_bytes(path))
        return read_response(sock)


def unix_socket(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(10)
    sock.connect(str(path))
    return sock


# ---- TCP


def test_several_binds_all_serve(tmp_path):
    path = tmp_path / "x.sock"
    with Server("hello:app", "--bind", "127.0.0.1:0", "--bind", f"unix:{path}", "--workers", "2", wait=2) as server:
        server.wait_log("Listening at: ", count=3)
        ports = server.ports()
        assert len(set(ports)) == 2
        for port in ports:
            for _ in range(5):
                assert server.get("/", port=port).body == b"Hello, world!\n"
        assert ask(unix_socket(path)).status == 200
        assert server.count_log(rf"\[INFO\] Listening at: unix:{path} \({server.pid}\)$") == 1


def test_one_line_for_each_address_whatever_the_number_of_workers():
    with Server("hello:app", "--workers", "4", wait=4) as server:
        assert server.count_log("Listening at: ") == 1


@needs_ipv6
def test_ipv6():
    with Server("environ:app", bind="[::1]:0") as server:
        server.wait_log(rf"Listening at: http://\[::1\]:{server.port} \({server.pid}\)$")
        response = ask(server.connect(host="::1"))
        assert response.status == 200
        assert b"::1" in response.body
        with pytest.raises(ConnectionRefusedError):
            server.connect(host="127.0.0.1")


@needs_ipv6
def test_the_ipv6_wildcard_takes_ipv4_as_well():
    with Server("hello:app", bind="[::]:0") as server:
        assert ask(server.connect(host="::1")).status == 200
        assert ask(server.connect(host="127.0.0.1")).status == 200


@needs_ipv6
def test_both_wildcards_on_one_port():
    port = free_port()
    with Server("hello:app", "--bind", f"0.0.0.0:{port}", bind=f"[::]:{port}") as server:
        assert ask(server.connect(host="::1")).status == 200
        assert ask(server.connect(host="127.0.0.1")).status == 200


# ---- Names


def with_hosts(tmp_path, text):
    """A wrapper with a hosts file of the test's own."""
    hosts = tmp_path / "hosts"
    hosts.write_text(text)
    return with_file("/etc/hosts", hosts)


def listening_at(server):
    server.wait_log("Booting worker")  # a wrapper's own child is not a worker yet
    return re.findall(r"Listening at: http://(\S+):(\d+) ", server.log_text())


def test_localhost():
    """With whatever hosts file there is, or none."""
    with Server("hello:app", bind="localhost:0") as server:
        assert server.get("/").status == 200


@needs_ipv6
@pytest.mark.parametrize("port", [0, None])
def test_a_name_of_both_families_listens_in_both_on_one_port(tmp_path, port):
    port = free_port() if port is None else port
    hosts = with_hosts(tmp_path, "127.0.0.1 localhost\n::1 localhost\n")
    with Server("hello:app", bind=f"localhost:{port}", wrapper=hosts) as server:
        assert listening_at(server) == [("127.0.0.1", str(server.port)), ("[::1]", str(server.port))]
        assert ask(server.connect(host="127.0.0.1")).status == 200
        assert ask(server.connect(host="::1")).status == 200
        # And it is the same two after a reload.
        workers = server.wait_workers(1)
        server.signal(signal.SIGHUP)
        server.wait_for(lambda: server.worker_pids() not in ([], workers), what="a new worker")
        server.wait_for(lambda: len(server.worker_pids()) == 1, what="the end of the old worker")
        assert len(listening_at(server)) == 2
        assert ask(server.connect(host="127.0.0.1")).status == 200
        assert ask(server.connect(host="::1")).status == 200


@needs_ipv6
def test_the_same_name_twice(tmp_path):
    hosts = with_hosts(tmp_path, "127.0.0.1 localhost\n::1 localhost\n")
    with Server("hello:app", "--bind", "localhost:0", bind="localhost:0", wrapper=hosts) as server:
        first, second, third, fourth = listening_at(server)
        assert first[1] == second[1] != third[1] == fourth[1]
        workers = server.wait_workers(1)
        server.signal(signal.SIGHUP)
        server.wait_for(lambda: server.worker_pids() not in ([], workers), what="a new worker")
        assert len(listening_at(server)) == 4
        for _, port in (first, third):
            assert ask(server.connect(host="::1", port=int(port))).status == 200


@pytest.mark.parametrize(
    "hosts, expected",
    [
        ("127.0.0.1 localhost\n", ["127.0.0.1"]),
        ("127.0.0.1 localhost\n127.0.0.1 localhost other\n", ["127.0.0.1"]),
        ("127.0.0.1 localhost\n::1 localhost ip6-localhost\n", ["127.0.0.1", "[::1]"]),
        ("127.0.0.2 localhost\n", ["127.0.0.2"]),
    ],
)
def test_a_name_means_what_the_hosts_file_says(tmp_path, hosts, expected):
    if not has_ipv6():
        expected = expected[:1]
    with Server("hello:app", bind="localhost:0", wrapper=with_hosts(tmp_path, hosts)) as server:
        assert [host for host, _ in listening_at(server)] == expected


@needs_ipv6
@pytest.mark.parametrize("other", ["[::1]", "[::]"])
def test_a_name_leaves_to_others_what_they_ask_for(tmp_path, other):
    hosts = with_hosts(tmp_path, "127.0.0.1 localhost\n::1 localhost\n")
    port = free_port()
    args = ("--bind", f"{other}:{port}")
    with Server("hello:app", *args, bind=f"localhost:{port}", wrapper=hosts) as server:
        assert [host for host, _ in listening_at(server)] == ["127.0.0.1", other]
        assert ask(server.connect(host="127.0.0.1")).status == 200
        assert ask(server.connect(host="::1")).status == 200


@needs_ipv6
def test_both_families_are_passed_on_in_an_upgrade(tmp_path):
    hosts = with_hosts(tmp_path, "127.0.0.1 localhost\n::1 localhost\n")
    pidfile = tmp_path / "pid"
    with Server("hello:app", "--pid", pidfile, bind="localhost:0", wrapper=hosts) as server:
        server.signal(signal.SIGUSR2)
        second = tmp_path / "pid.2"
        wait_until(second.exists, what="the new master's pidfile")
        new = int(second.read_text())
        server.wait_log(rf"\[::1\]:{server.port} \({new}\)")
        assert server.count_log(rf"Listening at: http://\S+:{server.port} \({new}\)") == 2
        os.kill(new, signal.SIGTERM)
        server.wait_log(rf"The new master \(pid:{new}\)")


@needs_ipv6
def test_a_port_that_is_taken_in_one_family_is_taken(tmp_path):
    hosts = with_hosts(tmp_path, "127.0.0.1 localhost\n::1 localhost\n")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        port = taken.getsockname()[1]
        args = ("--bind-retry", "0.2")
        with Server("hello:app", *args, bind=f"localhost:{port}", wrapper=hosts, wait=False, stop_code=5) as server:
            assert server.wait_exit() == 5
            assert "Address already in use" in server.log_text()


def test_a_restart_on_the_same_port_does_not_wait():
    """Although connections that the first server has closed are still in TIME_WAIT."""
    port = free_port()
    for _ in range(2):
        with Server("hello:app", bind=f"127.0.0.1:{port}") as server:
            assert server.get("/", headers={"Connection": "close"}).status == 200


def test_reuse_port_lets_a_second_server_in():
    with Server("hello:app", "--reuse-port") as first:
        with Server("faults:app", "--reuse-port", bind=f"127.0.0.1:{first.port}") as second:
            assert second.port == first.port
            seen = set()
            wait_until(lambda: seen.add(first.get("/").body) or len(seen) == 2, what="an answer from each")
            assert seen == {b"Hello, world!\n", b"ok\n"}


# ---- The environment


def test_port_means_all_interfaces():
    port = free_port()
    with Server("hello:app", bind=None, env={"PORT": str(port)}) as server:
        server.wait_log(rf"Listening at: http://0\.0\.0\.0:{port} \({server.pid}\)$")
        assert server.get("/").status == 200


def test_a_flag_beats_the_environment():
    taken = free_port()
    with Server("hello:app", env={"PORT": str(taken)}) as server:
        assert server.port != taken
        assert server.get("/").status == 200


def test_web_concurrency():
    with Server("hello:app", env={"WEB_CONCURRENCY": "3"}, wait=3) as server:
        assert len(server.wait_workers(3)) == 3


def test_a_flag_beats_web_concurrency():
    with Server("hello:app", "--workers", "2", env={"WEB_CONCURRENCY": "4"}, wait=2) as server:
        server.wait_workers(2)
        assert server.count_log("Booting worker") == 2


def test_blank_variables_count_as_unset():
    with Server("hello:app", env={"PORT": "", "WEB_CONCURRENCY": " ", "CPPCORN_CMD_ARGS": ""}) as server:
        assert len(server.wait_workers(1)) == 1


def test_cmd_args():
    with Server("hello:app", env={"CPPCORN_CMD_ARGS": "--workers 2 --name 'from the variable'"}, wait=2) as server:
        server.wait_workers(2)
        assert server.get("/").status == 200


def test_the_usual_file_in_the_current_folder(tmp_path):
    settings = f'app = "hello:app"\nworkers = 2\nbind = "127.0.0.1:0"\napp_dir = "{APPS}"\n'
    (tmp_path / "cppcorn.toml").write_text(settings)
    with Server(None, bind=None, app_dir=None, cwd=tmp_path, wait=2) as server:
        server.wait_workers(2)
        assert server.get("/").status == 200


# ---- Unix sockets


def test_a_unix_socket_is_for_everybody_and_goes_at_the_end(tmp_path):
    path = tmp_path / "x.sock"
    with Server("environ:app", bind=f"unix:{path}"):
        info = path.stat()
        assert stat.S_ISSOCK(info.st_mode)
        assert stat.S_IMODE(info.st_mode) == 0o777
        assert ask(unix_socket(path)).status == 200
    assert not path.exists()


def test_a_unix_socket_stays_while_workers_come_and_go(tmp_path):
    path = tmp_path / "x.sock"
    with Server("faults:app", "--max-requests", "1", bind=f"unix:{path}") as server:
        for count in (1, 2, 3):
            assert ask(unix_socket(path)).status == 200
            server.wait_log("Worker exiting", count=count)
            server.wait_workers(1)
        assert ask(unix_socket(path)).status == 200
        assert path.exists()


def test_a_left_over_unix_socket_is_replaced(tmp_path):
    path = tmp_path / "x.sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    assert path.exists()
    with Server("hello:app", bind=f"unix:{path}"):
        assert ask(unix_socket(path)).status == 200


def test_a_live_unix_socket_is_left_alone(tmp_path):
    path = tmp_path / "x.sock"
    with Server("hello:app", bind=f"unix:{path}"):
        done = run("hello:app", "--app-dir", APPS, "--bind", f"unix:{path}", "--bind-retry", "0.1")
        assert done.code == 5
        assert f"unix:{path}" in done.stderr and "in use" in done.stderr
        assert ask(unix_socket(path)).status == 200
    assert not path.exists()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_no_socket_is_never_removed(tmp_path, kind):
    path = tmp_path / "precious"
    if kind == "file":
        path.write_text("data")
    else:
        path.mkdir()
    done = run("hello:app", "--app-dir", APPS, "--bind", f"unix:{path}")
    assert done.code == 1
    assert str(path) in done.stderr
    assert path.read_text() == "data" if kind == "file" else path.is_dir()


def test_a_unix_socket_that_was_replaced_meanwhile_is_not_removed(tmp_path):
    """By a second server that came up in the same place: it is that one's now."""
    path = tmp_path / "x.sock"
    with Server("hello:app", bind=f"unix:{path}") as first:
        path.rename(tmp_path / "aside")
        with Server("faults:app", bind=f"unix:{path}"):
            first.stop()
            assert ask(unix_socket(path)).body == b"ok\n"


def test_a_unix_path_that_is_too_long(tmp_path):
    done = run("hello:app", "--app-dir", APPS, "--bind", f"unix:{tmp_path}/{'x' * 120}")
    assert done.code == 1
    assert "too long" in done.stderr


def test_a_unix_socket_in_a_folder_that_is_not_there(tmp_path):
    done = run("hello:app", "--app-dir", APPS, "--bind", f"unix:{tmp_path}/no/x.sock")
    assert done.code == 1
    assert "no/x.sock" in done.stderr


# ---- Abstract sockets


def test_an_abstract_socket(tmp_path):
    name = f"cppcorn-test-{os.getpid()}"
    with Server("environ:app", bind=f"unix:@{name}", cwd=tmp_path) as server:
        server.wait_log(rf"Listening at: unix:@{name} \({server.pid}\)$")
        assert ask(unix_socket(f"\0{name}")).status == 200
        server.signal(signal.SIGHUP)
        server.wait_log("Booting worker", count=2)
        assert ask(unix_socket(f"\0{name}")).status == 200
        done = run("hello:app", "--app-dir", APPS, "--bind", f"unix:@{name}", "--bind-retry", "0.1")
        assert done.code == 5
        assert f"cannot bind unix:@{name}: Address already in use" in done.stderr
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        unix_socket(f"\0{name}")


def test_an_abstract_socket_that_was_inherited():
    name = f"cppcorn-test-inherited-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        listener.listen()
        fd = listener.fileno()
        with Server("hello:app", bind=f"fd://{fd}", pass_fds=[fd]) as server:
            server.wait_log(rf"Listening at: unix:@{name} ")
            assert ask(unix_socket(f"\0{name}")).status == 200


def test_an_abstract_socket_is_passed_on_in_an_upgrade(tmp_path):
    name = f"cppcorn-test-upgrade-{os.getpid()}"
    with Server("hello:app", "--pid", tmp_path / "pid", bind=f"unix:@{name}") as server:
        server.signal(signal.SIGUSR2)
        server.wait_log(rf"Listening at: unix:@{name} ", count=2)
        new = int((tmp_path / "pid.2").read_text())
        os.kill(new, signal.SIGTERM)
        server.wait_log(rf"The new master \(pid:{new}\)")
        assert ask(unix_socket(f"\0{name}")).status == 200


def test_a_file_whose_name_begins_with_an_at_sign(tmp_path):
    with Server("hello:app", bind="unix:./@x", cwd=tmp_path):
        assert ask(unix_socket(tmp_path / "@x")).status == 200


# ---- Inherited descriptors


def test_an_inherited_descriptor():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        fd = listener.fileno()
        with Server("hello:app", "--workers", "2", bind=f"fd://{fd}", pass_fds=[fd], wait=2) as server:
            server.wait_log("Listening at: ")
            for _ in range(10):
                assert server.get("/", port=port).status == 200
        # It is its owner's: still open, and still there for the next server.
        with Server("hello:app", bind=f"fd://{fd}", pass_fds=[fd]) as server:
            assert server.get("/", port=port).status == 200


def test_an_inherited_unix_socket_is_not_removed(tmp_path):
    path = tmp_path / "x.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        fd = listener.fileno()
        with Server("hello:app", bind=f"fd://{fd}", pass_fds=[fd]):
            assert ask(unix_socket(path)).status == 200
    assert path.exists()


def test_a_descriptor_that_is_not_there():
    done = run("hello:app", "--app-dir", APPS, "--bind", "fd://77")
    assert done.code == 1
    assert "fd://77" in done.stderr


def test_a_descriptor_that_does_not_listen():
    with socket.socket() as plain:
        fd = plain.fileno()
        done = run("hello:app", "--app-dir", APPS, "--bind", f"fd://{fd}", pass_fds=[fd])
    assert done.code == 1
    assert "not a listening socket" in done.stderr


def test_the_listener_is_not_inherited_by_the_apps_own_children():
    """Close-on-exec, all of them: the flags of the master's and the workers' sockets say so."""
    with Server("hello:app") as server:
        for pid in (server.pid, *server.wait_workers(1)):
            sockets = [fd for fd in os.listdir(f"/proc/{pid}/fd") if "socket:" in os.readlink(f"/proc/{pid}/fd/{fd}")]
            assert sockets
            for fd in sockets:
                flags = next(
                    line.split()[1] for line in open(f"/proc/{pid}/fdinfo/{fd}") if line.startswith("flags:")
                )
                assert int(flags, 8) & os.O_CLOEXEC
