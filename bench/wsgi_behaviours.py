#!/usr/bin/python3
"""What servers do of what WSGI apps rely on: the table in docs/python.md.

    bench/wsgi_behaviours.py [--python VENV/bin/python] [--only SERVER,SERVER] [--keep]

The behaviours are those of tests/python/behaviours.py. Each is asked for of a server that was started for it alone, with
one process. Servers are Debian's, and those of the virtual environment that `script/bench python` makes; where a server is
there in two versions, the table has the newer one, and below it is told what the other does otherwise. --keep prints,
and leaves the page alone.
"""

import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
APPS = ROOT / "tests/python/apps"
PAGE = ROOT / "docs/python.md"
BEGIN, END = "<!-- made by bench/wsgi_behaviours.py: begin -->", "<!-- made by bench/wsgi_behaviours.py: end -->"
DEBIAN = pathlib.Path("/usr/bin")
APP = "wsgi_cases:app"

sys.path.insert(0, str(ROOT / "tests/python"))

from behaviours import BEHAVIOURS, Differs  # noqa: E402


def gunicorn(programs, port):
    more = [] if programs == DEBIAN else ["--no-control-socket"]
    return [programs / "gunicorn", APP, "-b", f"127.0.0.1:{port}", *more]


def uwsgi(programs, port):
    plugin = ["--plugin", "python3"] if programs == DEBIAN else []
    return [
        *(programs / "uwsgi", *plugin, "--http-socket", f"127.0.0.1:{port}", "--wsgi", APP, "--master", "--need-app"),
        *("--die-on-term", "--enable-threads"),
    ]


def waitress(programs, port):
    return [programs / "waitress-serve", f"--listen=127.0.0.1:{port}", APP]


def cppcorn(programs, port):
    return [programs / "cppcorn", APP, "-b", f"127.0.0.1:{port}", "--python", "/usr/bin/python3"]


PEERS = {
    "gunicorn": (gunicorn, "gunicorn", "import gunicorn; print(gunicorn.__version__)"),
    "uWSGI": (uwsgi, "uwsgi", None),
    "waitress": (waitress, "waitress-serve", "from importlib.metadata import version; print(version('waitress'))"),
}


class Server:
    """Running; a context that ends it."""

    def __init__(self, command, programs):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        self._log = pathlib.Path(self._folder.name) / "log"
        words = [str(word) for word in command(programs, self.port)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        with self._log.open("wb") as log:
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            self._process = subprocess.Popen(words, cwd=APPS, env=environment, start_new_session=True, **streams)

    def output(self):
        return self._log.read_text(errors="replace")

    def __enter__(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return self
            except OSError:
                if time.monotonic() > deadline:
                    sys.exit(f"it does not listen: {self.output()}")
                time.sleep(0.02)

    def __exit__(self, *_):
        try:
            os.killpg(self._process.pid, signal.SIGKILL)  # our own session
        except ProcessLookupError:
            pass
        self._process.wait()
        self._folder.cleanup()


def outcome(command, programs, function):
    with Server(command, programs) as server:
        try:
            function(server)
            return "yes"
        except Differs as difference:
            return str(difference)
        except (ValueError, TypeError, OSError) as error:  # of what was to be a number, or JSON; no connection
            print(f"  {function.__name__}: {error!r}", file=sys.stderr)
            return "no answer that can be read"


def version(name, programs):
    _, program, question = PEERS[name]
    if not (programs / program).exists():
        return None
    command = [programs / "python3", "-c", question] if question else [programs / program, "--version"]
    found = re.search(r"\d+(\.\d+)+", subprocess.run(command, capture_output=True, text=True).stdout)
    return found[0] if found else None


def chosen_servers(python):
    """Name, version, command and folder of each; the newer of two of one name first."""
    ours = ROOT / "build/release"
    told = subprocess.run([ours / "cppcorn", "--version"], capture_output=True, text=True).stdout.split()
    servers = [("cppcorn", told[-1], cppcorn, ours)]
    for name, (command, _, _) in PEERS.items():
        folders = ([pathlib.Path(python).absolute().parent] if python else []) + [DEBIAN]
        found = [(name, known, command, folder) for folder in folders if (known := version(name, folder))]
        servers += sorted(found, key=lambda each: [int(part) for part in each[1].split(".")], reverse=True)
    return servers


def measure(servers):
    """{(name, version): {words: outcome}}"""
    results = {}
    for name, known, command, programs in servers:
        print(f"{name} {known}", file=sys.stderr)
        results[name, known] = {words: outcome(command, programs, function) for words, function in BEHAVIOURS.items()}
    return results


def markdown(results):
    newest = {}
    for key in results:
        newest.setdefault(key[0], key)
    lines = ["| what | " + " | ".join(f"{name} {known}" for name, known in newest.values()) + " |"]
    lines += ["|---|" + "---|" * len(newest)]
    for words in BEHAVIOURS:
        lines += [f"| {words} | " + " | ".join(results[key][words].replace("|", r"\|") for key in newest.values()) + " |"]
    lines += ["", *(wrapped(line) for line in older(results, newest))]
    return "\n".join(lines).rstrip() + "\n"


def wrapped(text):
    """An item of a list, as wide as the pages are."""
    return textwrap.fill(f"- {text}", 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def older(results, newest):
    for key, found in results.items():
        latest = newest[key[0]]
        if key == latest:
            continue
        differing = [words for words in BEHAVIOURS if found[words] != results[latest][words]]
        told = "; ".join(f"{words}: {found[words]}" for words in differing)
        yield f"{key[0]} {key[1]}, Debian's, " + (f"differs from {latest[1]} in: {told}." if told else f"does what {latest[1]} does.")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    virtual = ROOT / "build/bench/python/bin/python"
    parser.add_argument("--python", default=virtual if virtual.exists() else None, help="of the virtual environment")
    parser.add_argument("--only", help="names with commas in between")
    parser.add_argument("--keep", action="store_true", help="leave docs/python.md as it is")
    options = parser.parse_args()
    if not shutil.which("uwsgi") or not shutil.which("gunicorn") or not shutil.which("waitress-serve"):
        print("some are not installed: apt-get install gunicorn uwsgi-core uwsgi-plugin-python3 python3-waitress", file=sys.stderr)
    servers = [each for each in chosen_servers(options.python) if not options.only or each[0] in options.only.split(",")]
    text = markdown(measure(servers))
    print(text)
    if not options.keep and not options.only:
        before, begin, rest = PAGE.read_text().partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            sys.exit(f"{PAGE} has no markers")
        PAGE.write_text(f"{before}{BEGIN}\n{text}{END}{after}")


if __name__ == "__main__":
    main()
