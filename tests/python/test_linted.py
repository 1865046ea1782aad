"""wsgiref.validate, webtest.lint and werkzeug's lint find nothing in what the server hands to apps and does with them."""

import subprocess

import pytest
from python_server import PYTHON, PythonServer

PACKAGES = {"wsgiref": "wsgiref.validate", "webtest": "webtest.lint", "werkzeug": "werkzeug.middleware.lint"}


def is_there(module):
    return subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def server():
    with PythonServer("linted:app") as running:
        yield running


@pytest.mark.parametrize("linter", PACKAGES)
@pytest.mark.parametrize(
    "name, body, expected",
    [
        ("plain", None, b"plain"), ("generator", None, b"onetwo"), ("echo", b"hi", b"hi"), ("echo", None, b""),
        ("lines", b"a\nb\nc", b"a\n|b\n|c"), ("written", None, b"written returned"), ("none", None, b""),
    ],
)
def test_a_linter_finds_nothing(server, linter, name, body, expected):
    if not is_there(PACKAGES[linter]):
        pytest.skip(f"{PYTHON} has no {PACKAGES[linter]}")
    method = "GET" if body is None else "POST"
    fields = {"Content-Type": "text/plain"} if body is not None else {}
    response = server.get(f"/{linter}/{name}?a=b", fields, method, body)
    assert (response.status, response.body) == (204 if name == "none" else 200, expected), server.log_text()[-2000:]
