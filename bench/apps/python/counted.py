"""The bare app, which tells how many references there are in an interpreter that counts them."""

import sys

import bare


def app(environ, start_response):
    if environ["PATH_INFO"] != "/references":
        return bare.app(environ, start_response)
    count = str(sys.gettotalrefcount()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(count)))])
    return [count]
