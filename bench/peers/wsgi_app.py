"""The app for every WSGI server: BODY_SIZE, BODY_FILE and SLOW_MS in the environment say what it answers.

Under BY_PATH it does what the path says, as bench/apps/by_path.hpp does.
"""

import os
import time

SIZE = int(os.environ["BODY_SIZE"])
FILE = os.environ.get("BODY_FILE")
SLOW = int(os.environ.get("SLOW_MS", 0)) / 1000
BODY = [b"Hello, world!\n" if SIZE == 14 else b"x" * SIZE]
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", str(SIZE))]
PIECE = 251 * 256
PATTERN = bytes(range(251)) * 256


def by_setting(environ, start_response):
    if environ["REQUEST_METHOD"] == "POST":
        swallow(environ["wsgi.input"], int(environ["CONTENT_LENGTH"]))
    if SLOW:
        time.sleep(SLOW)
    start_response("200 OK", list(HEADERS))
    return environ["wsgi.file_wrapper"](open(FILE, "rb")) if FILE else BODY


def swallow(body, left):
    while left > 0 and (chunk := body.read(min(left, 65536))):
        left -= len(chunk)


def by_path(environ, start_response):
    path, body = environ["PATH_INFO"], environ["QUERY_STRING"]
    if environ["REQUEST_METHOD"] == "POST":
        size = int(environ["CONTENT_LENGTH"])
        swallow(environ["wsgi.input"], size)
        body += f" {size} 0"
    if path == "/pid":
        body += str(os.getpid())
    if path.startswith("/sleep/"):
        time.sleep(int(path[7:]) / 1000)
    if path.startswith("/bytes/"):
        size = int(path[7:])
        start_response("200 OK", [HEADERS[0], ("Content-Length", str(size))])
        return pieces(size)
    start_response("200 OK", [HEADERS[0], ("Content-Length", str(len(body)))])
    return [body.encode()]


def pieces(size):
    for at in range(0, size, PIECE):
        yield PATTERN[: size - at]


application = by_path if "BY_PATH" in os.environ else by_setting
