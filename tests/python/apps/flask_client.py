"""Asks flask_shop by Flask's own test client."""

from answering import answer_all
from flask_shop import app

client = app.test_client(use_cookies=False)


def ask(method, path, headers, body, leaves):
    response = client.open(path, base_url="http://test", method=method, headers=headers, data=body or None)
    if leaves:
        pieces = [next(iter(response.response))]
    else:
        pieces = list(response.response)
    response.close()
    return response.status, list(response.headers), b"".join(pieces)


answer_all(ask)
