"""The units and files of deploy/ work: as far as the tools that read them are on this machine."""

import configparser
import os
import re
import shutil
import subprocess
import tomllib

import pytest

from harness import ROOT, Server, run, wait_until

SYSTEMD = ROOT / "deploy/systemd"


def tool(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    return path or pytest.skip(f"{name} is not installed")


def run_tool(*args, **options):
    return subprocess.run([str(each) for each in args], capture_output=True, text=True, timeout=60, **options)


def unit(name):
    parser = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    parser.optionxform = str
    parser.read(SYSTEMD / name)
    return parser


# ---- systemd


@pytest.mark.parametrize("name", ["cppcorn.service", "cppcorn@.service"])
def test_the_unit_is_hardened(name, tmp_path):
    """`systemd-analyze security` rates the exposure from 0 to 10."""
    file = shutil.copy(SYSTEMD / name, tmp_path / name.replace("@", "@shop"))
    done = run_tool(tool("systemd-analyze"), "security", "--offline=true", "--no-pager", "--threshold=30", file)
    if "Unknown" in done.stderr or "unrecognized" in done.stderr:
        pytest.skip(f"this systemd-analyze cannot read a file: {done.stderr}")
    assert "exposure level" in done.stdout, done
    assert done.returncode == 0, done.stdout


def test_the_template_differs_in_names_only():
    """What one unit learns, the other must not miss."""
    single, template = unit("cppcorn.service"), unit("cppcorn@.service")
    names = {"User", "ExecStart", "RuntimeDirectory", "LogsDirectory", "StateDirectory"}
    here, there = dict(single["Service"]), dict(template["Service"])
    assert {key for key in {*here, *there} if here.get(key) != there.get(key)} == names
    assert all("%i" in there[key] for key in names)
    assert single["Install"] == template["Install"]
    assert {**single["Unit"], "Description": ""} == {**template["Unit"], "Description": ""}


def test_the_unit_starts_again_after_what_may_pass():
    service = unit("cppcorn.service")["Service"]
    assert service["Restart"] == "on-failure"
    # 1 settings, 3 no worker, 4 no app, 5 no address.
    assert not set(service["RestartPreventExitStatus"].split()) & {"1", "3", "4", "5"}
    assert unit("cppcorn.service")["Unit"]["StartLimitIntervalSec"] == "0"


def test_memory_that_runs_out_ends_a_worker_not_the_service():
    assert unit("cppcorn.service")["Service"]["OOMPolicy"] == "continue"


def test_the_unit_enters_its_directory_by_name():
    service = unit("cppcorn.service")["Service"]
    assert "WorkingDirectory" not in service
    assert "--chdir" in service["ExecStart"]


@pytest.mark.parametrize("name", ["cppcorn.service", "cppcorn@.service"])
def test_the_command_line_of_the_unit_is_understood(name, tmp_path):
    words = unit(name)["Service"]["ExecStart"].replace("\\", " ").split()[1:]
    words[words.index("--chdir") + 1] = tmp_path
    words[words.index("--config") + 1] = tmp_path / "settings.toml"
    words[words.index("--pid") + 1] = tmp_path / "pid"
    (tmp_path / "settings.toml").write_text('app = "myapp:app"\nworkers = 2\n')
    done = run(*words, "--print-config")
    assert done.code == 0, done
    assert "myapp:app" in done.stdout
    assert "workers" in done.stdout


def test_the_times_of_the_unit_nest(tmp_path):
    """As docs/systemd.md has them."""
    service = unit("cppcorn.service")["Service"]
    options = re.findall(r"--[a-z-]*(?:timeout|delay|retry)[ =][\d.]+", service["ExecStart"])
    done = run("myapp:app", *(word for option in options for word in re.split("[ =]", option)), "--print-config")
    settings = tomllib.loads(done.stdout)
    assert int(service["TimeoutStopSec"]) >= settings["shutdown_delay"] + settings["graceful_timeout"] + 5
    assert settings["graceful_timeout"] >= settings["timeout"]
    assert int(service.get("TimeoutStartSec", "90")) > settings["bind_retry"] + settings["boot_timeout"]


# ---- logrotate


def test_logrotate_rotates_and_no_line_is_lost(tmp_path):
    logrotate = tool("logrotate")
    log, access, pidfile = tmp_path / "error.log", tmp_path / "access.log", tmp_path / "cppcorn.pid"
    text = (ROOT / "deploy/logrotate/cppcorn.logrotate").read_text()
    text = text.replace("/var/log/cppcorn/", f"{tmp_path}/").replace("/run/cppcorn/", f"{tmp_path}/")
    text = re.sub(r"^ *su .*\n", "", text, flags=re.M)
    config = tmp_path / "logrotate.conf"
    config.write_text(text)
    config.chmod(0o644)
    args = ["--workers", "2", "--log-file", log, "--access-logfile", access, "--pid", pidfile]
    with Server("whoami:app", *args, log_file=log, wait=2) as server:
        for number in range(20):
            assert server.get(f"/?{number}").status == 200
        wait_until(lambda: access.read_text().count("GET") == 20, what="the lines")
        done = run_tool(logrotate, "--force", "--state", tmp_path / "state", config)
        assert done.returncode == 0, done
        wait_until(lambda: log.exists() and access.exists(), what="the new files")
        for number in range(20, 40):
            assert server.get(f"/?{number}").status == 200
        # Nothing is compressed yet: what the workers wrote before their turn is there, too.
        rotated = tmp_path / "access.log.1"
        wait_until(lambda: (rotated.read_text() + access.read_text()).count("GET") == 40, what="all lines")
        wait_until(lambda: server.get("/?last").status == 200 and "?last" in access.read_text(), what="a new line")


# ---- tmpfiles


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make folders of others")
def test_the_folders_are_made(tmp_path):
    tmpfiles = tool("systemd-tmpfiles")
    text = (SYSTEMD / "cppcorn.tmpfiles.conf").read_text().replace("www-data", "33")
    config = tmp_path / "cppcorn.conf"
    config.write_text(text)
    root = tmp_path / "root"
    root.mkdir()
    done = run_tool(tmpfiles, "--create", f"--root={root}", config)
    assert done.returncode == 0, done
    for name, mode in (("run/cppcorn", 0o755), ("var/log/cppcorn", 0o750)):
        status = (root / name).stat()
        assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (33, 33, mode)
