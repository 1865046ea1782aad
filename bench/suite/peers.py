"""The servers that cppcorn is compared to, but for nginx and the floors: how each is started, what it does otherwise."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from .server import Server, Setup

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "bench/peers"
PROGRAMS = ROOT / "build/release/bench"

COMMON = frozenset("keepalive64 keepalive256 browser pipelined close body100k body10m file100k file10m upload".split())
PROCESS = frozenset({"start", "memory"})
CONNECTIONS = frozenset({"kills", "kills_hello", "churn", "openloop", "idlewait", "slowclients"})
ALL_CHURN = frozenset({"reload", "upgrade", "recycle"})
CLOSES = "it closes each connection after its answer"


def version_of(*command: str):
    def ask() -> str | None:
        if not shutil.which(command[0]):
            return None
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.search(r"\d+(?:[._]\d+)+", told.stdout + told.stderr)
        return found.group().replace("_", ".") if found else None

    return ask


def with_app(setup: Setup, *command: str) -> list[str]:
    """The command with what our apps read from the environment."""
    settings = {"PORT": setup.port, "WORKERS": setup.workers, "BODY_SIZE": setup.body_size}
    if setup.from_file:
        settings["BODY_FILE"] = setup.folder / "body"
    return ["env", *(f"{name}={value}" for name, value in settings.items()), *command]


def gunicorn(*arguments, address: bool = True):
    return lambda setup: with_app(
        setup,
        "gunicorn",
        *(("--bind", f"127.0.0.1:{setup.port}") if address else ()),
        *("--workers", str(setup.workers)),
        *("--pythonpath", str(FILES)),
        *("--log-level", "warning"),
        *(argument(setup) if callable(argument) else argument for argument in arguments),
        *setup.arguments,
        "wsgi_app:application",
    )


GUNICORN_SYNC = Server(
    name="gunicorn sync",
    command=gunicorn("--worker-class", "sync"),
    version=version_of("gunicorn", "--version"),
    differs=CLOSES,
    scenarios=COMMON - {"pipelined"} | PROCESS | {"slow", "reload"},
    environment={"PYTHONDONTWRITEBYTECODE": "1"},
    reload=signal.SIGHUP,
)

GUNICORN_GTHREAD = Server(
    name="gunicorn gthread",
    command=gunicorn(
        *("--worker-class", "gthread"),
        *("--threads", lambda setup: str(setup.threads)),
        *("--keep-alive", "75"),
        *("--worker-connections", "20000"),
    ),
    version=version_of("gunicorn", "--version"),
    differs="4 threads in each process, so that it sleeps in 4 requests at once; pipelined requests hang in it",
    scenarios=COMMON - {"pipelined"} | PROCESS | {"slow", "idle", "reload"} | CONNECTIONS,
    environment={"PYTHONDONTWRITEBYTECODE": "1"},
    reload=signal.SIGHUP,
    churn=ALL_CHURN,
)


PROXY_CONFIGURATION = """\
daemon off;
user root;
worker_processes {setup.workers};
worker_rlimit_nofile 65536;
pid {setup.folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 10000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_temp_path {setup.folder}/body_temp;
    proxy_temp_path {setup.folder}/proxy_temp;
    fastcgi_temp_path {setup.folder}/fastcgi_temp;
    uwsgi_temp_path {setup.folder}/uwsgi_temp;
    scgi_temp_path {setup.folder}/scgi_temp;
    server {{
        listen 127.0.0.1:{setup.port} backlog=2048;
        location / {{ proxy_pass http://unix:{setup.folder}/gunicorn; }}
    }}
}}
"""


def behind_nginx(setup: Setup) -> list[str]:
    """gunicorn is the main process, which takes the signals; nginx was started before it."""
    config = setup.folder / "nginx.conf"
    config.write_text(PROXY_CONFIGURATION.format(setup=setup), encoding="utf-8")
    behind = gunicorn("--worker-class", "sync", "--bind", f"unix:{setup.folder}/gunicorn", address=False)(setup)
    return ["sh", "-c", 'nginx -e stderr -c "$0" & exec "$@"', str(config), *behind]


BEHIND_NGINX = Server(
    name="gunicorn behind nginx",
    command=behind_nginx,
    version=lambda: shutil.which("nginx") and version_of("gunicorn", "--version")(),
    differs="gunicorn sync, behind nginx, which keeps the clients' connections, and all of a body or an answer for slow ones",
    scenarios=CONNECTIONS,
    environment={"PYTHONDONTWRITEBYTECODE": "1"},
    reload=signal.SIGHUP,
    churn=ALL_CHURN,
)


def uwsgi(setup: Setup) -> list[str]:
    longest_backlog = int(Path("/proc/sys/net/core/somaxconn").read_text(encoding="ascii"))
    return with_app(
        setup,
        "uwsgi",
        *("--plugin", "python3"),
        *("--http-socket", f"127.0.0.1:{setup.port}"),
        *("--listen", str(min(2048, longest_backlog))),
        *("--processes", str(setup.workers)),
        *("--pythonpath", str(FILES)),
        *("--module", "wsgi_app"),
        *("--add-header", "Connection: close"),
        *("--master", "--need-app", "--die-on-term", "--disable-logging"),
    )


UWSGI = Server(
    name="uWSGI",
    command=uwsgi,
    version=version_of("uwsgi", "--version"),
    differs=CLOSES + "; no Date or Server field",
    scenarios=COMMON - {"pipelined"} | PROCESS | {"slow", "reload"},
    environment={"PYTHONDONTWRITEBYTECODE": "1"},
    reload=signal.SIGHUP,
)


def puma(setup: Setup) -> list[str]:
    return with_app(setup, "puma", "--quiet", "--config", str(FILES / "puma.rb"), str(FILES / "config.ru"))


PUMA = Server(
    name="Puma",
    command=puma,
    version=version_of("puma", "--version"),
    differs="no Date or Server field; reads a file and sends it, without sendfile; keeps an upload in a file; a thread"
    " waits for up to 0.2 s for a connection's next request before it takes another, so that idle ones cannot be opened"
    " one by one",
    scenarios=COMMON | PROCESS | {"slow", "reload"} | CONNECTIONS,
    reload=signal.SIGUSR1,
    churn=frozenset({"reload"}),
)


def unicorn(setup: Setup) -> list[str]:
    return with_app(
        setup, "unicorn", "--env", "production", "--config-file", str(FILES / "unicorn.rb"), str(FILES / "config.ru")
    )


UNICORN = Server(
    name="unicorn",
    command=unicorn,
    version=version_of("unicorn", "--version"),
    differs=CLOSES + "; no Server field; reads a file and sends it, without sendfile",
    scenarios=COMMON - {"pipelined"} | PROCESS | {"slow", "reload"},
    reload=signal.SIGHUP,
)

NODE = Server(
    name="Node cluster",
    command=lambda setup: with_app(setup, "node", str(FILES / "node_cluster.js")),
    version=version_of("node", "--version"),
    differs="streams a file, without sendfile",
    scenarios=COMMON | PROCESS | {"slow", "idle"},
    environment={"NODE_ENV": "production"},
)


H2O_CONFIG = """\
{user}
num-threads: {setup.workers}
max-connections: 20000
http1-request-timeout: 75
listen: {{host: 127.0.0.1, port: {setup.port}}}
error-log: {setup.folder}/h2o.log
file.mime.setdefaulttype: text/plain
file.etag: OFF
hosts:
  default:
    paths:
      /:
        file.file: {answer}
"""


def h2o(setup: Setup) -> list[str]:
    answer = setup.folder / "body"
    if not setup.from_file:
        answer = setup.folder / "answer"
        answer.write_bytes(b"Hello, world!\n" if setup.body_size == 14 else b"x" * setup.body_size)
    user = "user: root" if os.geteuid() == 0 else ""  # else root becomes nobody, who may not read the folder
    config = setup.folder / "h2o.conf"
    config.write_text(H2O_CONFIG.format(user=user, setup=setup, answer=answer), encoding="utf-8")
    return ["h2o", "--conf", str(config)]


H2O = Server(
    name="h2o",
    command=h2o,
    version=version_of("h2o", "--version"),
    differs="threads of one process; always answers from a file, which is quicker than its mruby, without sendfile and"
    " with Last-Modified and Accept-Ranges",
    scenarios=COMMON - {"upload"} | PROCESS | {"idle"},
)


def ours(program: str):
    def command(setup: Setup) -> list[str]:
        arguments = {"--port": setup.port, "--workers": setup.workers, "--body-size": setup.body_size}
        if setup.from_file:
            arguments["--file"] = setup.folder / "body"
        return [str(setup.programs / program), *(str(word) for pair in arguments.items() for word in pair)]

    return command


MICROHTTPD = Server(
    name="libmicrohttpd",
    command=ours("microhttpd_server"),
    version=version_of(str(PROGRAMS / "microhttpd_server"), "--version"),
    differs="threads of one process, with an epoll each",
    scenarios=COMMON | PROCESS | {"slow", "idle"},
)

BEAST = Server(
    name="Boost.Beast",
    command=ours("beast_server"),
    version=version_of(str(PROGRAMS / "beast_server"), "--version"),
    differs="reads a file and sends it 4 KB at a time, without sendfile",
    scenarios=COMMON | PROCESS | {"slow", "idle"},
)

HTTPLIB = Server(
    name="cpp-httplib",
    command=ours("httplib_server"),
    version=version_of(str(PROGRAMS / "httplib_server"), "--version"),
    differs="300 threads of one process, since a connection keeps a thread as long as it is kept alive, so that it"
    " sleeps in as many requests at once; reads a file and sends it, without sendfile; pipelined requests hang in it",
    scenarios=COMMON - {"pipelined"} | PROCESS | {"slow"},
)

PEERS = [
    *(GUNICORN_SYNC, GUNICORN_GTHREAD, UWSGI, PUMA, UNICORN),
    *(NODE, H2O, MICROHTTPD, BEAST, HTTPLIB),
    BEHIND_NGINX,
]
