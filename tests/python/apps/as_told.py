"""Answers with the status and the fields that the body names, and says what the environ was."""

import json


def app(environ, start_response):
    told = json.loads(environ["wsgi.input"].read())
    start_response(told["status"], [(name, value) for name, value in told["fields"]])
    return [json.dumps({name: value for name, value in environ.items() if type(value) is str}).encode()]
