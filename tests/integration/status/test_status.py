"""The status process answers for the service whatever its workers do: docs/status.md."""

import json
import os
import signal
import socket
import stat
import time

import pytest

from harness import (
    SANITIZED,
    Server,
    command_line,
    free_port,
    has_ipv6,
    is_alive,
    is_worker,
    open_files,
    process,
    processes,
    read_response,
    request_bytes,
    wait_until,
)
from status_port import StatusServer, ask_unix


def stop_all(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: all(process(pid).state == "T" for pid in pids), what="that they are stopped")


def continue_all(pids):
    for pid in pids:
        if is_alive(pid):
            os.kill(pid, signal.SIGCONT)


def listening_sockets(pids):
    """The addresses that these processes hold listening sockets of, in both families."""
    inodes = {target[8:-1] for pid in pids for target in open_files(pid).values() if target.startswith("socket:[")}
    found = set()
    for name in ("tcp", "tcp6"):
        try:
            with open(f"/proc/net/{name}") as table:
                rows = [line.split() for line in table][1:]
        except FileNotFoundError:
            continue
        found |= {(name, int(row[1].rpartition(":")[2], 16)) for row in rows if row[3] == "0A" and row[9] in inodes}
    return found


def test_a_service_in_good_health_is_alive_and_ready():
    with StatusServer("hello:app", "--workers", "2", wait=2) as server:
        assert server.ask("/live")[0] == 200
        assert server.ask("/live").body == b"ok\n"
        ready = server.wait_status("/ready", 200)
        server.wait_for(lambda: server.ask("/ready").body == b"ok: 2 of 2 workers serve\n")
        assert ready.headers["cache-control"] == "no-store"
        assert ready.headers["content-type"] == "text/plain; charset=utf-8"
        [status] = server.status_pids()
        assert command_line(status) == "cppcorn: status [hello:app]"
        assert len(server.worker_pids()) == 2


def test_without_the_setting_nothing_more_listens_and_nobody_is_there():
    with Server("hello:app") as server:
        assert listening_sockets([each.pid for each in server.tree()]) == {("tcp", server.port)}
        assert not [each for each in server.tree() if "status" in command_line(each.pid)]


def test_with_it_only_what_was_asked_for_listens():
    with StatusServer("hello:app") as server:
        server.wait_status("/ready", 200)
        tree = [each.pid for each in server.tree()]
        assert listening_sockets(tree) == {("tcp", server.port), ("tcp", server.status_port)}
        # Whoever holds the service's own would keep its address when the workers have ended.
        assert listening_sockets(server.status_pids()) == {("tcp", server.status_port)}
        assert listening_sockets(server.worker_pids()) == {("tcp", server.port)}


def test_only_get_and_head_and_only_what_there_is():
    with StatusServer("hello:app") as server:
        server.wait_status("/ready", 200)
        head = server.ask("/live", method="HEAD")
        assert (head.status, head.headers["content-length"], head.body) == (200, "3", b"")
        posted = server.ask("/live", method="POST", body=b"")
        assert (posted.status, posted.headers["allow"]) == (405, "GET, HEAD")
        assert server.ask("/live", method="POST", body=b"x" * 1000).status == 413
        for path in ("/nothing", "//live", "/live/", "/%6Cive/..", "/../ready", "/LIVE"):
            assert server.ask(path).status == 404, path


def test_it_answers_while_all_workers_are_stopped():
    with StatusServer("faults:app", "--workers", "3", wait=3) as server:
        server.wait_status("/ready", 200)
        workers = server.worker_pids()
        stop_all(workers)
        try:
            took = []
            for path in ("/live", "/ready", "/metrics") * 5:
                began = time.monotonic()
                assert server.ask(path).status == 200, path
                took.append(time.monotonic() - began)
            assert min(took) < 0.01 * server.within(1)
        finally:
            continue_all(workers)


def test_it_answers_while_all_workers_are_busy_and_the_queue_fills():
    with StatusServer("faults:app", "--workers", "2", "--ready-max-queue", "3", wait=2) as server:
        server.wait_status("/ready", 200)
        busy = [server.send("/sleep?ms=3000") for _ in range(2)]
        server.wait_for(lambda: server.metrics()["cppcorn_workers_busy"] == 2)
        waiting = [server.send("/sleep?ms=0") for _ in range(4)]
        answer = server.wait_status("/ready", 503)
        assert answer.body == b"4 connections wait for a worker, more than 3 (--ready-max-queue)\n"
        assert server.ask("/live").status == 200
        for sock in busy + waiting:
            assert read_response(sock).status == 200
        assert server.ask("/ready").status == 200


def test_whoever_would_wait_for_too_long_is_sent_elsewhere():
    with StatusServer("faults:app", "--ready-max-wait", "0.5") as server:
        server.wait_status("/ready", 200)
        busy = server.send("/sleep?ms=6000")
        server.wait_for(lambda: server.metrics()["cppcorn_workers_busy"] == 1)
        waiting = server.send("/sleep?ms=0")
        answer = server.wait_status("/ready", 503)
        assert b"s for a worker, more than 0.5 s (--ready-max-wait)\n" in answer.body
        assert [read_response(sock).status for sock in (busy, waiting)] == [200, 200]
        assert server.ask("/ready").status == 200


def test_a_master_that_does_not_go_round_is_not_alive():
    with StatusServer("hello:app") as server:
        server.wait_status("/ready", 200)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            answer = server.wait_for(lambda: (found := server.ask("/live")).status == 503 and found, timeout=20)
            assert answer.body.startswith(b"the master has not gone round for ")
        finally:
            os.kill(server.pid, signal.SIGCONT)
        server.wait_status("/live", 200)


def test_while_no_worker_can_start_it_says_so():
    with StatusServer("boot_hang:app", "--boot-timeout", "20", wait=False, stop_code=0) as server:
        answer = server.ask("/ready")
        assert (answer.status, answer.body) == (503, b"starting\n")
        assert server.ask("/live").status == 200


def test_a_stop_is_told_at_once_and_it_answers_to_the_end():
    with StatusServer("faults:app", "--workers", "2", wait=2) as server:
        server.wait_status("/ready", 200)
        busy = server.send("/sleep?ms=2000")
        server.wait_for(lambda: server.metrics()["cppcorn_workers_busy"] == 1)
        server.signal(signal.SIGTERM)
        answer = server.wait_status("/ready", 503)
        assert answer.body == b"stopping\n"
        assert server.ask("/live").status == 200
        assert read_response(busy).status == 200
        assert server.wait_exit() == 0
        with pytest.raises(ConnectionRefusedError):
            server.ask("/live")


def test_a_stop_signal_to_all_processes_ends_it_last():
    with StatusServer("faults:app") as server:
        server.wait_status("/ready", 200)
        busy = server.send("/sleep?ms=1500")
        server.wait_for(lambda: server.metrics()["cppcorn_workers_busy"] == 1)
        for pid in [server.pid, *server.status_pids()]:
            os.kill(pid, signal.SIGTERM)
        assert server.wait_status("/ready", 503).body == b"stopping\n"
        assert server.ask("/live").status == 200
        assert read_response(busy).status == 200


def test_during_a_shutdown_delay_it_is_not_ready_but_serves():
    with StatusServer("hello:app", "--shutdown-delay", "1") as server:
        server.wait_status("/ready", 200)
        server.signal(signal.SIGTERM)
        assert server.wait_status("/ready", 503).body == b"stopping\n"
        assert server.get("/").status == 200


def test_workers_that_have_retired_are_told_of():
    with StatusServer("hello:app") as server:
        server.wait_status("/ready", 200)
        server.signal(signal.SIGWINCH)
        assert server.wait_status("/ready", 503).body == b"the workers have retired\n"


def test_when_it_dies_another_one_is_started_and_no_worker_notices():
    with StatusServer("hello:app") as server:
        server.wait_status("/ready", 200)
        workers = server.worker_pids()
        for times in (1, 2):
            [status] = server.status_pids()
            os.kill(status, signal.SIGKILL)
            server.wait_log(r"The status process \(pid:\d+\) was sent SIGKILL; another one is started in 0\.\d s", count=times)
            server.wait_for(lambda: server.status_pids(), what="another status process")
            assert server.ask("/ready").status == 200
        assert server.worker_pids() == workers
        metrics = server.metrics()
        assert sum(value for name, value in metrics.items() if name.startswith("cppcorn_worker_ends_total")) == 0


def test_a_crash_of_it_is_explained_and_it_is_no_end_of_a_worker():
    with StatusServer("hello:app") as server:
        server.wait_status("/ready", 200)
        [status] = server.status_pids()
        os.kill(status, signal.SIGSEGV)
        server.wait_log(rf"The status process \(pid:{status}\) was sent SIGSEGV; another one is started in 0\.1 s")
        server.wait_log(rf"Stack of pid {status} at SIGSEGV: sent by pid {os.getpid()}, between requests")
        server.wait_for(server.status_pids, what="another status process")
        # The report is no worker's: the page has none.
        assert server.ask("/ready").status == 200
        metrics = server.metrics()
        assert sum(value for name, value in metrics.items() if name.startswith("cppcorn_worker_ends_total")) == 0
        assert b"Stack of pid" not in server.ask("/status.json").body


def test_one_that_stands_still_is_replaced_and_says_where():
    unwatched = StatusServer("hello:app", "--timeout", "0")
    with unwatched, StatusServer("hello:app") as sound, StatusServer("hello:app") as server:
        for each in (unwatched, sound, server):
            each.wait_status("/ready", 200)
        sound_status, workers = sound.status_pids(), server.worker_pids()
        [left_alone], [status] = unwatched.status_pids(), server.status_pids()
        stop_all([left_alone, status])
        server.wait_log(rf"The status process \(pid:{status}\) stands still; another one takes its place", timeout=30)
        server.wait_log(rf"Stack of pid {status} at SIGABRT: sent by the master, between requests")
        server.wait_for(lambda: status not in server.status_pids() and server.status_pids(), what="another status process")
        assert server.ask("/ready").status == 200
        assert server.worker_pids() == workers
        # With a --timeout of 0, which is for people with debuggers, none is.
        assert process(left_alone).state == "T"
        continue_all([left_alone])
        # Nor is one that nobody has asked for anything meanwhile.
        assert sound.status_pids() == sound_status
        assert sound.count_log(r"stands still|suspended for 0\.0") == 0


def test_the_pause_grows_while_it_dies_again_and_again():
    with StatusServer("hello:app") as server:
        for pause in ("0.1", "0.2", "0.4"):
            [status] = server.wait_for(server.status_pids)
            os.kill(status, signal.SIGKILL)
            server.wait_log(rf"The status process \(pid:{status}\) was sent SIGKILL; another one is started in {pause} s")


def test_a_reload_changes_it_and_counters_go_on():
    with StatusServer("hello:app", "--workers", "2", wait=2) as server:
        server.wait_status("/ready", 200)
        for _ in range(5):
            server.get("/")
        [before] = server.status_pids()
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done")
        server.wait_for(lambda: server.status_pids() not in ([], [before]))
        metrics = server.metrics()
        assert metrics['cppcorn_requests_total{class="2xx"}'] == 5
        assert metrics['cppcorn_reloads_total{result="done"}'] == 1
        server.wait_for(lambda: server.metrics()['cppcorn_worker_ends_total{cause="retired"}'] == 2)
        assert server.metrics()['cppcorn_requests_total{class="2xx"}'] == 5


def test_what_was_long_ago_is_not_recent_after_a_reload():
    with StatusServer("faults:app", wait=1) as server:
        server.wait_status("/ready", 200)

        def in_slot_0():
            workers = json.loads(server.ask("/status.json").body)["workers"]
            return next((each for each in workers if each["slot"] == 0), None)

        for _ in range(3):
            assert server.get("/sleep?ms=20").status == 200
        server.wait_for(lambda: in_slot_0()["slot_recent"]["count"] == 3)
        for times in (1, 2):  # the second one's worker is in the first one's slot
            [before] = server.status_pids()
            server.signal(signal.SIGHUP)
            server.wait_log("Reload done", count=times)
            server.wait_for(lambda: server.status_pids() not in ([], [before]))
            server.wait_workers(1)
        worker = server.wait_for(in_slot_0)
        assert worker["slot_answers"] == 3
        assert worker["slot_recent"]["count"] == 0 and worker["slot_recent"]["p95"] is None


def test_a_reload_may_take_the_address_away_and_give_another(tmp_path):
    settings = tmp_path / "cppcorn.toml"
    first, second = free_port(), free_port()
    settings.write_text(f"status_bind = '127.0.0.1:{first}'")
    with Server("hello:app", "--config", settings) as server:
        server.wait_for(lambda: server.get("/ready", port=first).status == 200)
        settings.write_text(f"status_bind = '127.0.0.1:{second}'")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done")
        server.wait_log(rf"Status at: http://127\.0\.0\.1:{second} ")
        server.wait_for(lambda: server.get("/ready", port=second).status == 200)

        def is_refused():
            try:
                server.get("/ready", port=first)
            except (ConnectionRefusedError, ConnectionResetError):
                return True
            except Exception:  # it was served, or cut
                return False

        server.wait_for(is_refused)
        settings.write_text("")
        server.signal(signal.SIGHUP)
        server.wait_log("Reload done", count=2)
        server.wait_for(lambda: not [each for each in server.tree() if "cppcorn: status" in command_line(each.pid)])


def test_an_upgrade_hands_the_address_over_once_the_new_workers_serve():
    with StatusServer("hello:app", wait=1) as server:
        server.wait_status("/ready", 200)
        [old] = server.status_pids()
        server.signal(signal.SIGUSR2)
        new = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])
        answers = []

        def new_one_answers():
            answers.append(server.ask("/ready").status)
            return server.status_pids(new) and not server.status_pids()

        server.wait_for(new_one_answers, what="the new master's status process alone")
        assert set(answers) == {200}
        server.wait_for(lambda: not is_alive(old), what="the old one's end")  # it loses its name before
        server.signal(signal.SIGTERM)
        server.wait_exit()
        try:
            assert server.ask("/ready").status == 200
        finally:
            os.kill(new, signal.SIGTERM)
            wait_until(lambda: not is_alive(new))


def test_a_new_master_whose_workers_end_still_answers(tmp_path):
    flag = tmp_path / "flag"
    with StatusServer("boot_flag:app", env={"BOOT_FLAG": str(flag)}, wait=1) as server:
        server.wait_status("/ready", 200)
        server.signal(signal.SIGUSR2)
        new = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])
        server.wait_for(lambda: server.status_pids(new) and not server.status_pids())
        [status] = server.status_pids(new)
        flag.touch()
        for each in processes():
            if each.parent == new and is_worker(each.pid):
                os.kill(each.pid, signal.SIGKILL)
        assert server.wait_status("/ready", 503).text == "no worker serves\n"
        assert server.status_pids(new) == [status]
        flag.unlink()
        server.wait_status("/ready", 200)
        os.kill(new, signal.SIGTERM)
        server.wait_log("this one serves on")


def test_a_new_master_that_gives_up_gives_the_address_back():
    with StatusServer("hello:app", wait=1) as server:
        server.wait_status("/ready", 200)
        server.signal(signal.SIGUSR2)
        new = int(server.wait_log(r"started the new master \(pid:(\d+)\)")[0][1])
        server.wait_for(lambda: server.status_pids(new) and not server.status_pids())
        os.kill(new, signal.SIGTERM)
        server.wait_log("this one serves on")
        server.wait_for(server.status_pids)
        assert server.ask("/ready").status == 200


def test_when_the_master_is_killed_it_ends_within_a_second():
    with StatusServer("hello:app", stop_code=-signal.SIGKILL) as server:
        server.wait_status("/ready", 200)
        [status] = server.status_pids()
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(status), timeout=2 + server.within(0), what="its end")


def test_at_a_unix_socket_it_is_for_user_and_group(tmp_path):
    path = tmp_path / "status.sock"
    with Server("hello:app", "--status-bind", f"unix:{path}") as server:
        server.wait_log(f"Status at: unix:{path}")
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        server.wait_for(lambda: ask_unix(path, "/ready").status == 200)
    assert not path.exists()


def test_the_queue_of_a_unix_socket_is_known_too(tmp_path):
    path = tmp_path / "app.sock"
    with StatusServer("faults:app", bind=f"unix:{path}") as server:
        server.wait_status("/ready", 200)
        socks = []
        for _ in range(3):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(path))
            sock.sendall(request_bytes("/sleep?ms=2000" if not socks else "/sleep?ms=0"))
            socks.append(sock)
            server.wait_for(lambda: server.metrics()["cppcorn_workers_busy"] == 1)
        name = f'cppcorn_listen_queue{{address="unix:{path}"}}'
        assert server.wait_for(lambda: server.metrics()[name]) == 2
        assert [read_response(sock).status for sock in socks] == [200] * 3
        for sock in socks:
            sock.close()


def test_a_wildcard_address_is_warned_of():
    port = free_port()
    with Server("hello:app", "--status-bind", f":{port}") as server:
        server.wait_log(rf"\[WARNING\] --status-bind .*:{port}: whoever can reach this machine can read")
    with StatusServer("hello:app") as server:
        assert server.count_log("WARNING") == 0


@pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")
def test_a_wildcard_address_of_ipv6_is_warned_of():
    with Server("hello:app", "--status-bind", f"[::]:{free_port()}") as server:
        server.wait_log(r"\[WARNING\] --status-bind \[::\]:\d+: whoever can reach")


def test_an_address_that_is_taken_ends_the_start():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Server("hello:app", "--status-bind", f"127.0.0.1:{port}", "--bind-retry", "0", wait=False, stop_code=5) as server:
            assert server.wait_exit() == 5
            assert f"cannot bind 127.0.0.1:{port}: Address already in use" in server.log_text()


def cpu_nanoseconds(pid):
    return int(open(f"/proc/{pid}/schedstat").read().split()[0])


@pytest.mark.skipif(SANITIZED, reason="measures")
@pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="this kernel does not count CPU time so exactly")
def test_asked_once_a_second_it_uses_next_to_nothing():
    with StatusServer("hello:app", "--workers", "4", wait=4) as server:
        server.metrics()
        [status] = server.status_pids()
        before, began = cpu_nanoseconds(status), time.monotonic()
        for second in range(1, 4):
            server.wait_for(lambda: time.monotonic() - began >= second, what="a second")
            server.metrics()
        assert cpu_nanoseconds(status) - before < 0.005 * 1e9 * (time.monotonic() - began)
        rollup = open(f"/proc/{status}/smaps_rollup").read()
        private = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))
        assert private < 3 * 1024, rollup
