"""What no app should do, and what some do all the same."""

import os
import sys
import threading
import time

TEXT = [("Content-Type", "text/plain")]


def pid(environ, start_response):
    start_response("200 OK", TEXT)
    return [str(os.getpid()).encode()]


# ---- Threads


def in_thread(function):
    """What the function returns, called in another thread while this one waits for it."""
    outcome = []

    def run():
        try:
            outcome.append(function())
        except BaseException as error:
            outcome.append(repr(error).encode())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return outcome[0]


def read_in_thread(environ, start_response):
    """As Django's async views do: their loop is in a thread of its own."""
    body = in_thread(environ["wsgi.input"].read)
    start_response("200 OK", TEXT)
    return [body]


def write_in_thread(environ, start_response):
    def respond():
        send = start_response("200 OK", TEXT)
        for _ in range(10):
            send(b"x" * 100_000)

    in_thread(respond)
    return [b"end"]


def read_while_writing(environ, start_response):
    """Echoes as it is read, by two threads; the queue between them has room for one piece."""
    import queue

    pieces = queue.Queue(1)

    def read():
        while piece := environ["wsgi.input"].read(10_000):
            pieces.put(piece)
        pieces.put(None)

    threading.Thread(target=read).start()
    start_response("200 OK", TEXT)
    while piece := pieces.get():
        yield piece


def read_by_many(environ, start_response):
    """Who reads what is anybody's guess; nothing else may happen."""
    sizes = []

    def read():
        try:
            while piece := environ["wsgi.input"].read(1000):
                sizes.append(len(piece))
        except RuntimeError:
            sizes.append(0)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    start_response("200 OK", TEXT)
    return [str(sum(sizes)).encode()]


left = []


def leave_reader(environ, start_response):
    """The response begins while a thread still waits for the body."""

    def read():
        try:
            left.append(environ["wsgi.input"].read())
        except BaseException as error:
            left.append(repr(error).encode())

    threading.Thread(target=read).start()
    start_response("200 OK", TEXT)
    return [b"left"]


def what_was_left(environ, start_response):
    start_response("200 OK", TEXT)
    return [b",".join(left)]


def change_list_while_it_is_sent(environ, start_response):
    """Once there is a file of that name."""
    pieces = [bytes([65 + i]) * 3_000_000 for i in range(4)]

    def change():
        while not os.path.exists(environ["QUERY_STRING"]):
            time.sleep(0.01)
        pieces[0] = pieces[1] = b""
        others = [b"z" * 3_000_000 for _ in range(4)]
        print("changed", len(others))

    threading.Thread(target=change, daemon=True).start()
    start_response("200 OK", TEXT)
    return pieces


# ---- start_response, write and the body


def odd_exc_info(environ, start_response):
    odd = {
        "none": (None, None, None), "text": ("a", "b", "c"), "short": (1, 2), "number": 5, "class": (ValueError, None, None),
        "mixed": (ValueError, KeyError("k"), None), "empty": (),
    }[environ["QUERY_STRING"]]
    start_response("200 OK", TEXT)(b"begun")
    start_response("500 Sorry", TEXT, odd)
    return []


def write_for_ever(environ, start_response):
    write = start_response("200 OK", TEXT)
    try:
        while True:
            write(b"x" * 65536)
    finally:
        print("no longer written")


def endless_of_a_length(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "4")])
    try:
        while True:
            yield b"abc"
    finally:
        print("no longer asked")


def headers_that_fail(environ, start_response):
    def headers():
        yield ("A", "b")
        raise KeyError("in the headers")

    start_response("200 OK", headers())
    return [b""]


class Kind(bytes):
    pass


def odd_head(environ, start_response):
    case = environ["QUERY_STRING"]
    status, headers = {
        "bytes_status": (b"200 OK", []), "int_status": (200, []), "bytes_name": ("200 OK", [(b"A", "b")]),
        "bytes_value": ("200 OK", [("A", b"b")]), "none_value": ("200 OK", [("A", None)]), "dict": ("200 OK", {"A": "b"}),
        "lists": ("200 OK", [["A", "b"]]), "nul": ("200 OK", [("A", "b\0c")]), "nul_name": ("200 OK", [("A\0", "b")]),
        "space_name": ("200 OK", [("A b", "c")]), "colon_name": ("200 OK", [("A:b", "c")]), "no_name": ("200 OK", [("", "c")]),
        "surrogate": ("200 OK", [("A", "\udcff")]), "surrogate_status": ("200 \udcff", []), "reason_nul": ("200 O\0K", []),
        "reason_lf": ("200 OK\nA: b", []), "no_reason": ("200", []), "status_99": ("099 No", []), "status_600": ("600 No", []),
        "status_1xx": ("101 Switching Protocols", []), "none": ("200 OK", None), "letters": ("abc", []), "empty": ("", []),
        "two_lengths": ("200 OK", [("Content-Length", "1"), ("content-length", "2")]),
        "no_length": ("200 OK", [("Content-Length", "-1")]), "large_length": ("200 OK", [("Content-Length", "9" * 30)]),
        "fold": ("200 OK", [("A", "b\r\n c")]), "triple": ("200 OK", [("A", "b", "c")]),
        "huge": ("200 OK", [("A", "b" * 1_000_000)]), "many": ("200 OK", [(f"A{i}", "b") for i in range(10_000)]),
    }[case]
    start_response(status, headers)
    return [b"sent"]


def odd_piece(environ, start_response):
    case = environ["QUERY_STRING"]
    start_response("200 OK", TEXT)
    yield b""
    yield {
        "bytearray": bytearray(b"x"), "memoryview": memoryview(b"x"), "str": "x", "none": None, "int": 5, "subclass": Kind(b"kind"),
        "list": [b"x"],
    }[case]


def odd_end(environ, start_response):
    """Iterables that fail in their own ways."""
    case = environ["QUERY_STRING"]

    class Odd:
        def __iter__(self):
            if case == "iter":
                raise KeyError("in __iter__")
            if case == "iter_none":
                return None
            return self

        def __len__(self):
            raise KeyError("in __len__")

        def __next__(self):
            if case == "next":
                raise KeyError("in __next__")
            if case == "next_exit":
                raise SystemExit(3)
            raise StopIteration

        def close(self):
            if case == "close_stop":
                raise StopIteration
            if case == "close_exit":
                raise SystemExit(3)

        def __del__(self):
            if case == "del":
                raise KeyError("in __del__")

    if case == "stop":
        raise StopIteration
    start_response("200 OK", TEXT)
    return Odd()


class Unspeakable(Exception):
    def __str__(self):
        raise KeyError("in __str__")

    __repr__ = __str__


def unspeakable(environ, start_response):
    raise Unspeakable


def recursion(environ, start_response):
    return recursion(environ, start_response)


def memory(environ, start_response):
    return [b"x" * (1 << 60)]


def spoil_environ(environ, start_response):
    environ.update({"PATH_INFO": 5, "wsgi.input": None, 7: object(), "wsgi.errors": None, "REMOTE_ADDR": "spoilt"})
    environ.pop("REQUEST_METHOD")
    start_response("200 OK", TEXT)
    return [b"spoilt"]


def address(environ, start_response):
    start_response("200 OK", TEXT)
    return [f"{environ['REMOTE_ADDR']} {environ['REQUEST_METHOD']}".encode()]


def close_wrapper_twice(environ, start_response):
    import io

    wrapper = environ["wsgi.file_wrapper"](io.BytesIO(b"read"))
    start_response("200 OK", TEXT)
    body = b"".join(wrapper)
    wrapper.close()
    wrapper.close()
    return [body]


def closed_file(environ, start_response):
    file = open(__file__, "rb")
    file.close()
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](file)


def extend_oddly(environ, start_response):
    import cppcorn

    for seconds in (float("nan"), float("inf"), -float("inf"), -1, 0, 1e300):
        cppcorn.extend_deadline(seconds)
    return pid(environ, start_response)


# ---- Time


def slow_to_describe(environ, start_response):
    """The time is over while the traceback is made."""

    class Slow(Exception):
        def __str__(self):
            stop = time.monotonic() + float(environ["QUERY_STRING"])
            while time.monotonic() < stop:
                time.sleep(0.01)
            return "slow"

    raise Slow


def sleep(environ, start_response):
    time.sleep(30)


def extend_when_told(environ, start_response):
    import cppcorn

    try:
        time.sleep(30)
    except cppcorn.RequestTimeout:
        print("told once")
        cppcorn.extend_deadline(3)
        time.sleep(30)


def sleep_in_close(environ, start_response):
    class Slow:
        def __iter__(self):
            return iter([b"whole"])

        def close(self):
            time.sleep(30)

    start_response("200 OK", TEXT)
    return Slow()


def stream(environ, start_response):
    """The body's size, in pieces."""
    start_response("200 OK", TEXT)
    for _ in range(int(environ["QUERY_STRING"])):
        yield b"x" * 100_000


# ---- Signals, and what is for debuggers


def asyncio_run(environ, start_response):
    import asyncio

    async def answer():
        return str(os.getpid()).encode()

    body = asyncio.run(answer())
    start_response("200 OK", TEXT)
    return [body]


def broken_pipe(environ, start_response):
    read, write = os.pipe()
    os.close(read)
    try:
        os.write(write, b"x")
    except BrokenPipeError:
        os.close(write)
        return pid(environ, start_response)


def alarm(environ, start_response):
    import signal

    class Alarm(Exception):
        pass

    def ring(*_):
        raise Alarm

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        time.sleep(20)
    except Alarm:
        return pid(environ, start_response)


def traced(environ, start_response):
    seen = []

    def trace(frame, event, argument):
        seen.append(event)
        return trace

    sys.settrace(trace)
    try:
        environ["wsgi.input"].readlines()
        return pid(environ, start_response)
    finally:
        sys.settrace(None)


def own_faulthandler(environ, start_response):
    import faulthandler

    faulthandler.enable()
    faulthandler.disable()
    return pid(environ, start_response)


def crash_in_close(environ, start_response):
    class Crashing:
        def __iter__(self):
            return iter([b"whole"])

        def close(self):
            os.kill(os.getpid(), 11)

    start_response("200 OK", TEXT)
    return Crashing()


# ---- The body


def count_lines(environ, start_response):
    lines = sum(1 for _ in environ["wsgi.input"])
    start_response("200 OK", TEXT)
    return [f"{lines} {peak()}".encode()]


def read_oddly(environ, start_response):
    """As a parser of forms reads, a little at a time; then what memory the worker has had at most, in KiB."""
    size = 0
    while piece := environ["wsgi.input"].read(5000):
        size += len(piece)
    start_response("200 OK", TEXT)
    return [f"{size} {peak()}".encode()]


def peak():
    with open("/proc/self/status") as file:
        return next(line.split()[1] for line in file if line.startswith("VmHWM"))


def app(environ, start_response):
    return globals()[environ["PATH_INFO"].strip("/") or "pid"](environ, start_response)
