"""Runs nginx, HAProxy and Varnish in front of a server, each as a foreground process of its own."""

import os
import shutil
import socket
import subprocess

from harness import SLOWNESS, _die_with_parent, free_port, kill_session, wait_until

# What each proxy adds to the answers that came from the server behind it; "failed" where the server may have seen the
# request and yet none came.
MARK = b"x-upstream:"

NGINX = """
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 0;
    client_header_timeout 1s;
    client_body_timeout 1s;
    keepalive_timeout 5s;
    map $http_host $told_host {{
        default $http_host;
        "" $host;
    }}
    upstream app {{
        server 127.0.0.1:{upstream};
        keepalive 8;
    }}
    server {{
        listen 127.0.0.1:{port};
        server_name localhost;
        add_header X-Upstream $upstream_status always;
        location / {{
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $told_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto https;
            {server_options}
        }}
        location /shop/ {{
            proxy_pass http://app;
            {server_options}
            proxy_set_header SCRIPT_NAME /shop;
        }}
    }}
}}
"""

HAPROXY = """
global
    maxconn 200
defaults
    mode http
    timeout connect 10s
    timeout client 5s
    timeout server 30s
    timeout http-request 1s
    timeout http-keep-alive 5s
    http-reuse always
    option forwardfor
frontend clients
    bind 127.0.0.1:{port}
    http-request del-header SCRIPT_NAME
    http-request set-header X-Forwarded-Proto https
    http-response set-header X-Upstream yes
    default_backend app
backend app
    server app 127.0.0.1:{upstream} {server_options}
"""

VARNISH = """
vcl 4.1;
backend app {{
    .host = "127.0.0.1";
    .port = "{upstream}";
}}
sub vcl_recv {{
    unset req.http.SCRIPT_NAME;
    set req.http.X-Forwarded-Proto = "https";
    return (pass);
}}
sub vcl_backend_response {{
    set beresp.http.X-Upstream = "yes";
}}
sub vcl_backend_error {{
    set beresp.http.X-Upstream = "failed";
}}
"""


def program(name):
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Proxy:
    """A proxy for one `with` block, in front of the server at port `upstream`."""

    def __init__(self, kind, folder, upstream, server_options=""):
        self.kind = kind
        self._folder = folder
        self._values = {"folder": folder, "upstream": upstream, "server_options": server_options}

    def __enter__(self):
        for _ in range(5):  # another process may be faster to bind the port
            self.port = free_port()
            self._start()
            wait_until(lambda: self._process.poll() is not None or self._listens(), 20, f"{self.kind} at port {self.port}")
            if self._process.poll() is None:
                return self
        raise AssertionError(f"{self.kind} does not start:\n{self.log_text()}")

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        kill_session(self._process.pid)

    def _start(self):
        with open(self._log(), "ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def _command(self):
        if self.kind == "nginx":
            return [program("nginx"), "-p", str(self._folder), "-e", self._log(), "-c", self._configuration(NGINX)]
        if self.kind == "haproxy":
            return [program("haproxy"), "-db", "-f", self._configuration(HAPROXY)]
        options = ["-F", "-n", f"{self._folder}/varnish", "-j", "none", "-s", "malloc,64m", "-a", f"127.0.0.1:{self.port}"]
        parameters = ["-p", "timeout_idle=5"]
        return [program("varnishd"), *options, *parameters, "-f", self._configuration(VARNISH)]

    def _configuration(self, template):
        path = f"{self._folder}/{self.kind}.conf"
        with open(path, "w") as file:
            file.write(template.format(port=self.port, **self._values))
        return path

    def _log(self):
        return f"{self._folder}/{self.kind}.log"

    def log_text(self):
        with open(self._log(), errors="replace") as log:
            return log.read()

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def connect(self, source="127.0.0.1", timeout=20):
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout * SLOWNESS, source_address=(source, 0))
