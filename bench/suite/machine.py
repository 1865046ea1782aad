"""What the figures were measured on."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

from .server import output_of

ROOT = pathlib.Path(__file__).resolve().parents[2]


def describe():
    return {
        "CPU": f"{cpu_model()}, {os.cpu_count()} cores",
        "Memory": _memory(),
        "Kernel": platform.release(),
        "Congestion control": pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
        "System": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        "Compiler": (output_of("g++", "--version") or "unknown").splitlines()[0],
        "wrk": _wrk_version(),
        "Commit": _commit(),
        "Date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "Load before": f"{os.getloadavg()[0]:.1f}",
    }


def cpu_model():
    match = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return match[1] if match else platform.machine()


def _memory():
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"


def _wrk_version():
    match = re.search(r"wrk (\S+)", output_of("wrk", "-v") or "")
    return match[1] if match else "missing"


def _commit():
    result = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return result.stdout.strip() or "unknown"
