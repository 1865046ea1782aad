"""How an app is asked for and found, and what is said where it is not: one line, below the traceback of its own fault."""

import re
import shutil

from python_server import PYTHON, PythonServer, run

HELLO = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello\\n"]
"""


def answer(tmp_path, spec, *args, **more):
    with PythonServer(spec, *args, cwd=tmp_path, **more) as server:
        return server.get("/").text


def text_app(expression):
    return f"""
def make(*arguments, **named):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [({expression}).encode()]
    return app
"""


def complaint(tmp_path, spec, *args):
    """What is said of an app that cannot be loaded, in its last line."""
    result = run(spec, *args, cwd=tmp_path)
    assert result.code == 4, result.stderr
    lines = re.findall(r"\[ERROR\] (.*)", result.stderr)
    return lines[-1], result.stderr


# ---- What is found


def test_the_usual_names(tmp_path):
    (tmp_path / "one.py").write_text(HELLO)
    (tmp_path / "two.py").write_text(HELLO.replace("app(", "application("))
    assert answer(tmp_path, "one") == answer(tmp_path, "two") == answer(tmp_path, "one:app") == "hello\n"


def test_dotted_modules_and_names(tmp_path):
    package = tmp_path / "shop" / "front"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "wsgi.py").write_text(HELLO + "class holder:\n    inner = app\nholder.app = staticmethod(app)\n")
    assert answer(tmp_path, "shop.front.wsgi:app") == answer(tmp_path, "shop.front.wsgi:holder.app") == "hello\n"


def test_factories(tmp_path):
    (tmp_path / "made.py").write_text(text_app("repr((arguments, named))"))
    assert answer(tmp_path, "made:make()") == "((), {})"
    assert answer(tmp_path, 'made:make("x", 2, debug=False, more=[1, None])') == "(('x', 2), {'debug': False, 'more': [1, None]})"


def test_chdir_pythonpath_and_app_dir(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"in_{name}.py").write_text(HELLO)
    assert answer(tmp_path, "in_a:app", "--chdir", "a") == "hello\n"
    assert answer(tmp_path, "in_b:app", "--pythonpath", "a,b") == "hello\n"
    assert answer(tmp_path, "in_c:app", "--app-dir", "c") == "hello\n"


def test_environment_of_the_settings(tmp_path):
    (tmp_path / "env.py").write_text("import os\nfound = os.environ.get('DJANGO_SETTINGS_MODULE')\n" + text_app("str(found)"))
    assert answer(tmp_path, "env:make()", "--env", "DJANGO_SETTINGS_MODULE=shop.settings") == "shop.settings"


def test_a_module_called_as_one_of_ours(tmp_path):
    (tmp_path / "_worker.py").write_text(HELLO)
    assert answer(tmp_path, "_worker:app") == "hello\n"


def test_a_library_comes_first_unless_python_is_asked_for(tmp_path):
    import harness

    (tmp_path / "hello.py").write_text(HELLO.replace("hello", "python"))
    shutil.copy(harness.APPS + "/hello.so", tmp_path / "libhello.so")
    assert answer(tmp_path, "hello:app") == "Hello, world!\n"
    assert answer(tmp_path, "hello:app", "--bridge", "python") == "python\n"
    result = run("nothing:app", "--bridge", "none", cwd=tmp_path)
    assert result.code == 4 and "looked for: ./nothing.so, ./libnothing.so" in result.stderr


def test_the_virtual_environment_beside_the_app(tmp_path):
    import harness

    (tmp_path / "env.py").write_text("import sys\n" + text_app("sys.prefix"))
    harness.subprocess.run([PYTHON, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    with harness.Server("env:make()", cwd=str(tmp_path), app_dir=None) as server:
        assert server.get("/").text == str(tmp_path / ".venv")
    result = harness.run("env:make()", "--python", "./no-such-python", cwd=str(tmp_path))
    assert result.code == 1 and "python: './no-such-python' is no program" in result.stderr


# ---- What is said


def test_no_such_name(tmp_path):
    (tmp_path / "myapp.py").write_text("from os.path import join\n" + HELLO.replace("app(", "application(") + "def create_app(config):\n    pass\n")
    assert complaint(tmp_path, "myapp:app")[0] == "myapp has no 'app'; it has application, create_app()"
    assert complaint(tmp_path, "myapp:create_app()")[0] == "create_app() missing 1 required positional argument: 'config'"
    (tmp_path / "empty.py").write_text("x = 1\n")
    assert complaint(tmp_path, "empty")[0] == "empty has no 'app', and nothing that could be an app"


def test_asgi(tmp_path):
    (tmp_path / "myapp.py").write_text("async def app(scope, receive, send):\n    pass\nclass A:\n    async def __call__(self, s, r, t): pass\nother = A()\n")
    assert complaint(tmp_path, "myapp:app")[0] == "myapp:app is an ASGI app (async def); cppcorn serves WSGI apps"
    assert complaint(tmp_path, "myapp:other")[0] == "myapp:other is an ASGI app (async def); cppcorn serves WSGI apps"


def test_faults_of_the_apps_own(tmp_path):
    (tmp_path / "myapp.py").write_text("def app(x, y)\n")
    last, log = complaint(tmp_path, "myapp:app")
    assert last == "myapp:app: SyntaxError: expected ':' (myapp.py, line 1)"
    assert "def app(x, y)" in log
    (tmp_path / "needs.py").write_text("\nimport no_such_thing\n")
    last, log = complaint(tmp_path, "needs:app")
    assert last == "needs:app: ModuleNotFoundError: No module named 'no_such_thing'"
    assert 'needs.py", line 2' in log and "importlib" not in log
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(5)\n")
    assert complaint(tmp_path, "exits:app")[0] == "exits:app: SystemExit: 5"


def test_no_such_module(tmp_path):
    last, _ = complaint(tmp_path, "nowhere:app")
    assert last.startswith("cannot find app module 'nowhere'; looked for: ./nowhere.so, ./libnowhere.so; Python 3")
    assert last.endswith("knows no module 'nowhere'")
    assert complaint(tmp_path, "no.where:app")[0].endswith("knows no module 'no.where' (nor 'no')")
    assert complaint(tmp_path, "nowhere:app", "--bridge", "python")[0].startswith("Python 3")


def test_a_file_is_no_module(tmp_path):
    (tmp_path / "myapp.py").write_text(HELLO)
    assert complaint(tmp_path, "myapp.py:app")[0] == "'myapp.py:app' names a file; did you mean 'myapp:app'?"


def test_what_is_no_app(tmp_path):
    (tmp_path / "myapp.py").write_text("app = 'text'\ndef make():\n    pass\n")
    assert complaint(tmp_path, "myapp:app")[0] == "myapp:app is a str, which cannot be called: it is no WSGI app"
    assert complaint(tmp_path, "myapp:make()")[0] == "myapp:make(): make() returned None, and no app"
    assert "ask for 'myapp:make()'" in complaint(tmp_path, "myapp:make")[0]
    assert "are literals" in complaint(tmp_path, "myapp:make(x)")[0]


def test_check_config(tmp_path):
    (tmp_path / "myapp.py").write_text(HELLO)
    result = run("myapp:app", "--check-config", cwd=tmp_path)
    assert result.code == 0 and result.stdout.startswith("The configuration is fine: myapp:app at ")


def test_what_gunicorn_would_have_read(tmp_path):
    (tmp_path / "myapp.py").write_text(HELLO)
    (tmp_path / "gunicorn.conf.py").write_text("workers = 3\n")
    with PythonServer("myapp:app", cwd=tmp_path, env={"GUNICORN_CMD_ARGS": "--workers 3"}) as server:
        assert server.count_log(r"\[INFO\] gunicorn.conf.py is not read") == 1
        assert server.count_log(r"\[WARNING\] GUNICORN_CMD_ARGS is not read") == 1
