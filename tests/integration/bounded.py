"""Tests that hang come to an end."""

import signal

import pytest


def bounded_in_time(seconds):
    """A fixture for all tests of a folder: ends one that hangs in a way that lets it clean up."""

    def end(signum, frame):
        raise TimeoutError(f"the test took longer than {seconds} s")

    @pytest.fixture(autouse=True)
    def bounded():
        before = signal.signal(signal.SIGALRM, end)
        signal.alarm(seconds)
        yield
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)

    return bounded
