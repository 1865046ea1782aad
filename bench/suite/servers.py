"""The servers that are measured, in the order of the tables.

One more is a record in peers.py, and its package in script/bootstrap.
"""

import dataclasses
import functools
import pathlib
import signal

from . import peers
from .peers import PEERS
from .server import Server, output_of

LOADS = {"keepalive64", "keepalive256", "browser", "pipelined", "body100k", "body10m", "file100k", "file10m", "upload"}


def _floor(setup):
    command = [setup.programs / "floor", *_sizes(setup)]
    return [*command, "--file", setup.folder / "body"] if setup.from_file else command


def _sizes(setup):
    return ["--port", setup.port, "--workers", setup.workers, "--body-size", setup.body_size]


FLOOR = Server(
    "floor",
    _floor,
    lambda: "ours",
    "no HTTP server: sends the same bytes whatever is asked",
    frozenset(LOADS | {"idle", "memory"}),
)

BLOCKING_FLOOR = Server(
    "blocking floor",
    lambda setup: [setup.programs / "blocking_floor", *_sizes(setup)],
    lambda: "ours",
    "accept, recv, send, close",
    frozenset({"close"}),
)


def cppcorn(name, build):
    """The binary of that build; the app is always this build's, so that builds of other commits can be compared."""
    binary = pathlib.Path(build).resolve()
    if binary.is_dir():
        binary /= "cppcorn"

    def command(setup):
        file = setup.folder / "body" if setup.from_file else ""
        app = f'{setup.programs}/bench_app.so:app({setup.body_size}, "{file}")'
        return [binary, app, "--bind", f"127.0.0.1:{setup.port}", "--workers", setup.workers, *setup.arguments]

    version = functools.partial(output_of, str(binary), "--version")
    return Server(name, command, version, reload=signal.SIGHUP, churn=peers.ALL_CHURN, binary=binary)


NGINX_CONFIGURATION = """\
daemon off;
user root;
worker_processes {workers};
worker_rlimit_nofile 65536;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 30000; }}
http {{
    access_log off;
    server_tokens off;
    sendfile on;
    default_type text/plain;
    types {{}}
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_temp_path {folder}/body_temp;
    proxy_temp_path {folder}/proxy_temp;
    fastcgi_temp_path {folder}/fastcgi_temp;
    uwsgi_temp_path {folder}/uwsgi_temp;
    scgi_temp_path {folder}/scgi_temp;
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location / {{ {answer} }}
    }}
}}
"""


def _nginx(setup):
    small = setup.body_size == 14
    answer = r'return 200 "Hello, world!\n";' if small else f"root {setup.folder}; rewrite ^ /body break;"
    path = setup.folder / "nginx.conf"
    settings = {"answer": answer, "workers": setup.workers, "folder": setup.folder, "port": setup.port}
    path.write_text(NGINX_CONFIGURATION.format(**settings))
    return ["nginx", "-e", "stderr", "-c", path]


NGINX = Server(
    "nginx",
    _nginx,
    lambda: output_of("nginx", "-v"),
    "runs no app; throws an upload away; large bodies come from a file in each case",
    frozenset(LOADS | {"close", "idle", "start", "memory", "reload"}),
    reload=signal.SIGHUP,
)


def all_servers(cppcorns):
    """cppcorns: name -> build."""
    ours = [cppcorn(name, build) for name, build in cppcorns.items()]
    return [FLOOR, BLOCKING_FLOOR, *ours, NGINX, *PEERS]


def with_access_log(server):
    return dataclasses.replace(server, name=f"{server.name} with access log", flags=("--access-logfile", "access.log"))
