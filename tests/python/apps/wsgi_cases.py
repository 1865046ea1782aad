"""What WSGI apps do, each under a path of its own; the tests say what a server has to make of it."""

import io
import json
import os
import sys
import threading
import time

TEXT = [("Content-Type", "text/plain")]
kept = {}
ticks = 0


def hello(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"hello\n"]


def show_environ(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({name: repr(value) for name, value in environ.items()}).encode()]


def pid(environ, start_response):
    start_response("200 OK", TEXT)
    return [str(os.getpid()).encode()]


def validated(environ, start_response):
    import linted

    environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/validated")
    return linted.app(environ, start_response)


def environ_types(environ, start_response):
    start_response("200 OK", TEXT)
    wrong = [name for name, value in environ.items() if "." not in name and type(value) is not str]
    return [f"{type(environ).__name__} {wrong}".encode()]


def pieces(environ, start_response):
    start_response("200 OK", TEXT)
    return (each for each in (b"", b"one", b"", b"two", b""))


def late_start(environ, start_response):
    yield b""
    start_response("201 Created", TEXT)
    yield b"late"


def replaced_after_empty(environ, start_response):
    start_response("200 OK", TEXT)
    yield b""
    try:
        raise ValueError("oops")
    except ValueError:
        start_response("503 Sorry", TEXT, sys.exc_info())
    yield b"replaced"


def wait_at_gate(environ):
    """Until somebody writes to the FIFO that QUERY_STRING names."""
    with open(environ["QUERY_STRING"], "rb", buffering=0) as gate:
        gate.read(1)


def paused(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"first"
    wait_at_gate(environ)
    yield b" second"


def write_paused(environ, start_response):
    start_response("200 OK", TEXT)(b"first")
    wait_at_gate(environ)
    return [b" second"]


def empty_list(environ, start_response):
    start_response("200 OK", TEXT)
    return []


def no_pieces(environ, start_response):
    start_response("200 OK", TEXT)
    return iter(())


def several(environ, start_response):
    start_response("200 OK", TEXT)
    return (b"ab", b"", b"cde")


def write(environ, start_response):
    send = start_response("200 OK", TEXT)
    send(b"one ")
    send(b"two ")
    return [b"three"]


def raise_before(environ, start_response):
    raise RuntimeError("schön kaputt")


def raise_after_start(environ, start_response):
    start_response("200 OK", TEXT)
    raise RuntimeError("nothing was sent")


def raise_in_first_piece(environ, start_response):
    start_response("200 OK", TEXT)
    raise RuntimeError("nothing was sent")
    yield b""


def raise_later(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"some"
    raise RuntimeError("after some")


def exit_later(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"some"
    sys.exit(3)


def exc_info_replaces(environ, start_response):
    start_response("200 OK", TEXT)
    try:
        raise ValueError("oops")
    except ValueError:
        start_response("503 Sorry", TEXT, sys.exc_info())
    return [b"replaced"]


def exc_info_too_late(environ, start_response):
    start_response("200 OK", TEXT)(b"some")
    try:
        raise ValueError("the original")
    except ValueError:
        start_response("500 Sorry", TEXT, sys.exc_info())
    return [b"never"]


def start_twice(environ, start_response):
    start_response("200 OK", TEXT)
    start_response("200 OK", TEXT)
    return [b""]


def no_start(environ, start_response):
    return [b"no start"]


def exit_in_view(environ, start_response):
    sys.exit(3)


def interrupt_in_view(environ, start_response):
    raise KeyboardInterrupt


def returns_str(environ, start_response):
    start_response("200 OK", TEXT)
    return "text"


def returns_bytes(environ, start_response):
    start_response("200 OK", TEXT)
    return b"bytes"


def returns_none(environ, start_response):
    start_response("200 OK", TEXT)


def yields_str(environ, start_response):
    start_response("200 OK", TEXT)
    return ["text"]


def no_content(environ, start_response):
    start_response("204 No Content", [])
    return [b"not to be sent"]


def not_modified(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"x"')])
    return []


def reason(environ, start_response):
    start_response("404 Nicht da", TEXT)
    return [b"x"]


def header_lists(environ, start_response):
    start_response("200 OK", [["Content-Type", "text/plain"], ["Content-Length", "2"]])
    return [b"ok"]


def header_of_one(environ, start_response):
    start_response("200 OK", [["Content-Type"]])
    return [b"x"]


def header_text(environ, start_response):
    start_response("200 OK", ["ab"])
    return [b"x"]


def crlf(environ, start_response):
    start_response("200 OK", [("X-Evil", "a\r\nSet-Cookie: b")])
    return [b"x"]


def lf_in_value(environ, start_response):
    start_response("200 OK", [("X-Evil", "a\nSet-Cookie: b")])
    return [b"x"]


def lf_in_name(environ, start_response):
    start_response("200 OK", [("X-Evil: a\nSet-Cookie", "b")])
    return [b"x"]


def crlf_in_status(environ, start_response):
    start_response("200 OK\r\nX: y", TEXT)
    return [b"x"]


def latin_1(environ, start_response):
    start_response("200 OK", TEXT + [("X-Back", environ.get("HTTP_X_THERE", "")), ("X-Own", "\xfc")])
    return [environ["PATH_INFO"].encode("latin-1")]


def beyond_latin_1(environ, start_response):
    start_response("200 OK", [("X-Euro", "\u20ac")])
    return [b"x"]


def file_of(environ):
    return open(environ["QUERY_STRING"], "rb")


def file(environ, start_response):
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](file_of(environ))


def file_kept(environ, start_response):
    """A second descriptor of the file tells later how far it was read."""
    opened = file_of(environ)
    kept["descriptor"] = os.dup(opened.fileno())
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](opened)


def position_of_file_kept(environ, start_response):
    start_response("200 OK", TEXT)
    return [str(os.lseek(kept["descriptor"], 0, os.SEEK_CUR)).encode()]


def file_from_position(environ, start_response):
    start_response("200 OK", TEXT)
    opened = file_of(environ)
    opened.read(10)
    return environ["wsgi.file_wrapper"](opened, 4)


def file_part(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "5")])
    return environ["wsgi.file_wrapper"](file_of(environ))


def file_like(environ, start_response):
    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](io.BytesIO(b"0123456789" * 1000), 7)


class Noted(io.BytesIO):
    def close(self):
        print(f"closed by {self.note}", flush=True)
        super().close()


def file_closed(environ, start_response):
    """The descriptor of a real file is looked at, since what closes it cannot be seen from outside."""
    start_response("200 OK", TEXT)
    opened = open(__file__, "rb")
    number = opened.fileno()
    threading.Thread(target=tell_when_closed, args=(number, os.fstat(number).st_ino), daemon=True).start()
    kept["file"] = opened
    return environ["wsgi.file_wrapper"](opened)


def tell_when_closed(number, inode):
    try:
        while os.fstat(number).st_ino == inode:
            time.sleep(0.005)
    except OSError:
        pass
    print("closed by /file_closed", flush=True)


def file_like_closed(environ, start_response):
    start_response("200 OK", TEXT)
    noted = Noted(b"x" * 1000)
    noted.note = "/file_like_closed"
    kept["file_like"] = noted
    return environ["wsgi.file_wrapper"](noted)


def gzip_file(environ, start_response):
    import gzip

    start_response("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](gzip.open(environ["QUERY_STRING"]))


def body(environ, start_response):
    start_response("200 OK", TEXT)
    return [environ["wsgi.input"].read()]


def read_in_steps(stream, steps):
    """Reads as that says: read:5,readline,readline:3,readlines,iter. Returns what it got."""
    got = []
    for step in steps.split(","):
        name, _, size = step.partition(":")
        if name == "iter":
            got.append([each.decode() for each in stream])
        elif name == "readlines":
            got.append([each.decode() for each in stream.readlines(*map(int, size.split()))])
        else:
            got.append(getattr(stream, name)(*map(int, size.split())).decode())
    return got


def body_by_keyword(environ, start_response):
    stream = environ["wsgi.input"]
    got = [stream.read(size=2), stream.readline(size=3), stream.readline(size=None), *stream.readlines(hint=1)]
    start_response("200 OK", TEXT)
    return [b"|".join([*got, stream.read(size=-1)])]


def body_by_wrong_keyword(environ, start_response):
    environ["wsgi.input"].read(length=2)


def body_sizes(environ, start_response):
    got = read_in_steps(environ["wsgi.input"], environ["QUERY_STRING"])
    start_response("200 OK", TEXT)
    return [json.dumps(got).encode()]


def too_short(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "10")])
    return [b"short"]


def too_long(environ, start_response):
    start_response("200 OK", TEXT + [("Content-Length", "4")])
    return [b"longer"]


class Closing:
    def __init__(self, pieces, note):
        self.pieces = iter(pieces)
        self.note = note

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.pieces)

    def close(self):
        print(f"close {self.note}", flush=True)


def closes(environ, start_response):
    start_response("200 OK", TEXT)
    return Closing([b"x"], environ["QUERY_STRING"])


def closes_after_error(environ, start_response):
    def broken():
        yield b"x"
        raise RuntimeError("in the middle")

    start_response("200 OK", TEXT)
    return Closing(broken(), "after an error")


def closes_after_early_error(environ, start_response):
    def broken():
        raise RuntimeError("at the start")
        yield b""

    start_response("200 OK", TEXT)
    return Closing(broken(), "after an early error")


def close_pauses(environ, start_response):
    class Slow(Closing):
        def close(self):
            wait_at_gate(environ)
            super().close()

    start_response("200 OK", TEXT + [("Content-Length", "1")])
    return Slow([b"x"], "after a pause")


def close_raises(environ, start_response):
    class Bad(Closing):
        def close(self):
            raise RuntimeError("in close")

    start_response("200 OK", TEXT + [("Content-Length", "1")])
    return Bad([b"x"], "")


def close_waits(environ, start_response):
    class Slow(Closing):
        def close(self):
            gate.wait(20)
            print("close was waited for")

    start_response("200 OK", TEXT)
    return Slow([b"x"], "")


def endless(environ, start_response):
    def forever():
        try:
            while True:
                yield b"x" * 65536
        except GeneratorExit:
            print("GeneratorExit", flush=True)
            raise

    start_response("200 OK", TEXT)
    return forever()


def head_endless(environ, start_response):
    return endless(environ, start_response)


gate = threading.Event()


def keep(environ, start_response):
    kept.update(input=environ["wsgi.input"], start=start_response, environ=environ)
    kept["write"] = start_response("200 OK", TEXT)
    return [b"kept"]


def use_kept(environ, start_response):
    outcomes = []
    uses = (
        lambda: kept["input"].read(),
        lambda: kept["start"]("200 OK", TEXT),
        lambda: kept["write"](b"x"),
        lambda: kept["environ"]["PATH_INFO"],
    )
    for use in uses:
        try:
            outcomes.append(str(use()))
        except Exception as error:
            outcomes.append(f"raised {type(error).__name__}: {error}")
    start_response("200 OK", TEXT)
    return ["\n".join(outcomes).encode()]


def errors(environ, start_response):
    stream = environ["wsgi.errors"]
    stream.write("Grüße\n")
    print("by", "print", file=stream)
    stream.writelines(["one\n", "two\n"])
    stream.write("no line end")
    stream.flush()
    print("stdout: ✓")
    start_response("200 OK", TEXT)
    return [b"in colours" if stream.isatty() else b"plain"]


def count_ticks(environ, start_response):
    start_response("200 OK", TEXT)
    return [str(ticks).encode()]


def tick():
    global ticks
    while True:
        time.sleep(0.001)
        ticks += 1


def start_ticking(environ, start_response):
    threading.Thread(target=tick, daemon=True).start()
    start_response("200 OK", TEXT)
    return [b""]


def processes(environ, start_response):
    import multiprocessing
    import subprocess

    found = [subprocess.run(["echo", "run"], capture_output=True, text=True).stdout.strip()]
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        with context.Pool(1) as pool:
            found.append(str(pool.apply(abs, (-5,))))
    start_response("200 OK", TEXT)
    return [" ".join(found).encode()]


def fork(environ, start_response):
    pid = os.fork()
    if pid == 0:
        os._exit(7)
    start_response("200 OK", TEXT)
    return [str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode()]


def fork_that_returns(environ, start_response):
    """The parent answers last, and tells whether the child has ended by then."""
    pid = os.fork()
    if pid == 0:
        start_response("200 OK", TEXT)
        return [b"from the child"]
    threading.Thread(target=os.waitpid, args=(pid, 0), daemon=True).start()
    start_response("200 OK", TEXT + [("X-Child", str(pid))])
    return [b"from the parent"]


def early_hints(environ, start_response):
    environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])
    start_response("200 OK", TEXT)
    return [b"page"]


def app(environ, start_response):
    name = environ["PATH_INFO"].split("/")[1] or "hello"
    return globals()[name](environ, start_response)
