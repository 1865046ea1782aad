"""The least that a WSGI app can be."""

HEADERS = [("Content-Type", "text/plain"), ("Content-Length", "14")]


def app(environ, start_response):
    start_response("200 OK", HEADERS)
    return [b"Hello, world!\n"]


application = app
