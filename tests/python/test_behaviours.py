"""cppcorn behaves as docs/python.md says, point by point; bench/wsgi_behaviours.py asks other servers for the same."""

import pytest
from behaviours import BEHAVIOURS, Differs
from python_server import PythonServer

# What is known to be otherwise here, as the table says, too.
OTHERWISE = {"not to a client whose body the app does not read": "it is sent before the app is called"}


@pytest.fixture(scope="module")
def server():
    with PythonServer("wsgi_cases:app") as running:
        running.output = lambda: running.stdout_text() + running.log_text()
        yield running


@pytest.mark.parametrize("words", BEHAVIOURS)
def test_it_behaves(server, words):
    found = None
    try:
        BEHAVIOURS[words](server)
    except Differs as difference:
        found = str(difference)
    assert found == OTHERWISE.get(words)
