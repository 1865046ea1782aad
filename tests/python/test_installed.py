"""What `cmake --install` leaves: the program finds its module for Python from where it lies itself."""

import os
import subprocess
from pathlib import Path

import harness
import pytest
from python_server import PYTHON

BUILD = Path(harness.BINARY).parent
EXAMPLES = str(harness.ROOT / "examples")


def install(*options, **variables):
    command = ["cmake", "--install", BUILD, *options]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def serve(tree, app):
    """Serves an example by the program in a tree, and sees that the module is the tree's, too."""
    with harness.Server(app, "--python", PYTHON, cwd=EXAMPLES, app_dir=None, binary=tree / "bin/cppcorn") as server:
        assert server.get("/").status == 200
        maps = Path(f"/proc/{server.pid}/maps").read_text().splitlines()
        (module,) = {line.split()[-1] for line in maps if line.endswith("/_cppcorn.abi3.so")}
        assert Path(module).is_relative_to(tree)


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    """As packages are made: the prefix is not where the files are put."""
    root = tmp_path_factory.mktemp("root")
    install("--prefix", "/usr", DESTDIR=str(root))
    return root / "usr"


def test_the_module_is_beside_the_libraries(staged):
    (module,) = staged.rglob("_cppcorn.abi3.so")
    assert module.relative_to(staged).parts[-4:-1] == ("cppcorn", "python", "cppcorn")
    sources = {each.name for each in (harness.ROOT / "bridges/python/cppcorn").glob("*.py")}
    assert {each.name for each in module.parent.iterdir()} == sources | {"_version.py", module.name}


def test_a_staged_tree_serves_flask(staged):
    if subprocess.run([PYTHON, "-c", "import flask"], capture_output=True).returncode != 0:
        pytest.skip("this Python has no Flask")
    serve(staged, "flask_hello:app")


def test_a_tree_that_was_moved_serves(tmp_path):
    install("--prefix", str(tmp_path / "prefix"))
    (tmp_path / "prefix").rename(tmp_path / "elsewhere")
    serve(tmp_path / "elsewhere", "wsgi_hello:app")
