"""A WSGI app without a framework: script/server wsgi_hello:app"""


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Hello, world!\n"]
