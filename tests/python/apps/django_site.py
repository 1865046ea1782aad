"""Django in one file: the admin, forms with CSRF, uploads, streams, async views, a database, files by WhiteNoise.

SITE_DIR is where its database and static files are; prepare() makes them.
"""

import importlib.util
import os

import django
from django import forms
from django.conf import settings
from django.core.wsgi import get_wsgi_application

SITE_DIR = os.environ["SITE_DIR"]
HAS_WHITENOISE = importlib.util.find_spec("whitenoise") is not None
WHITENOISE_STORAGE = "whitenoise.storage.CompressedStaticFilesStorage"
CONTRIBUTED = ["admin", "auth", "contenttypes", "sessions", "messages", "staticfiles"]

settings.configure(
    DEBUG=False,
    SECRET_KEY="not secret",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[f"django.contrib.{name}" for name in CONTRIBUTED],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        *(["whitenoise.middleware.WhiteNoiseMiddleware"] if HAS_WHITENOISE else []),
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
        "django.middleware.gzip.GZipMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    f"django.{name}" for name in (
                        "template.context_processors.request", "contrib.auth.context_processors.auth",
                        "contrib.messages.context_processors.messages",
                    )
                ]
            },
        }
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{SITE_DIR}/site.sqlite3"}},
    MIGRATION_MODULES={name: None for name in CONTRIBUTED},  # tables as they are now, which is quicker
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    USE_TZ=True,
    STATIC_URL="/static/",
    STATIC_ROOT=f"{SITE_DIR}/static",
    WHITENOISE_SKIP_COMPRESS_EXTENSIONS=["js", "svg", "txt", "woff2", "md"],
    FILE_UPLOAD_MAX_MEMORY_SIZE=1000,
    LOGGING_CONFIG=None,
    **({} if not HAS_WHITENOISE
       else {"STATICFILES_STORAGE": WHITENOISE_STORAGE} if django.VERSION < (4, 2)
       else {"STORAGES": {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
                          "staticfiles": {"BACKEND": WHITENOISE_STORAGE}}}),
)  # fmt: skip
application = get_wsgi_application()

from django.contrib import admin, messages  # noqa: E402
from django.contrib.auth.models import Group  # noqa: E402
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse  # noqa: E402
from django.shortcuts import redirect  # noqa: E402
from django.template import engines  # noqa: E402
from django.urls import path  # noqa: E402


class Letter(forms.Form):
    name = forms.CharField(max_length=10)
    enclosed = forms.FileField()


PAGE = """{% for each in messages %}{{ each }}{% endfor %}
<form method="post" enctype="multipart/form-data">{% csrf_token %}{{ form.as_p }}</form>"""


def letter(request):
    form = Letter(request.POST or None, request.FILES or None)
    if form.is_valid():
        file = form.cleaned_data["enclosed"]
        messages.info(request, f"{form.cleaned_data['name']}: {file.name}, {sum(map(len, file.chunks()))} bytes")
        return redirect("letter")
    return HttpResponse(engines["django"].from_string(PAGE).render({"form": form}, request))


def hello(request):
    return HttpResponse("Hello from Django, " + request.build_absolute_uri(), content_type="text/plain")


def stream(request):
    return StreamingHttpResponse((f"{i}\n" for i in range(5)), content_type="text/plain")


def file(request):
    return FileResponse(open(os.environ["SITE_FILE"], "rb"), content_type="application/octet-stream")


def error(request):
    raise RuntimeError("a view that fails")


def groups(request):
    return JsonResponse({"groups": list(Group.objects.order_by("name").values_list("name", flat=True))})


async def in_async(request):
    import asyncio

    from asgiref.sync import sync_to_async

    await asyncio.sleep(0)
    counts = await asyncio.gather(*(sync_to_async(Group.objects.count)() for _ in range(3)))
    return HttpResponse(f"async {counts}")


urlpatterns = [
    path("hello/", hello), path("letter", letter, name="letter"), path("stream", stream), path("file", file),
    path("error", error), path("groups", groups), path("async", in_async), path("admin/", admin.site.urls),
]


def prepare():
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0, run_syncdb=True)
    call_command("collectstatic", verbosity=0, interactive=False)
    User.objects.create_superuser("ada", "ada@example.org", "password")
