"""Apps: every way to build and name one, every way to fail at loading one, and what an app may do."""

import json
import os
import pathlib
import shutil

import pytest

import harness
from harness import SANITIZED, Server, read_response, run

APPS = pathlib.Path(harness.APPS)


def load_error(spec, *args, **options):
    """The one line that says why the app cannot be loaded."""
    result = run(spec, "--bind", "127.0.0.1:0", "--app-dir", str(APPS), *args, **options)
    assert result.code == 4, result.stderr
    lines = [line for line in result.stderr.splitlines() if "[ERROR]" in line]
    assert len(lines) == 1, result.stderr
    return lines[0].split("[ERROR] ", 1)[1]


@pytest.mark.parametrize(
    "app",
    ["hello:app", "hello", "plain_c:app", "frozen_1_0:app", "uses_clang:app", "uses_gcc:app", "static_stdcxx:app", "multi:one", "multi:two"],
)
def test_apps_of_every_make_are_served_by_one_binary(app):
    if not (APPS / (app.split(":")[0] + ".so")).exists():
        pytest.skip("not built in this configuration")
    with Server(app) as server:
        answer = server.get("/")
        assert answer.status == 200
        assert answer.body


def test_factories_take_literal_arguments():
    with Server('multi:create("Ada", 2)') as server:
        assert b"Ada" in server.get("/").body
    with Server('multi:optional_create("Grace")') as server:
        assert b"Grace" in server.get("/").body


def test_a_path_is_a_module_too(tmp_path):
    shutil.copy(APPS / "hello.so", tmp_path / "mine.so")
    shutil.copy(APPS / "hello.so", tmp_path / "libother.so")
    for spec in (str(tmp_path / "mine.so"), "./mine.so:app", "mine", "other:app"):
        with Server(spec, cwd=tmp_path) as server:
            assert server.get("/").body == b"Hello, world!\n"
    with Server("mine", "--chdir", str(tmp_path)) as server:
        assert server.get("/").status == 200
    with Server("mine", env={"CPPCORN_APP_PATH": f"/nowhere:{tmp_path}"}) as server:
        assert server.get("/").status == 200


def test_the_app_dir_comes_before_the_current_folder(tmp_path):
    shutil.copy(APPS / "echo.so", tmp_path / "hello.so")
    with Server("hello", cwd=tmp_path) as server:
        assert server.get("/").body == b"Hello, world!\n"


def test_not_found(tmp_path):
    assert "cannot find app module 'nowhere'; looked for: " in load_error("nowhere:app")
    assert "cannot find app module" in load_error("./no/such.so")


def test_source_is_not_built(tmp_path):
    (tmp_path / "myapp.cpp").write_text("int main() {}\n")
    assert "myapp.cpp is source; build it first" in load_error("myapp.cpp", cwd=tmp_path)
    assert "is source; build it first" in load_error("myapp", cwd=tmp_path)


def test_not_a_library(tmp_path):
    (tmp_path / "text.so").write_text("hello\n")
    (tmp_path / "empty.so").write_bytes(b"")
    (tmp_path / "cut.so").write_bytes((APPS / "hello.so").read_bytes()[:3000])
    for name in ("text", "empty", "cut"):
        message = load_error(f"./{name}.so", cwd=tmp_path)
        assert message.startswith(f"./{name}.so"), message


def test_another_machine(tmp_path):
    image = bytearray((APPS / "hello.so").read_bytes())
    image[18:20] = (183).to_bytes(2, "little")
    (tmp_path / "arm.so").write_bytes(image)
    assert "built for aarch64; this server is " in load_error("./arm.so", cwd=tmp_path)


def test_undefined_symbol():
    message = load_error("undefined:app")
    assert "undefined symbol " in message and "link the library that provides it" in message


def test_not_an_app():
    assert "is a shared library but not a cppcorn app" in load_error("not_an_app")


def test_no_such_app():
    message = load_error("multi:three")
    assert "has no app 'three'; it defines: " in message
    assert "one" in message and "two" in message


def test_another_abi():
    assert "built for ABI 2; this server speaks ABI 1" in load_error("abi2")


def test_wrong_arguments():
    assert load_error('multi:create("Ada")') == 'create("Ada"): takes 2 arguments, got 1'
    assert "argument 2" in load_error('multi:create("Ada", "two")')


@pytest.mark.skipif(SANITIZED, reason="the sanitizer reports the crash itself")
def test_a_crash_while_loading_leaves_a_stack():
    result = run("boot_crash", "--bind", "127.0.0.1:0", "--app-dir", str(APPS), "--workers", "4")
    assert result.code == 4
    assert "boot_crash: crashed while loading (SIGSEGV)" in result.stderr
    assert "boot_crash.so" in result.stderr
    assert "Booting worker" not in result.stderr


def test_a_hang_while_loading_is_ended():
    message = load_error("boot_hang", "--boot-timeout", "0.5")
    assert "takes longer to load than --boot-timeout allows" in message


def test_environ_has_the_names_of_wsgi():
    with Server("environ:app", "--workers", "1") as server:
        environ = json.loads(server.get("/a%20b?x=1", headers={"X-Odd": "é\\\"", "Cookie": "a=1"}).body)
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["PATH_INFO"] == "/a b"
    assert environ["QUERY_STRING"] == "x=1"
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert environ["SERVER_PORT"] == str(server.port)
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["HTTP_COOKIE"] == "a=1"
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["wsgi.multiprocess"] == "true"


def test_variables_of_env_reach_the_app_only():
    with Server("faults:app", "--env", "GREETING=hi there") as server:
        assert server.get("/env?name=GREETING").body.strip() == b"hi there"
        assert b"GREETING" not in pathlib.Path(f"/proc/{server.pid}/environ").read_bytes()


def test_a_stream_arrives_as_it_is_made():
    with Server("stream:app") as server, server.connect() as sock:
        sock.sendall(b"GET /?n=3&ms=300 HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        while received.count(b"\r\n0\r\n") == 0 and b"\r\n\r\n" not in received:
            received += sock.recv(4096)
        assert b"Transfer-Encoding: chunked" in received
        assert not received.endswith(b"0\r\n\r\n")
        while not received.endswith(b"0\r\n\r\n"):
            received += sock.recv(4096)


@pytest.fixture
def site(tmp_path):
    root = tmp_path / "www"
    (root / "sub").mkdir(parents=True)
    (root / "index.html").write_text("<h1>home</h1>")
    (root / "sub" / "big.bin").write_bytes(os.urandom(3_000_000))
    (tmp_path / "secret").write_text("secret")
    (root / "leak").symlink_to(tmp_path / "secret")
    return root


@pytest.mark.parametrize("options", [(), ("--no-sendfile",)])
def test_files(site, options):
    with Server(f'files:app("{site}")', *options) as server:
        home = server.get("/")
        assert (home.status, home.body) == (200, b"<h1>home</h1>")
        assert home.headers["content-type"].startswith("text/html")
        assert server.get("/sub/big.bin").body == (site / "sub" / "big.bin").read_bytes()
        assert server.get("/nothing").status == 404
        for path in ("/../secret", "/%2e%2e/secret", "/sub/../../secret", "/leak", "/..%2fsecret", "/%00"):
            with server.connect() as sock:
                sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                status, _, body = read_response(sock)
                assert status in (400, 403, 404), path
                assert b"secret" not in body


def test_middleware_wraps_an_app():
    with Server("middleware:app") as server:
        plain = {"date", "server", "content-type", "content-length", "connection"}
        assert set(server.get("/").headers) - plain


@pytest.mark.parametrize(
    "path, status, body",
    [
        ("/", 200, b"ok\n"),
        ("/list", 200, b"one\ntwo\nthree\n"),
        ("/late-start", 200, b"started late\n"),
        ("/throw", 500, None),
        ("/early-throw", 500, None),
        ("/no-start", 500, None),
        ("/twice", 500, None),
        ("/generator-early-throw", 500, None),
    ],
)
def test_the_shapes_of_wsgi(path, status, body):
    with Server("wsgi:app") as server:
        answer = server.get(path)
        assert answer.status == status
        assert body is None or answer.body == body
        assert server.get("/").status == 200
