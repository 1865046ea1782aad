"""Bottle, Falcon and Pyramid."""

import json

from python_server import PythonServer
from reference import needs


@needs("bottle")
def test_bottle():
    with PythonServer("small_frameworks:bottle()") as server:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert server.get("/hello/ada?q=1", form, "POST", b"f=2").text == "ada 1 2"


@needs("falcon")
def test_falcon():
    with PythonServer("small_frameworks:falcon()") as server:
        assert json.loads(server.get("/hello/ada?q=1").body) == {"name": "ada", "q": "1"}
        posted = server.get("/hello/x", {"Content-Type": "application/json"}, "POST", b'{"a": [1]}')
        assert json.loads(posted.body) == {"got": {"a": [1]}}


@needs("pyramid")
def test_pyramid():
    with PythonServer("small_frameworks:pyramid()") as server:
        assert server.get("/hello/ada?q=1").text == "ada 1"
