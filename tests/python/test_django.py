"""Django with what it has, Debian's and the newest, served as its own test client says."""

import random
import re
import subprocess

import pytest
from pypi import pypi_python
from python_server import APPS, PYTHON, PythonServer
from reference import Reference, assert_same, needs, served

TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')


def mask(body):
    return TOKEN.sub(b"the token", body)


@pytest.fixture(scope="module", params=[pytest.param("system", marks=needs("django")), "newest"])
def site(request, tmp_path_factory):
    """The server, and what the test client says, of one database."""
    python = PYTHON if request.param == "system" else pypi_python()
    place = tmp_path_factory.mktemp("site")
    (place / "file").write_bytes(random.Random(2).randbytes(200_000))
    env = {"SITE_DIR": str(place), "SITE_FILE": str(place / "file")}
    making = [python, "-c", "import django_site; django_site.prepare()"]
    subprocess.run(making, cwd=APPS, env={"PYTHONDONTWRITEBYTECODE": "1", **env}, check=True)
    with PythonServer("django_site", python=python, env=env) as server:
        with Reference("django_client.py", env, python) as reference:
            yield server, reference, place


def check(site, method, path, headers=None, body=b""):
    return assert_same(*site[:2], method, path, headers, body, mask)


@pytest.mark.parametrize(
    "path", ["/hello/", "/hello", "/stream", "/async", "/error", "/nowhere", "/groups", "/letter", "/file", "/admin/"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_pages(site, method, path):
    check(site, method, path)


def test_what_is_on_them(site):
    server, _, place = site
    assert server.get("/hello/?a=%C3%BC").text == "Hello from Django, http://test/hello/?a=%C3%BC"
    assert server.get("/stream").text == "0\n1\n2\n3\n4\n"
    assert server.get("/async").text.startswith("async [")
    assert server.get("/file").body == (place / "file").read_bytes()
    server.get("/error")
    server.wait_log("RuntimeError: a view that fails")


def test_conditions(site):
    tag = check(site, "GET", "/hello/").header("ETag")
    assert check(site, "GET", "/hello/", {"If-None-Match": tag}).status[:3] == "304"
    assert check(site, "GET", "/hello/", {"If-Match": '"other"'}).status[:3] == "412"


def multipart(fields, file):
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    parts.append(b'Content-Disposition: form-data; name="enclosed"; filename="f"\r\n\r\n' + file)
    body = b"".join(b"--boundary\r\n" + part + b"\r\n" for part in parts)
    return {"Content-Type": "multipart/form-data; boundary=boundary"}, body + b"--boundary--\r\n"


def test_a_form_with_a_file(site):
    page = check(site, "GET", "/letter")
    token = TOKEN.search(page.body)[1].decode()

    def post(cookie=page.cookies, token=token, name="ada"):
        headers, body = multipart({"csrfmiddlewaretoken": token, "name": name}, b"z" * 2_000_000)
        return check(site, "POST", "/letter", {"Cookie": cookie, **headers}, body)

    assert post(cookie="").status == "403 Forbidden"
    assert post(token=token[::-1]).status == "403 Forbidden"
    assert b"at most 10 characters" in post(name="a" * 11).body
    sent = post()
    assert sent.status == "302 Found"
    told = check(site, "GET", "/letter", {"Cookie": f"{page.cookies}; {sent.cookies}"})
    assert b"ada: f, 2000000 bytes" in told.body


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_the_admin(site):
    page = check(site, "GET", "/admin/login/?next=/admin/")
    token = TOKEN.search(page.body)[1].decode()

    def log_in(password):
        body = f"csrfmiddlewaretoken={token}&username=ada&password={password}&next=/admin/".encode()
        return check(site, "POST", "/admin/login/", {"Cookie": page.cookies, **FORM}, body)

    assert b"Please enter the correct username" in log_in("wrong").body
    logged_in = log_in("password")
    assert (logged_in.status, logged_in.header("Location")) == ("302 Found", "/admin/")
    cookie = {"Cookie": logged_in.cookies}
    assert b"Site administration" in check(site, "GET", "/admin/", cookie).body
    page = check(site, "GET", "/admin/auth/group/add/", cookie)
    token = TOKEN.search(page.body)[1].decode()
    body = f"csrfmiddlewaretoken={token}&name=readers".encode()
    added = served(site[0], "POST", "/admin/auth/group/add/", {**cookie, **FORM}, body)  # once: it is in the database then
    assert added.status == "302 Found"
    told = {"Cookie": f"{logged_in.cookies}; {added.cookies}"}
    assert b"was added successfully" in check(site, "GET", "/admin/auth/group/", told).body
    for path in ("/admin/auth/group/", "/admin/auth/user/", "/admin/auth/user/1/change/", "/groups", "/async"):
        check(site, "GET", path, cookie)
    assert b"readers" in check(site, "GET", "/groups").body


def test_static_files(site):
    if site[0].get("/static/admin/css/base.css").status == 404:
        pytest.skip("WhiteNoise is not installed")
    stored = (site[2] / "static/admin/css/base.css").read_bytes()
    plain = check(site, "GET", "/static/admin/css/base.css")
    assert plain.body == stored
    packed = check(site, "GET", "/static/admin/css/base.css", {"Accept-Encoding": "gzip"})
    assert packed.header("Content-Encoding") == "gzip" and len(packed.body) < len(stored)
    check(site, "HEAD", "/static/admin/css/base.css")
    part = check(site, "GET", "/static/admin/css/base.css", {"Range": "bytes=10-19"})
    assert (part.status, part.body) == ("206 Partial Content", stored[10:20])
    assert check(site, "GET", "/static/admin/css/base.css", {"Range": "bytes=9999999-"}).status[:3] == "416"
    known = {"If-None-Match": plain.header("ETag") or "", "If-Modified-Since": plain.header("Last-Modified")}
    assert check(site, "GET", "/static/admin/css/base.css", known).status[:3] == "304"
    check(site, "GET", "/static/none.css")
