"""What a framework's own test client says to a request, and whether a server says the same, byte for byte."""

import base64
import http.client
import json
import re
import subprocess
from typing import NamedTuple

import pytest
from python_server import APPS, PYTHON

# What a server adds.
ADDED = {"date", "server", "connection", "transfer-encoding"}


def has(module):
    return subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True).returncode == 0


def needs(module):
    return pytest.mark.skipif(not has(module), reason=f"{PYTHON} has no {module}")


class Answer(NamedTuple):
    status: str  # with its reason
    headers: list  # of [name, value], in their order
    body: bytes

    def header(self, name):
        return next((value for each, value in self.headers if each.lower() == name.lower()), None)

    @property
    def cookies(self):
        """What a browser sends back of them."""
        set_cookies = [value for name, value in self.headers if name.lower() == "set-cookie"]
        return "; ".join(value.split(";")[0] for value in set_cookies)


class Reference:
    """An interpreter that has imported the app and asks it through its framework's test client, for one block.

    `script` is a file of apps/ that answers requests on its standard output, one JSON document a line.
    """

    def __init__(self, script, env=None, python=PYTHON):
        self._process = subprocess.Popen(
            [python, script], cwd=APPS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={"PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
        )
        self.notes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)

    def ask(self, method, path, headers=None, body=b"", leaves=False):
        """With `leaves`, the client takes only the first piece."""
        question = {"method": method, "path": path, "headers": {"Host": "test", **(headers or {})}, "leaves": leaves}
        question["body"] = base64.b64encode(body).decode()
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        self.notes = []
        while not (line := self._process.stdout.readline()).startswith("ANSWER "):
            assert line, "the test client has died"
            self.notes.append(line)
        answer = json.loads(line[7:])
        return Answer(answer["status"], answer["headers"], base64.b64decode(answer["body"]))


def served(server, method, path, headers=None, body=b""):
    """The server's answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": "test", **(headers or {})}.items():
            connection.putheader(name, value)
        if body or method == "POST":
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        status = f"{response.status} {response.reason}"
        return Answer(status, [[name, value] for name, value in response.getheaders()], response.read())
    finally:
        connection.close()


def _comparable(headers, left_out):
    kept = []
    for name, value in headers:
        if name.lower() in ADDED or name.lower() in left_out:
            continue
        if name.lower() == "allow":  # is made of a set
            value = sorted(value.split(", "))
        if name.lower() == "set-cookie":  # signed, with the time in it
            value = re.sub(r"^(\w+)=[^;]*|expires=[^;]*", r"\1", value, flags=re.IGNORECASE)
        kept.append((name, value))
    return kept


def assert_same(server, reference, method, path, headers=None, body=b"", mask=lambda body: body):
    """The answer is the test client's; returns the server's. `mask` takes away what is of one answer only."""
    expected = reference.ask(method, path, headers, body)
    answer = served(server, method, path, headers, body)
    assert (path, answer.status) == (path, expected.status)
    left_out = {"expires"} | ({"etag"} if mask(answer.body) != answer.body else set())
    added = set() if expected.header("Content-Length") else {"content-length"}
    assert _comparable(answer.headers, left_out | added) == _comparable(expected.headers, left_out)
    names = [name.lower() for name, _ in answer.headers]
    assert all(names.count(name) <= 1 for name in ADDED)
    assert mask(answer.body) == mask(b"" if method == "HEAD" else expected.body)
    return answer
