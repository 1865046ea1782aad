"""The other side of tests/python/reference.py: answers requests that come as JSON, one a line."""

import base64
import json
import sys


def answer_all(ask):
    """`ask(method, path, headers, body, leaves)` returns status, headers and body."""
    for line in sys.stdin:
        question = json.loads(line)
        body = base64.b64decode(question["body"])
        status, headers, body = ask(question["method"], question["path"], question["headers"], body, question["leaves"])
        answer = {"status": status, "headers": headers, "body": base64.b64encode(body).decode()}
        print("ANSWER " + json.dumps(answer), flush=True)
