"""The app for every WSGI server: BODY_SIZE, BODY_FILE and SLOW_MS in the environment say what it answers."""

import os
import time

SIZE = int(os.environ["BODY_SIZE"])
FILE = os.environ.get("BODY_FILE")
SLOW = int(os.environ.get("SLOW_MS", 0)) / 1000
BODY = [b"Hello, world!\n" if SIZE == 14 else b"x" * SIZE]
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", str(SIZE))]


def application(environ, start_response):
    if environ["REQUEST_METHOD"] == "POST":
        swallow(environ["wsgi.input"], int(environ["CONTENT_LENGTH"]))
    if SLOW:
        time.sleep(SLOW)
    start_response("200 OK", list(HEADERS))
    return environ["wsgi.file_wrapper"](open(FILE, "rb")) if FILE else BODY


def swallow(body, left):
    while left > 0 and (chunk := body.read(min(left, 65536))):
        left -= len(chunk)
