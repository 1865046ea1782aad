"""gunicorn's server hooks, as far as they run in a worker: --hooks MODULE:OBJECT names what has them as attributes."""

import importlib

from cppcorn._app import AppError

_OF_MASTER = (
    "on_starting", "on_reload", "when_ready", "pre_fork", "pre_exec", "child_exit", "nworkers_changed", "on_exit",
)


class _Request:
    """What pre_request and post_request get of a request."""

    def __init__(self, environ):
        self.method = environ["REQUEST_METHOD"]
        self.uri = environ["RAW_URI"]
        self.path = environ["PATH_INFO"]
        self.query = environ["QUERY_STRING"]
        self.headers = [
            (name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")
        ]


class _Response:
    """What post_request gets of a response."""

    def __init__(self):
        self.status = None
        self.headers = []


class Hooks:
    def __init__(self, spec):
        module, _, name = spec.partition(":")
        try:
            self._object = importlib.import_module(module)
            for part in name.split(".") if name else ():
                self._object = getattr(self._object, part)
        except (ImportError, AttributeError) as error:
            raise AppError(f"hooks: {spec}: {error}") from None
        for each in _OF_MASTER:
            if self._get(each) is not None:
                raise AppError(f"hooks: {each} is of the master, which runs no Python here; {spec} must not have it")
        self._worker = None

    def _get(self, name):
        return getattr(self._object, name, None)

    def _call(self, name, *arguments):
        hook = self._get(name)
        if hook is not None:
            hook(*arguments)

    def start(self, worker):
        self._worker = worker
        self._call("post_fork", None, worker)
        self._call("post_worker_init", worker)

    def leave(self, worker):
        self._call("worker_int", worker)
        self._call("worker_exit", None, worker)

    def around(self, app):
        """The app, with the hooks of a request around it if there are any."""
        before, after = self._get("pre_request"), self._get("post_request")
        if before is None and after is None:
            return app

        def hooked(environ, start_response):
            request, response = _Request(environ), _Response()
            if before is not None:
                before(self._worker, request)
            if after is None:
                return app(environ, start_response)

            def noting_start_response(status, headers, exc_info=None):
                response.status, response.headers = status, headers
                return start_response(status, headers, exc_info)

            def done():
                after(self._worker, request, environ, response)

            try:
                return _Closing(app(environ, noting_start_response), done)
            except BaseException:
                done()
                raise

        return hooked


class _Closing:
    def __init__(self, result, done):
        self._result = result
        self._done = done

    def __iter__(self):
        return iter(self._result)

    def close(self):
        try:
            if hasattr(self._result, "close"):
                self._result.close()
        finally:
            self._done()
