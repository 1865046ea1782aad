"""A suite of apps behind each of the three programs that check both sides of WSGI; they raise what they find."""

import importlib

from wsgi_cases import TEXT, several


def _plain(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"plain"]


def _generator(environ, start_response):
    start_response("200 OK", TEXT)
    yield b"one"
    yield b"two"


def _echo(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.errors"].write("linted\n")
    environ["wsgi.errors"].flush()
    start_response("200 OK", TEXT)
    return [body]


def _lines(environ, start_response):
    lines = [*environ["wsgi.input"]]
    start_response("200 OK", TEXT)
    return [b"|".join(lines)]


def _written(environ, start_response):
    write = start_response("200 OK", TEXT)
    write(b"written ")
    return [b"returned"]


def _none(environ, start_response):
    start_response("204 No Content", [])
    return []


_APPS = {"plain": _plain, "generator": _generator, "echo": _echo, "lines": _lines, "written": _written, "none": _none,
         "several": several}


def _inner(environ, start_response):
    return _APPS[environ["PATH_INFO"].split("/")[2]](environ, start_response)


def _checked(name):
    if name == "wsgiref":
        from wsgiref.validate import validator

        return validator(_inner)
    if name == "webtest":
        return importlib.import_module("webtest.lint").middleware(_inner)
    import warnings

    from werkzeug.middleware.lint import LintMiddleware

    warnings.simplefilter("error")
    return LintMiddleware(_inner)


_MADE = {}


def app(environ, start_response):
    name = environ["PATH_INFO"].split("/")[1]
    if name not in _MADE:
        _MADE[name] = _checked(name)
    return _MADE[name](environ, start_response)
