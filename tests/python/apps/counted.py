"""wsgi_cases, and under /count what there is of objects and references."""

import gc
import json
import sys

import wsgi_cases

# What many requests refer to, and a leaked reference to which leaks no object.
COMMON = {
    "None": None, "True": True, "empty str": "", "empty bytes": b"", "the app": wsgi_cases.app, "headers": wsgi_cases.TEXT, "dict": dict, "list": list,
    "str": str, "ValueError": ValueError, "RuntimeError": RuntimeError,
}


def app(environ, start_response):
    if environ["PATH_INFO"] != "/count":
        return wsgi_cases.app(environ, start_response)
    start_response("200 OK", wsgi_cases.TEXT)
    ours = {f"type of {name}": type(environ[name]) for name in ("wsgi.input", "wsgi.errors", "wsgi.early_hints")}
    ours.update({"wsgi.file_wrapper": environ["wsgi.file_wrapper"], "type of start_response": type(start_response)})
    gc.collect()
    counts = {name: sys.getrefcount(each) for name, each in {**COMMON, **ours}.items()}
    counts["blocks of memory"] = sys.getallocatedblocks()
    if hasattr(sys, "gettotalrefcount"):
        counts["all references"] = sys.gettotalrefcount()
    return [json.dumps(counts).encode()]
