"""Writes a folder of seeds for each fuzzer: make_seeds.py FOLDER. A seed is a text with bytes for choices behind it."""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from corpus import read_cases  # noqa: E402

LONGEST = 4096
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
PATHS = b"slfdmnxhwr"

APP_SPECS = [b"hello:app", b"./build/app.so:create", b'a:create("Ada", 2, -1.5, true, null)', b'a:b("\\u00e9\\"")']
COMMAND_LINES = [b"hello:app --bind 127.0.0.1:8000 -w 4", b"--env 'A=b c' --access-logfile=-", b'"a b" \\" --help']
CONFIG_FILES = [b'bind = ["127.0.0.1:8000", "unix:/tmp/a"]\nworkers = 4\n', b"# text\nreload = true\ntimeout = 1.5\n"]
ADDRESSES = [b"127.0.0.1:8000", b"[::1]:80", b"unix:/tmp/a.sock", b"fd://3", b":80", b"tcp://localhost"]


def request_seeds():
    return [case.sent + bytes(12) for case in read_cases() if len(case.sent) <= LONGEST]


def chunk_seeds():
    bodies = [case.sent.partition(CHUNKED)[2] for case in read_cases() if len(case.sent) <= LONGEST]
    return [body + bytes(12) for body in bodies if body]


def connection_seeds():
    """Each case with a script of eight steps, and some with a path that the app knows."""
    scripts = [bytes([step] * 8) for step in range(4)]
    settings = [bytes(8) + b"\x08", bytes(range(8)) + b"\x08"]
    seeds = []
    for number, case in enumerate(case for case in read_cases() if len(case.sent) <= LONGEST):
        path = PATHS[number % len(PATHS) :][:1]
        sent = case.sent.replace(b" /a ", b" /" + path + b" ") if number % 2 else case.sent
        seeds.append(sent + scripts[number % 4] + settings[number // 2 % 2])
    return seeds


def settings_seeds():
    kinds = (APP_SPECS, COMMAND_LINES, CONFIG_FILES, ADDRESSES)
    return [text + bytes([kind]) for kind, texts in enumerate(kinds) for text in texts]


def proxy_protocol_seeds():
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    headers = [b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n", b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n", b"PROXY UNKNOWN\r\n"]
    headers += [signature + b"\x21\x11\0\x0c" + bytes(12), signature + b"\x21\x21\0\x24" + bytes(36)]
    headers += [signature + b"\x20\0\0\0", signature + b"\x21\x11\0\x13" + bytes(12) + b"\x04\0\x04abcd"]
    return [header + b"GET / HTTP/1.1\r\n" + bytes(5) for header in headers]


def request_marks_seeds():
    texts = [b"t=1700000000.123", b"1700000000123", b"0123456789abcdef0123456789abcdef"]
    texts.append(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    return [text + bytes(choices) for text in texts for choices in ([0, 1, 3, 1], [4, 3, 2, 1, 4, 0])]


def moved_message(phase, descriptors, sections, request=b"", bytes_here=None):
    """As ConnectionRecord and what stands behind it."""
    record = struct.pack("<II112sHBx46sHBB10x", 1, 352, b"127.0.0.1", 8000, 0, b"192.0.2.1", 4711, 4, phase)
    record += struct.pack("<qqQQQ", 1, 2, 3, 4, 5)
    record += struct.pack("<5I4x", *map(len, sections)) + request.ljust(104, b"\0")
    assert len(record) == 352
    here = b"".join(sections) if bytes_here is None else bytes_here
    return record + here + bytes([descriptors])


def move_message_seeds():
    """An idle connection, one with a head half read, one with an answer and a file unsent, one with a file of bytes."""
    one_file = struct.pack("<BBBBi48xqQIi", 5, 0, 0, 1, -1, 10, 20, 2, 1)
    body_in_file = struct.pack("<BBBBi", 2, 0, 48, 0, 1)
    return [
        moved_message(2, 1, [b""] * 5),
        moved_message(3, 1, [b"", b"", b"GET / HTTP/1.1\r\nHos", b"", b""]),
        moved_message(5, 2, [b"GET / HTTP/1.1\r\n\r\n", b"", b"", b"abcd", b"line\n"], one_file),
        moved_message(4, 2, [b"POST / HTTP/1.1\r\n\r\n", b"", b"", b"", b""], body_in_file),
        moved_message(3, 2, [b"", b"", b"x" * 5000, b"", b""], bytes_here=b""),
    ]


def moved_connection_seeds():
    """Bodies in each of the parser's phases, with what is to come, besides the messages that are whole in themselves."""
    counted = b"POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"
    chunked = b"POST /e HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    def request(stage, flags, left, size, phase, chunk_line=0, last=0):
        return struct.pack("<BBBBiQQQBBB5x", stage, 0, flags, 0, -1, left, size, 5, phase, chunk_line, last)

    half = [
        (counted, request(2, 16, 6, 4, 0), b"efghij"),
        (chunked, request(2, 16, 0, 0, 1), b"5\r\nhello\r\n0\r\n\r\n"),
        (chunked, request(2, 16, 1, 4, 1, 1), b"0\r\n0123456789abcdef\r\n0\r\n\r\n"),
        (chunked, request(2, 16, 3, 4, 2), b"xyz\r\n0\r\n\r\n"),
        (chunked, request(2, 16, 0, 4, 3, 0, 13), b"\n0\r\n\r\n"),
        (chunked, request(4, 16, 0, 4, 4), b"A: b\r\n\r\nGET /e HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]
    def with_rest(message, rest):
        return rest + message[:-1] + bytes([len(rest), message[-1]])

    seeds = [
        with_rest(moved_message(4, 1, [head, b"abcd" if state[0] == 2 else b"", b"", b"", b""], state), rest)
        for head, state, rest in half
    ]
    seeds += [with_rest(message, b"") for message in move_message_seeds()]
    lingering = with_rest(moved_message(6, 1, [b""] * 5), b"abc")
    return [*seeds, lingering]


def seat_image_seeds():
    """A client that is idle, and one whose head is half here: its request stands behind a block's beginning."""
    def seat(phase, parked):
        return struct.pack("<IBBHB46sBI4xqqQQQ", 7, phase, 4, 4711, 0, b"192.0.2.1", 0, parked, 1, 2, 3, 4, 5)

    request = struct.pack("<BBBBi", 1, 0, 0, 0, -1).ljust(104, b"\0")
    request += struct.pack("<10I", 0, 0, 0, 0, 400, 5, 0, 0, 0, 0)
    return [seat(2, 0), seat(3, 64) + bytes(64) + request + bytes(300) + b"GET /"]


def order_seeds():
    """As targets, as words, and as messages: version, kind, number, argument."""
    targets = [b"/reload", b"/reload?wait=old", b"/scale?workers=4", b"/recycle?slot=0", b"/stack?slot=1023", b"/orders/1"]
    texts = [*targets, b"/log-level?level=debug", b"log-level error", b"scale 512", b"reload --wait-old", b"stop", b"drain"]
    texts += [struct.pack("<IIQq", 1, kind, 5, 1) for kind in range(1, 9)]
    return [text + bytes([method]) for text in texts for method in (0, 1)]


SEEDS = {
    "request_split": request_seeds,
    "request_rules": request_seeds,
    "chunks": chunk_seeds,
    "connection": connection_seeds,
    "move_message": move_message_seeds,
    "orders": order_seeds,
    "moved_connection": moved_connection_seeds,
    "proxy_protocol": proxy_protocol_seeds,
    "request_marks": request_marks_seeds,
    "seat_image": seat_image_seeds,
    "settings_texts": settings_seeds,
}

for name, make in SEEDS.items():
    folder = Path(sys.argv[1]) / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(make()):
        (folder / f"seed_{number:04}").write_bytes(seed)
