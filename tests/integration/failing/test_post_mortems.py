"""What the error log says of a crash: the stack with the app's frames first, where it was and what it was about."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import (
    APPS,
    ROOT,
    SANITIZED,
    Server,
    is_alive,
    open_files,
    read_response,
    request_bytes,
    run,
)

SOURCE = (ROOT / "tests/apps/crashes.cpp").read_text().splitlines()
MOST_LINES = 15
HEADER = re.compile(r"^\[[^]]*\] \[\d+\] \[ERROR\] Stack of pid (\d+) at (\w+)(.*)$", re.MULTILINE)


def line_of(mark):
    return next(number for number, line in enumerate(SOURCE, 1) if line.endswith(f"// line of {mark}"))


def crash(server, path, status=500):
    """Sends the request that ends a worker, whose client is answered all the same; returns the worker's pid."""
    sock = server.connect()
    sock.sendall(request_bytes("/"))
    pid = int(read_response(sock).body)
    sock.sendall(request_bytes(path))
    assert read_response(sock).status == status
    server.wait_for(lambda: not is_alive(pid), what="the end of the worker")
    server.wait_ready()
    return pid


def report_in(log, pid=None):
    """The lines of the report of a process, or of any; None if there is none."""
    for found in HEADER.finditer(log):
        if pid is None or int(found[1]) == pid:
            lines = log[found.start() :].splitlines()
            more = next((i for i, line in enumerate(lines) if i > 0 and not line.startswith("  ")), len(lines))
            return lines[:more]
    return None


def report_of(server, pid):
    report = server.wait_for(lambda: report_in(server.log_text(), pid), what="the report")
    assert len(report) <= MOST_LINES
    return report


def crash_and_report(server, path, status=500):
    return report_of(server, crash(server, path, status))


def libdw_that(folder, module):
    """An environment in which the library for debug information is another one: None for a broken one."""
    library = folder / "libdw.so.1"
    if module is None:
        library.write_bytes(b"")
    else:
        shutil.copy(f"{APPS}/{module}.so", library)
    return {"LD_LIBRARY_PATH": str(folder)}


def has_libdw():
    # Where the test apps are built with ASan, only a program that is could load what uses it.
    script = "import ctypes; ctypes.CDLL('libdw.so.1')"
    return subprocess.run(["python3", "-c", script], capture_output=True, check=False).returncode == 0


needs_libdw = pytest.mark.skipif(not has_libdw(), reason="elfutils' libdw is not here")
needs_plain_build = pytest.mark.skipif(SANITIZED, reason="the sanitizer has its own stack and symbols")


# ---- What is in it


@needs_libdw
@needs_plain_build
def test_function_file_and_line_come_first_and_then_what_it_was_about():
    with Server("crashes:app") as server:
        report = crash_and_report(server, "/null")
    assert re.search(r" at SIGSEGV: address 0x0, where no memory is, in a request request_id=[0-9a-f]{32}$", report[0])
    assert re.match(rf"  #0 shop::count\(shop::Cart const\*\) at \S*/crashes\.cpp:{line_of('count')}, inlined$", report[1])
    total = rf"  #0 shop::total\(std::string const&\) at \S*/crashes\.cpp:{line_of('total')}, \S*/crashes\.so\(\+0x\w+\)$"
    assert re.match(total, report[2])
    assert any("shop::App::operator()(cppcorn::Request&) at " in line for line in report[3:5])
    rest = "\n".join(report)
    assert re.search(r"\n  … \d+ frames of the server\n", rest)
    assert re.search(r"\n  request: GET /null HTTP/1\.1 from 127\.0\.0\.1, for \d+\.\d s\n", rest)
    assert re.search(r"\n  requests served before: 1; peak memory: \d+\.\d MB\n", rest)
    assert re.search(r"\n  crashes\.so: build id [0-9a-f]{16,}$", rest)


@needs_plain_build
def test_without_libdw_it_has_functions_and_what_addr2line_takes(tmp_path):
    with Server("crashes:app", env=libdw_that(tmp_path, None)) as server:
        report = crash_and_report(server, "/null")
    found = re.match(r"  #0 shop::total\(std::string const&\), (\S+crashes\.so)\(\+(0x\w+)\)$", report[1])
    assert found, report
    said = subprocess.run(["addr2line", "-fCe", found[1], found[2]], capture_output=True, text=True, check=True).stdout
    assert "crashes.cpp" in said
    ids = subprocess.run(["readelf", "-n", found[1]], capture_output=True, text=True, check=True).stdout
    build_id = re.search(r"Build ID: (\w+)", ids)[1]
    assert report[-1] == f"  crashes.so: build id {build_id}"


@needs_plain_build
def test_a_stripped_app_shows_its_path_and_offsets(tmp_path):
    subprocess.run(["strip", "-o", tmp_path / "bare.so", f"{APPS}/crashes.so"], check=True)
    with Server("./bare.so", cwd=tmp_path) as server:
        report = crash_and_report(server, "/null")
    assert re.match(rf"  #0 {tmp_path}/bare\.so\(\+0x\w+\)$", report[1])
    assert re.search(r"\n  bare\.so: build id [0-9a-f]{16,}$", "\n".join(report))


def test_a_library_that_was_replaced_is_not_taken_for_the_one_that_crashed(tmp_path):
    app = tmp_path / "app.so"
    shutil.copy(f"{APPS}/crashes.so", app)
    with Server("./app.so", cwd=tmp_path) as server:
        shutil.copy(f"{APPS}/faults.so", tmp_path / "new.so")
        os.rename(tmp_path / "new.so", app)
        sock = server.send("/null")
        assert read_response(sock).status == 500
        report = server.wait_for(lambda: report_in(server.log_text()), what="the report")
    assert "faults" not in "\n".join(report)
    assert re.match(r"  #0 \S*app\.so\S*\(\+0x\w+\)$|  #0 shop::", report[1])


# ---- Kinds of crashes


@needs_libdw
def test_a_stack_overflow_is_called_one():
    with Server("crashes:app") as server:
        report = crash_and_report(server, "/overflow")
    assert " at SIGSEGV: stack overflow at address 0x" in report[0]
    assert re.search(r"  #\d shop::recurse\(char volatile\*\) at \S*crashes\.cpp:\d+, .*", report[1])
    assert any(line.endswith(" times") for line in report)


@needs_plain_build
def test_a_stack_overflow_in_a_thread_leaves_no_stack_but_a_guess():
    with Server("crashes:app") as server:
        report = crash_and_report(server, "/thread-overflow")
    assert "at SIGSEGV: none, in a request. Perhaps a stack overflow in a thread" in report[0]
    assert "  request: GET /thread-overflow HTTP/1.1 from 127.0.0.1" in "\n".join(report)


@needs_libdw
def test_a_crash_in_a_thread_names_the_thread():
    with Server("crashes:app") as server:
        report = crash_and_report(server, "/thread")
    assert re.search(r"in a request, in thread \d+ \(pool\) request_id=[0-9a-f]{32}$", report[0])
    assert any("shop::total(" in line for line in report[1:3])


def test_an_exception_that_leaves_a_thread_is_told():
    with Server("crashes:app") as server:
        report = crash_and_report(server, "/thread-throw")
    assert "  Uncaught std::runtime_error: no such user" in report
    assert any("shop::throw_in_thread()" in line for line in report[1:3])


@needs_libdw
def test_a_call_into_nowhere_shows_the_caller():
    with Server("crashes:app") as server:
        report = crash_and_report(server, "/nowhere")
    assert "at SIGSEGV: a call or return to address 0x0, in a request" in report[0]
    assert re.match(rf"  #0 shop::call_nowhere\(\) at \S*/crashes\.cpp:{line_of('call_nowhere')}, ", report[1])


@needs_plain_build
def test_an_overwritten_stack_still_shows_what_overwrote_it():
    with Server("crashes:app") as server:
        report = crash_and_report(server, "/overwrite")
        assert server.get("/").status == 200
    assert any("shop::overwrite_stack()" in line for line in report[1:3])
    assert "the stack is broken" in "\n".join(report)


def test_a_signal_names_its_sender():
    with Server("crashes:app") as server:
        pid = server.wait_workers(1)[0]
        os.kill(pid, signal.SIGBUS)
        report = report_of(server, pid)
        server.wait_for(lambda: pid not in server.worker_pids(), what="its end")
        server.wait_ready()
    assert f"at SIGBUS: sent by pid {os.getpid()}, between requests" in report[0]
    assert "#0" in report[1]  # the server's own, as there are no others


def test_a_request_that_is_overdue_shows_where_it_stood():
    with Server("crashes:app", "--timeout", "0.5") as server:
        report = crash_and_report(server, "/spin", 504)
    assert "at SIGABRT: sent by the master, in a request" in report[0]
    assert any("shop::spin()" in line for line in report[1:3])


# ---- Where in a worker's life


@pytest.mark.parametrize("how, said", [("worker_start", "was sent SIGSEGV"), ("exit worker_start", "exited with code 7")])
def test_an_end_in_worker_start_is_told_as_such(how, said):
    with Server("crashes:app", env={"CRASHES_IN": how}, wait=False, stop_code=3) as server:
        assert server.wait_exit() == 3
        log = server.log_text()
    assert re.search(rf"\[ERROR\] Worker \(pid:\d+\) {said} in worker_start", log)
    if said != "was sent SIGSEGV":
        return
    report = report_in(log)
    assert report[0].endswith("in worker_start")
    assert any("shop::total(" in line for line in report[1:3])
    assert len(HEADER.findall(log)) == 1


def test_a_crash_in_worker_exit_is_told_as_such():
    with Server("crashes:app", env={"CRASHES_IN": "worker_exit"}) as server:
        server.stop()
        log = server.log_text()
    assert re.search(r"was sent SIGSEGV in worker_exit$", log, re.MULTILINE)
    assert report_in(log)[0].endswith(", in worker_exit")


@needs_plain_build
def test_a_crash_at_the_first_start_shows_functions():
    done = run("boot_crash:app", "--app-dir", APPS, "--bind", "127.0.0.1:0")
    assert done.code == 4
    report = report_in(done.stderr)
    assert report and re.match(r"  #0 .*(Crash::Crash|_GLOBAL__sub_I_boot_crash)", report[1]), done.stderr


@needs_plain_build
def test_a_crash_while_the_configuration_is_checked_shows_the_stack():
    result = run("boot_crash:app", "--app-dir", APPS, "--check-config")
    assert result.code == 4
    assert re.search(r"Stack of pid \d+ at SIGSEGV: address 0x0, .*while loading the app, to try it\n  #0 \S*.*boot_crash", result.stderr)


# ---- Many of them


def test_equal_crashes_are_counted_and_told_in_full_once():
    crashes = 20
    with Server("crashes:app", "--workers", "2", wait=2) as server:
        first = crash(server, "/null")
        report_of(server, first)
        for count in range(2, crashes + 1):
            pid = crash(server, "/null")
            server.wait_log(rf"Worker \(pid:{pid}\) was sent SIGSEGV .*\. The same crash as pid {first}'s, {count} times now request_id=")
        assert len(HEADER.findall(server.log_text())) == 1
        crash_and_report(server, "/abort")  # another one
        assert len(server.log_text().splitlines()) < 10 + 3 * crashes + 2 * MOST_LINES


def test_after_usr1_a_crash_is_told_in_full_once_more(tmp_path):
    log = tmp_path / "log"
    with Server("crashes:app", "--log-file", log, log_file=log) as server:
        crash_and_report(server, "/null")
        server.rotate(log)
        pid = crash(server, "/null")
        server.wait_for(lambda: report_in(log.read_text(), pid), what="the report in the new log")


# ---- The process that looks up symbols


@needs_plain_build
def test_a_reader_of_symbols_that_crashes_harms_nobody(tmp_path):
    with Server("crashes:app", env=libdw_that(tmp_path, "boot_crash")) as server:
        report = crash_and_report(server, "/null")
        assert re.match(r"  #0 shop::total\(std::string const&\), \S*crashes\.so\(\+0x\w+\)$", report[1])
        assert server.get("/").status == 200
        server.wait_for(lambda: len(server.children()) == 1, what="the reader's end")


def libdw_that_hangs(folder):
    return {**libdw_that(folder, "crashes"), "CRASHES_IN": "no hook: wait"}


def crash_of_faults(server):
    pid = server.wait_workers(1)[0]
    assert server.get("/segv").status == 500
    server.wait_for(lambda: not is_alive(pid), what="the end of the worker")
    server.wait_ready()
    return pid


def reader_of(server):
    """The process that looks up symbols: the one that is no worker."""

    def reader():
        others = [each.pid for each in server.children() if each.pid not in server.worker_pids()]
        return [pid for pid in others if "memfd:cppcorn-crash" in open_files(pid).get(3, "")]

    return server.wait_for(reader, what="the reader")[0]


@needs_plain_build
def test_a_reader_of_symbols_that_hangs_does_not_hold_up_a_quick_stop(tmp_path):
    with Server("faults:app", env=libdw_that_hangs(tmp_path)) as server:
        pid = crash_of_faults(server)
        reader_of(server)
        assert report_in(server.log_text(), pid) is None
        server.signal(signal.SIGINT)
        assert server.wait_exit() == 0
        report = report_in(server.log_text(), pid)
    assert "faults.so(+0x" in report[1]


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
@needs_plain_build
def test_the_reader_of_symbols_is_the_user_of_the_workers():
    with tempfile.TemporaryDirectory() as folder, Server(
        "faults:app", "--user", "nobody", env=libdw_that_hangs(Path(folder))
    ) as server:
        Path(folder).chmod(0o755)
        worker = crash_of_faults(server)
        reader = reader_of(server)
        uid = pwd.getpwnam("nobody").pw_uid
        assert f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}" in Path(f"/proc/{reader}/status").read_text()
        os.kill(reader, signal.SIGKILL)
        assert "faults.so(+0x" in report_of(server, worker)[1]
