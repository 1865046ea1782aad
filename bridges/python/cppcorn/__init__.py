"""What an app can ask of the server, cppcorn, that serves it.

Outside of a server, in a shell or a test, all of it may be called and does nothing.
"""

from cppcorn._version import __version__  # noqa: F401

__all__ = ["RequestTimeout", "client_gone", "extend_deadline", "log", "worker"]


class RequestTimeout(BaseException):
    """Raised in a request that has used up its time, a second before --timeout ends its worker.

    No Exception, so that what catches those lets it pass: the client gets a 504, and the worker serves on.
    """


class Worker:
    """The process that serves: `slot`, its number among the workers, and `name`, that of --name or the app's."""

    def __init__(self, slot, name):
        self.slot = slot
        self.name = name

    def __repr__(self):
        return f"<cppcorn worker {self.slot} of {self.name}>"


worker = None  # in a worker, from its start on

_server = None  # the extension module, in a process that it serves in

_LEVELS = {"debug": 0, "info": 1, "warning": 2, "error": 3}


def log(text, level="info"):
    """Writes a record to the error log; the levels are debug, info, warning and error."""
    if _server is not None:
        _server.log(_LEVELS[level], str(text))


def extend_deadline(seconds):
    """Gives the request that runs at least this long from now, in place of what is left of --timeout."""
    if _server is not None:
        _server.extend_deadline(seconds)


def client_gone():
    """Whether the client has closed its side of the connection: as a rule, nobody waits for the answer any more."""
    return _server is not None and _server.client_gone()
