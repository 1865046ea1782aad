"""The other files of deploy/: as far as something here can read them."""

import json
import re
import shlex
import shutil
import subprocess
import tomllib

import pytest

from certificates import Certificates
from harness import ROOT, free_port, run
from reverse_proxies import program

DEPLOY = ROOT / "deploy"
HEROKU_GRACE = 30
HEROKU_ROUTER = {"request": 30, "idle": 90}


@pytest.mark.parametrize("name", ["haproxy.cfg", "bytes.cfg"])
def test_haproxy_reads_it_without_a_warning(name):
    path = program("haproxy") or pytest.skip("haproxy is not installed")
    done = subprocess.run([path, "-c", "-f", DEPLOY / "haproxy" / name], capture_output=True, text=True)
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr


@pytest.mark.parametrize("tls", [False, True])
def test_nginx_reads_it(tls, tmp_path):
    path = program("nginx") or pytest.skip("nginx is not installed")
    text = (DEPLOY / "nginx/cppcorn.conf").read_text()
    if tls:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        Certificates(tmp_path)
        text = re.sub("#(listen 443|ssl_certificate)", r"\1", text).replace("/etc/nginx/certs", str(tmp_path))
        assert text.count("ssl_certificate") == 2
    # It binds what it listens at, to try; not everybody may bind these.
    text = re.sub("listen (80|443)", lambda _: f"listen 127.0.0.1:{free_port()}", text)
    (tmp_path / "cppcorn.conf").write_text(text)
    around = f"pid {tmp_path}/pid; events {{ }} http {{ access_log off; include {tmp_path}/cppcorn.conf; }}"
    (tmp_path / "nginx.conf").write_text(around)
    command = [path, "-t", "-p", tmp_path, "-e", "stderr", "-c", tmp_path / "nginx.conf"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "[warn]" not in done.stderr, done.stderr


def test_heroku_stops_nothing_before_its_time():
    """`docs/heroku.md` has what Heroku gives."""
    line = re.search(r"^web: cppcorn (.+)$", (DEPLOY / "heroku/Procfile").read_text(), re.M)[1]
    done = run(*shlex.split(line), "--print-config", env={"PORT": "5000", "WEB_CONCURRENCY": "4"})
    assert done.code == 0, done
    settings = tomllib.loads(done.stdout)
    assert settings["timeout"] < HEROKU_ROUTER["request"]
    assert settings["timeout"] <= settings["graceful_timeout"] < HEROKU_GRACE
    assert settings["keep_alive"] > HEROKU_ROUTER["idle"]
    assert settings["workers"] == 4 and "0.0.0.0:5000" in settings["bind"]


def test_herokus_app_json_is_one():
    app = json.loads((DEPLOY / "heroku/app.json").read_text())
    assert {"name", "description", "buildpacks", "env", "formation"} <= set(app)
    assert set(app["formation"]) == {"web"}
    assert set(app["env"]) == {"WEB_CONCURRENCY"}


def instructions(text):
    """The instructions of a Dockerfile, a line each."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in lines.splitlines() if line.strip()]


def test_the_image_runs_cppcorn_itself_and_not_as_root():
    found = instructions((DEPLOY / "docker/Dockerfile").read_text())
    starts = [number for number, (word, _) in enumerate(found) if word == "FROM"]
    assert len(starts) == 3
    last = found[starts[-1] :]
    users = [value for word, value in last if word == "USER"]
    assert users and all(re.fullmatch(r"[1-9]\d*:[1-9]\d*", user) for user in users)
    # In brackets: no shell is process 1.
    entry = next(json.loads(value) for word, value in last if word == "ENTRYPOINT")
    arguments = next(json.loads(value) for word, value in last if word == "CMD")
    assert entry[0] == "cppcorn"
    done = run(*entry[1:], *arguments, "--print-config")
    assert done.code == 0, done
    # What the image is made of is there.
    for word, value in found:
        source = value.split()[0]
        if word == "COPY" and not source.startswith("--from"):
            assert (ROOT / source).exists(), value


def test_hadolint_finds_nothing():
    hadolint = shutil.which("hadolint") or pytest.skip("hadolint is not installed (not in Debian)")
    done = subprocess.run([hadolint, DEPLOY / "docker/Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_dashboard_is_whole():
    board = json.loads((DEPLOY / "grafana/cppcorn.json").read_text())
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["targets"] and all("cppcorn_" in target["expr"] for target in panel["targets"])
    known = {variable["name"] for variable in board["templating"]["list"]} | {"__rate_interval"}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(board))) <= known
