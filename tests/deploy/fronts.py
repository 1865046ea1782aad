"""Runs the proxies of deploy/ in front of the fleet: their files as they are, but for addresses and paths."""

import re
import signal
import subprocess

import pytest

from harness import ROOT, _die_with_parent, kill_session, wait_until
from network import FRONT, MACHINES, connect
from reverse_proxies import program

DEPLOY = ROOT / "deploy"
PORT = 80
TLS_PORT = 443

# What surrounds the file of conf.d, with everything in the test's directory.
NGINX = """
daemon off;
user root;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    include {folder}/cppcorn.conf;
}}
"""


def replaced(text, changes):
    """`text` with each of the patterns replaced; a pattern that is not in it is a mistake of the test's."""
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.M)
        assert count, f"{pattern} is not in the file"
    return text


def machines(text):
    for number, address in enumerate(MACHINES, 11):
        text = replaced(text, [(rf"192\.0\.2\.{number}\b", address)])
    return text


def haproxy(folder, tls, changes, file="haproxy.cfg"):
    text = replaced(machines((DEPLOY / "haproxy" / file).read_text()), changes)
    text = text.replace("/run/haproxy/", f"{folder}/")
    if tls:
        text = replaced(text, [("#(bind :443 )", r"\1"), ("/etc/haproxy/certs/", f"{folder}/certs/")])
    (folder / "haproxy.cfg").write_text(text)
    # -W: a master that reloads on SIGUSR2, as systemd's unit starts it.
    return [program("haproxy"), "-W", "-db", "-S", f"{folder}/master.sock", "-f", str(folder / "haproxy.cfg")]


def haproxy_bytes(folder, tls, changes):
    return haproxy(folder, tls, changes, "bytes.cfg")


def nginx(folder, tls, changes):
    text = replaced(machines((DEPLOY / "nginx/cppcorn.conf").read_text()), changes)
    assert not tls
    (folder / "cppcorn.conf").write_text(text)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
    return [program("nginx"), "-p", str(folder), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]


def hitch(folder, tls, changes):
    assert tls
    text = replaced((DEPLOY / "hitch/hitch.conf").read_text(), changes)
    text = replaced(text, [
        (r"\[127\.0\.0\.1\]:8000", f"[{MACHINES[0]}]:8000"),
        ("/etc/hitch/example.org.pem", f"{folder}/certs/site.pem"),
        ("^(user|group) = .*", r'\1 = "root"'),
    ])
    (folder / "hitch.conf").write_text(text)
    return [program("hitch"), "--config", str(folder / "hitch.conf")]


KINDS = {"haproxy": haproxy, "haproxy-bytes": haproxy_bytes, "nginx": nginx, "hitch": hitch}


class Front:
    """A proxy for one `with` block, on the machine in front."""

    def __init__(self, kind, folder, tls=False, changes=()):
        name = kind.partition("-")[0]
        if program(name) is None:
            pytest.skip(f"{name} is not installed")
        self.kind = kind
        self.host = FRONT
        self.port = TLS_PORT if tls else PORT
        self._folder = folder
        self._command = KINDS[kind](folder, tls, changes)

    def __enter__(self):
        with open(self._folder / "front.log", "ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        try:
            wait_until(self._listens, 20, f"{self.kind} at port {self.port}")
        except AssertionError:
            self.__exit__()
            raise AssertionError(self.log_text()) from None
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        kill_session(self._process.pid, patience=0.5)

    def connect(self):
        return connect(self.host, self.port)

    def reload(self):
        """As systemd's units of HAProxy do it: its master starts new processes on the same sockets."""
        assert self.kind.startswith("haproxy")
        self._process.send_signal(signal.SIGUSR2)

    def log_text(self):
        return (self._folder / "front.log").read_text(errors="replace")

    def _listens(self):
        assert self._process.poll() is None
        try:
            self.connect().close()
            return True
        except OSError:
            return False
