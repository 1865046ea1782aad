"""The parts of the bridge that run once in a worker's life, or when something has gone wrong. Imported in the master,
which runs none of it; what it imports, all workers share."""

import _signal  # signal.signal() looks for the number in an enum, which does not have it, each time
import atexit
import codecs
import faulthandler
import gc
import io
import os
import site  # with -S it does nothing yet
import sys
import threading
import traceback

import cppcorn
from cppcorn import RequestTimeout
from cppcorn._app import AppError, import_app

_STACK_SIGNAL = _signal.SIGRTMAX - 3  # by which the master asks: server/supervision/worker_stack.cpp
_STACK_TO_FILE_SIGNAL = _signal.SIGRTMAX - 4  # the same: server/supervision/interpreter_stack.cpp
_STANDARD_LIBRARY = os.path.dirname(os.__file__)
_hooks = None  # of --hooks


def load(module, call, directories, variables, hooks):
    """Returns (app, None, None, False), or (None, why not in one line, the traceback or None, whether there is no such
    module)."""
    _follow_environment(variables)
    if sys.flags.no_site:
        sys.path[:0] = [each for each in os.environ.get("PYTHONPATH", "").split(":") if each]  # which -E has hidden
        site.main()  # here, as the user of the workers
    _put_in_front(directories)
    try:
        app = import_app(module, call)
        if hooks:
            app = _take_hooks(hooks, app)
    except AppError as error:
        return None, str(error), error.trace, error.is_missing
    cppcorn._server.watch(_own_files())
    return app, None, None, False


def _take_hooks(hooks, app):
    global _hooks
    from cppcorn._hooks import Hooks  # which most apps do without

    _hooks = Hooks(hooks)
    return _hooks.around(app)


def settle_for_forks():
    """In a mold: what there is now is not looked at by the collector of any worker, so that they share it."""
    threads = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
    if threads:
        cppcorn.log(
            f"The app has started {len(threads)} {'threads' if len(threads) > 1 else 'thread'} while it was imported "
            f"({', '.join(threads)}): with --preload they run in the mold, and in no worker",
            "warning",
        )
    _import_what_is_late()
    gc.collect()
    gc.freeze()


def _import_what_is_late():
    """Python imports it when a host's name is first looked up or sent, as Werkzeug does in each request: each worker
    would have it, and the tables that it makes, for itself."""
    if "socket" in sys.modules:
        try:
            codecs.lookup("idna")
        except Exception:
            pass  # this Python has been made smaller, or the app has put something else there


def start(slot, name, log_fd, timeout_signal):
    cppcorn.worker = cppcorn.Worker(slot, name)
    show_faults(log_fd)
    faulthandler.register(_STACK_TO_FILE_SIGNAL, file=cppcorn._server.stack_file(), all_threads=False)
    if timeout_signal:
        _signal.signal(timeout_signal, _on_timeout)
    if _hooks is not None:
        _hooks.start(cppcorn.worker)


def leave():
    """What an interpreter does at its end, as far as an app notices."""
    try:
        if _hooks is not None:
            _hooks.leave(cppcorn.worker)
    finally:
        threading._shutdown()
        atexit._run_exitfuncs()
        _flush()


def _flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # it is closed, or there is none


def show_faults(log_fd):
    """A crash or a hang names Python's lines in the log, and goes on to the server's own report. So does a slow
    request."""
    faulthandler.disable()
    faulthandler.enable(file=log_fd, all_threads=True)
    cppcorn._server.take_crash_stack()  # faulthandler has one of its own, too small for what follows it
    faulthandler.register(_STACK_SIGNAL, file=log_fd, all_threads=False)


def describe(kind, value, trace):
    """Returns the exception with its traceback, and in one line."""
    return "".join(traceback.format_exception(kind, value, trace)), one_line(value)


def one_line(error):
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def real_file(file):
    """(descriptor, position) of a file that the kernel can send; None of anything else, such as a GzipFile, whose
    descriptor is that of other bytes."""
    inner = getattr(file, "file", file) if type(file).__module__ == "tempfile" else file
    raw = inner.raw if type(inner) in (io.BufferedReader, io.BufferedRandom) else inner
    if type(raw) is not io.FileIO:
        return None
    if type(inner) is io.BufferedRandom:
        inner.flush()
    try:
        return raw.fileno(), inner.tell()
    except (OSError, ValueError):
        return None


def _own_files():
    """Of the modules that are no part of Python: what --reload watches."""
    files = set(filter(None, map(_file_of, list(sys.modules.values()))))
    ours = os.path.dirname(os.path.abspath(__file__))
    theirs = [each + os.sep for each in (_STANDARD_LIBRARY, ours)]
    own = (each for each in files if not each.startswith(tuple(theirs)) or "site-packages" in each)
    return [os.fsencode(os.path.abspath(each)) for each in sorted(own)]


def _file_of(module):
    try:
        file = module.__file__
    except Exception:
        return None  # some modules are objects with a will of their own
    return file if isinstance(file, str) else None


def _on_timeout(number, frame):
    if cppcorn._server.take_overdue():
        raise RequestTimeout("the request has used up its time (--timeout)")


def _follow_environment(variables):
    """os.environ is what the process began with; the server has set --env and taken its own variables away."""
    for name in list(os.environb):
        if name not in variables:
            del os.environb[name]
    for name, value in variables.items():
        if os.environb.get(name) != value:
            os.environb[name] = value


def _put_in_front(directories):
    here = os.getcwd()
    wanted = [os.path.abspath(each) for each in directories]
    wanted.append(here)
    sys.path[:] = wanted + [each for each in sys.path if each not in ("", here)]
