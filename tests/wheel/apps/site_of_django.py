"""Django in one file."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="for tests")


def greet(request, name):
    return HttpResponse(f"Hello, {name}!")


urlpatterns = [path("<str:name>", greet)]
application = get_wsgi_application()
