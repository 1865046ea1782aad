"""Flask's own quickstart, who serves it, and a crash."""

import ctypes
import importlib.metadata
import os
import sys

from flask import Flask

app = Flask(__name__)


@app.route("/")
def hello_world():
    return "<p>Hello, World!</p>"


@app.route("/whose")
def whose():
    return f"{os.getpid()} {sys.prefix} {importlib.metadata.version('flask')}"


@app.route("/crash")
def crash():
    ctypes.string_at(0)
