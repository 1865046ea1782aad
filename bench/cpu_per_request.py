#!/usr/bin/env python3
"""How much CPU time the workers spend on one request: starts a server, loads it with wrk, reads the workers' clocks.

    bench/cpu_per_request.py                                  hello:app, 2 workers, wrk -t2 -c64 -d5s
    bench/cpu_per_request.py echo:app -- --workers 4          another app, options for cppcorn behind --
    bench/cpu_per_request.py --wrk "-t1 -c256 -d10s" --browser

CPU time says more than requests a second where wrk shares the server's cores; on a busy machine, compare only what was
measured in the same minute.
"""

import argparse
import pathlib
import re
import signal
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build/release"

# What a browser sends with a page's request: 14 fields, about 700 bytes.
BROWSER_FIELDS = {
    "Connection": "keep-alive",
    "Cache-Control": "max-age=0",
    "sec-ch-ua": '"Chromium";v="120", "Not-A.Brand";v="99"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "Upgrade-Insecure-Requests": "1",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-User": "?1",
    "Sec-Fetch-Dest": "document",
    "Accept-Encoding": "gzip, deflate, br",
}


def worker_pids(master):
    return pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split()


def cpu_seconds(pids):
    return sum(int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app", nargs="?", default="hello:app")
    parser.add_argument("options", nargs="*", help="for cppcorn")
    parser.add_argument("--wrk", default="-t2 -c64 -d5s", help="options for wrk (%(default)s)")
    parser.add_argument("--path", default="/")
    parser.add_argument("--browser", action="store_true", help="send what a browser sends")
    arguments = parser.parse_args()

    command = [BUILD / "cppcorn", arguments.app, "--app-dir", BUILD / "apps", "--bind", "127.0.0.1:0"]
    server = subprocess.Popen([*command, *(arguments.options or ["--workers", "2"])], stderr=subprocess.PIPE, text=True)
    try:
        port = next(match[1] for line in server.stderr if (match := re.search(r"Listening at: http://\S+:(\d+) ", line)))
        url = f"http://127.0.0.1:{port}{arguments.path}"
        subprocess.run(["curl", "-s", "-o", "/dev/null", "--retry", "5", url], check=True)
        fields = [part for field in BROWSER_FIELDS.items() if arguments.browser for part in ("-H", ": ".join(field))]
        workers = worker_pids(server.pid)
        before = cpu_seconds(workers)
        result = subprocess.run(["wrk", *arguments.wrk.split(), *fields, url], capture_output=True, text=True, check=True)
        used = cpu_seconds(workers) - before
        print(result.stdout)
        requests = int(re.search(r"(\d+) requests in", result.stdout)[1])
        print(f"CPU time of {len(workers)} workers per request: {used / requests * 1e6:.2f} µs")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


if __name__ == "__main__":
    main()
