"""The servers of Python apps, each in a virtual environment with the newest of PyPI, or else Debian's."""

import dataclasses
import os
import signal
from pathlib import Path

from ..server import Server, output_of

ROOT = Path(__file__).resolve().parents[3]
APPS = ROOT / "bench/apps/python"
SERVE_BJOERN = ROOT / "bench/peers/serve_bjoern.py"
VIRTUAL = ROOT / "build/bench/python/bin"
PROGRAMS = VIRTUAL if (VIRTUAL / "python").exists() else Path("/usr/bin")
PYTHON = PROGRAMS / "python3"

COST = frozenset({"python_bare", "python_flask"})
START = frozenset({"python_start", "python_memory"})
KILLS = frozenset({"python_kills"})
QUEUE = frozenset({"python_queue"})
ENVIRONMENT = {"PYTHONPATH": str(APPS), "PYTHONDONTWRITEBYTECODE": "1"}

NGINX = """\
daemon off;
user root;
worker_processes 2;
worker_rlimit_nofile 65536;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 10000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body_temp;
    proxy_temp_path {folder}/proxy_temp;
    fastcgi_temp_path {folder}/fastcgi_temp;
    uwsgi_temp_path {folder}/uwsgi_temp;
    scgi_temp_path {folder}/scgi_temp;
    upstream app {{ server unix:{folder}/app; keepalive 64; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
}}
"""


def of_package(name):
    """Its version; None where the interpreter does not have it."""
    question = f"from importlib.metadata import version; print(version('{name}'))"

    def ask():
        told = output_of(str(PYTHON), "-c", question) or ""
        return told if told[:1].isdigit() else None

    return ask


def _address(setup, behind_nginx):
    return f"unix:{setup.folder}/app" if behind_nginx else f"127.0.0.1:{setup.port}"


def cppcorn(binary, behind_nginx=False):
    def command(setup):
        address = _address(setup, behind_nginx)
        more = ["--python", PYTHON, "--bind", address, "--workers", setup.workers, *setup.arguments]
        return [binary, f"{setup.app}:app", *more]

    return command


def by_interpreter(python, package, before=(), **environment):
    """cppcorn as the program runs it: `package` is the folder that has it, `before` what the interpreter runs under."""

    def command(setup):
        words = [*before, python, "-m", "cppcorn", f"{setup.app}:app", "--bind", f"127.0.0.1:{setup.port}"]
        return [*words, "--workers", setup.workers, "--timeout", 600, "--boot-timeout", 0, *setup.arguments]

    return Server("cppcorn", command, str, environment=ENVIRONMENT | {"PYTHONPATH": f"{package}:{APPS}"} | environment)


def gunicorn(*arguments, behind_nginx=False):
    newer = ["--no-control-socket"] if PROGRAMS == VIRTUAL else []

    def command(setup):
        more = ["--bind", _address(setup, behind_nginx), "--workers", setup.workers, "--log-level", "warning"]
        return [PROGRAMS / "gunicorn", f"{setup.app}:app", *more, *arguments, *newer, *setup.arguments]

    return command


def gthread(threads):
    keep = ("--keep-alive", "75", "--worker-connections", "20000")
    return ("--worker-class", "gthread", "--threads", str(threads), *keep)


def with_nginx(command):
    """The app's server is the main process, which takes the signals; nginx is started before it."""

    def both(setup):
        config = setup.folder / "nginx.conf"
        config.write_text(NGINX.format(folder=setup.folder, port=setup.port))
        return ["sh", "-c", 'nginx -e stderr -c "$0" & exec "$@"', config, *command(setup)]

    return both


def uwsgi(setup):
    plugin = [] if PROGRAMS == VIRTUAL else ["--plugin", "python3"]
    return [
        *(PROGRAMS / "uwsgi", *plugin, "--http11-socket", f"127.0.0.1:{setup.port}", "--module", setup.app),
        *("--master", "--processes", setup.workers, "--need-app", "--die-on-term", "--disable-logging"),
    ]


def granian(setup):
    return [
        *(PROGRAMS / "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", setup.port),
        *("--workers", setup.workers, "--blocking-threads", "1", "--http", "1", "--no-ws", "--log-level", "error"),
        f"{setup.app}:app",
    ]


def bjoern(setup):
    return [PYTHON, SERVE_BJOERN, setup.app, setup.port, setup.workers]


def waitress(setup):
    """Without its warning of each request that has to wait, as no other server logs those."""
    quiet = "import logging; logging.getLogger('waitress.queue').setLevel(logging.ERROR)"
    run = f"{quiet}; from waitress.runner import run; run()"
    return [PYTHON, "-c", run, f"--listen=127.0.0.1:{setup.port}", "--connection-limit=1000", f"{setup.app}:app"]


def mod_wsgi(setup):
    setup.folder.parent.chmod(0o755)  # Apache's children have another user
    setup.folder.chmod(0o755)
    kept = setup.folder / "keep.conf"
    kept.write_text("MaxKeepAliveRequests 0\n")
    user = ["--user", "www-data", "--group", "www-data"] if os.geteuid() == 0 else []
    return [
        *(PROGRAMS / "mod_wsgi-express", "start-server", "--application-type", "module", setup.app, *user),
        *("--host", "127.0.0.1", "--port", setup.port, "--processes", setup.workers, "--threads", "1"),
        *("--max-clients", "200", "--keep-alive-timeout", "75", "--include-file", kept, "--server-root", setup.folder / "apache"),
        *("--initial-workers", "1.0", "--maximum-spare-workers", "1.0"),  # else it closes kept connections as it ends them
        *("--log-to-terminal", "--log-level", "error", "--python-path", APPS),
    ]


def _peer(name, command, package, differs, scenarios=COST | START, **more):
    return Server(name, command, of_package(package), differs, scenarios, dict(ENVIRONMENT), **more)


PEERS = [
    _peer("gunicorn sync", gunicorn("--worker-class", "sync"), "gunicorn", "closes each connection after its answer"),
    _peer("gunicorn gthread", gunicorn(*gthread(4)), "gunicorn", "4 threads in each process", COST | START | KILLS),
    _peer("gunicorn --preload", gunicorn("--preload"), "gunicorn", "sync", frozenset({"python_memory"})),
    _peer(
        *("uWSGI", uwsgi, "uwsgi"),
        "a process stays with a connection as long as that is kept: two connections are answered, the others wait",
    ),
    _peer("granian", granian, "granian", "a thread of each process runs the app"),
    _peer("bjoern", bjoern, "bjoern", "no Date or Server field; two processes that share the socket"),
    _peer("waitress", waitress, "waitress", "one process, 4 threads"),
    _peer("mod_wsgi", mod_wsgi, "mod_wsgi", "Apache, and a process for each worker behind it"),
    *(
        _peer(
            f"gunicorn {threads} thread{'s' * (threads > 1)}",
            with_nginx(gunicorn(*gthread(threads), behind_nginx=True)),
            *("gunicorn", "gthread, behind nginx; so many threads in each of the 4 processes", QUEUE),
        )
        for threads in (1, 4)
    ),
]


def python_servers(cppcorns):
    """cppcorns: name -> build."""
    servers = []
    for name, build in cppcorns.items():
        binary = Path(build).resolve()
        if binary.is_dir():
            binary /= "cppcorn"
        here = {"version": lambda binary=binary: output_of(str(binary), "--version"), "environment": dict(ENVIRONMENT)}
        here |= {"reload": signal.SIGHUP, "binary": binary}
        every = COST | START | KILLS | frozenset({"python_growth", "python_instructions"})
        plain = Server(name, cppcorn(binary), scenarios=every, **here)
        behind = with_nginx(cppcorn(binary, behind_nginx=True))
        servers += [
            plain,
            dataclasses.replace(plain, name=f"{name} --preload", flags=("--preload",), scenarios=frozenset({"python_memory"})),
            Server(f"{name} behind nginx", behind, scenarios=QUEUE, **here),
        ]
    return servers + PEERS
