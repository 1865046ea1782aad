"""Starts the server in this interpreter: `python3 -m cppcorn`, the command `cppcorn` of a wheel, and what the program
`cppcorn` runs for an app that is no library."""

import gc
import os
import signal
import sys


def _find_package():
    """Run as a file, Python looks for modules beside it, where an app's must not be looked for; isolated, nowhere near."""
    if __name__ != "__main__" or __package__:
        return  # it has been found already
    here = os.path.dirname(os.path.abspath(__file__))
    if sys.path and os.path.abspath(sys.path[0]) == here:
        del sys.path[0]
    sys.path.insert(0, os.path.dirname(here))


def _last_in_path(directory):
    """Found if nothing else of that name is, and shadows nothing."""
    if sys.path and sys.path[0] == directory:
        del sys.path[0]
        if directory not in sys.path:
            sys.path.append(directory)


def main():
    if sys.version_info < (3, 10):
        print(f"cppcorn: needs Python 3.10 or later; {sys.executable} is {sys.version.split()[0]}", file=sys.stderr)
        return 1
    _find_package()
    try:
        from cppcorn import _cppcorn
    except ImportError as error:
        print(f"cppcorn: {_reason(error)}", file=sys.stderr)
        return 1
    import cppcorn
    if cppcorn.__version__ != _cppcorn.__version__:
        print(f"cppcorn: the package in {os.path.dirname(cppcorn.__file__)} is {cppcorn.__version__}, but its module is "
              f"{_cppcorn.__version__}; install it anew", file=sys.stderr)
        return 1
    # Here once, and not in each worker; nor may it be of another version there, after an upgrade by pip.
    from cppcorn import _hooks, _worker  # noqa: F401

    _last_in_path(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    launcher = os.environ.pop("CPPCORN_LAUNCHER", "")
    if launcher not in ("", _cppcorn.__version__):
        print(f"cppcorn: this is cppcorn {launcher}, but its module for Python is {_cppcorn.__version__}: {cppcorn.__file__}",
              file=sys.stderr)
        return 1
    cppcorn._server = _cppcorn
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()  # or what is in it would come out of each child
            # Also with PYTHONUNBUFFERED, which would write each word by itself: workers' lines would mix.
            stream.reconfigure(line_buffering=True, write_through=False)
    file = _file_to_import(sys.argv[1:])
    if file is not None:
        from cppcorn import _gunicorn

        return _gunicorn.main(file)
    # Not Python's any more: asyncio.run() would put Python's handler in the place of the server's.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.freeze()  # no collector of a child's is to write to what they share
    python = os.fsencode(sys.executable)
    return _cppcorn.run(
        [b"cppcorn", *map(os.fsencode, sys.argv[1:])],
        [python, *map(os.fsencode, sys.orig_argv[1:])],
        [python, b"-I", b"-S", os.fsencode(os.path.abspath(__file__))],
        f"{sys.implementation.name.replace('cpython', 'Python')} {sys.version.split()[0]} ({sys.executable})",
    )


def _file_to_import(arguments):
    """That of --import-gunicorn-conf; None without it."""
    flag = "--import-gunicorn-conf"
    for i, word in enumerate(arguments):
        if word == flag and i + 1 < len(arguments):
            return arguments[i + 1]
        if word.startswith(flag + "="):
            return word[len(flag) + 1 :]
    return None


def _reason(error):
    if "free-threading" in sys.version or getattr(sys, "abiflags", "").startswith("t"):
        return f"Python {sys.version.split()[0]} without its lock (free-threaded) is not supported; use the usual one"
    return f"its module for Python cannot be loaded: {error}"


if __name__ == "__main__":
    sys.exit(main())
