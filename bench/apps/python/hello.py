"""Flask's hello; with BY_PATH, what the path says, as bench/apps/by_path.hpp does: each answer is its request's query."""

import os
import time

from flask import Flask, request

app = application = Flask(__name__)


if "BY_PATH" in os.environ:

    @app.route("/")
    @app.route("/sleep/<int:ms>")
    def sleep(ms=0):
        time.sleep(ms / 1000)
        return request.query_string, {"Content-Type": "text/plain"}

else:

    @app.route("/")
    def hello():
        return "Hello, world!\n", {"Content-Type": "text/plain"}
