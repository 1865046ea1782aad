"""cppcorn --import-gunicorn-conf FILE: runs a gunicorn.conf.py, as gunicorn does, and prints its settings as a
cppcorn.toml. What has no counterpart is a comment that says why."""

import json
import sys
import traceback
import types

from cppcorn import _cppcorn

_PRIVATE = (types.ModuleType, type)


def main(path):
    names = {"__builtins__": __builtins__, "__name__": "__config__", "__file__": path, "__doc__": None, "__package__": None}
    before = set(names)
    try:
        with open(path, "rb") as file:
            exec(compile(file.read(), path, "exec"), names)
    except OSError as error:
        print(f"cppcorn: cannot read {path}: {error.strerror}", file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        print(f"cppcorn: {path} cannot be run", file=sys.stderr)
        return 1
    given = {name: value for name, value in names.items() if name not in before and not name.startswith("_")}
    print(f"# Made from {path}")
    for line in lines_of(given):
        print(line)
    return 0


def lines_of(given):
    threads = given.get("threads", 1)
    for name, value in given.items():
        if isinstance(value, _PRIVATE):
            continue  # what the file has imported or defined
        why = _cppcorn.setting(name)
        if name == "workers" and threads != 1:
            yield f"workers = {value * threads} # {value} with {threads} threads each; here a worker does one request at a time"
        elif name == "threads":
            if threads != 1 and "workers" not in given:
                yield f"workers = {threads} # {threads} threads; here a worker does one request at a time"
        elif name == "worker_class":
            yield from _worker_class(value)
        elif why is None:
            yield f"{name} = {_toml(name, value)}"
        elif "no setting of gunicorn's" not in why or not callable(value):
            yield f"# {name} {why}"


def _worker_class(value):
    if value in ("sync", "gthread"):
        yield 'worker_class = "sync"'
    else:
        yield f"# worker_class: there is one, sync; {value} has no counterpart"


def _toml(name, value):
    if name == "umask" and isinstance(value, int):
        return f'"{value:03o}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, dict):  # secure_scheme_headers
        return _toml(name, [f"{key}: {each}" for key, each in value.items()])
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(name, each) for each in value) + "]"
    return json.dumps("" if value is None else str(value), ensure_ascii=False)
