"""Asks django_site by Django's own test client."""

from answering import answer_all
from django.test import Client
from django_site import application  # noqa: F401: which sets Django up


def ask(method, path, headers, body, leaves):
    variables = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
    content_type = variables.pop("HTTP_CONTENT_TYPE", "")
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    response = client.generic(method, path, body, content_type, **variables)
    whole = b"".join(response.streaming_content) if response.streaming else response.content
    cookies = [("Set-Cookie", each.output(header="").lstrip()) for each in response.cookies.values()]
    return f"{response.status_code} {response.reason_phrase}", [*response.items(), *cookies], whole


answer_all(ask)
