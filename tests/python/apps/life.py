"""What an app does to the life of its worker."""

import atexit
import ctypes
import os
import signal
import time

import cppcorn


@atexit.register
def at_exit():
    print("atexit", os.getpid())


def sleep(environ):
    """Until it is told that its time is up."""
    try:
        time.sleep(60)
    finally:
        print("finally")


def nap(environ):
    print("napping")
    time.sleep(0.5)
    return "rested"


def hang(environ):
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass


def spin(environ):
    while True:
        pass


def caught(environ):
    try:
        time.sleep(60)
    except cppcorn.RequestTimeout:
        return "caught"


def extended(environ):
    cppcorn.extend_deadline(30)
    time.sleep(float(environ["QUERY_STRING"]))
    return "in time"


def crash(environ):
    ctypes.string_at(0)


def pid(environ):
    return str(os.getpid())


def worker(environ):
    return f"{cppcorn.worker.slot} {cppcorn.worker.name}"


def log(environ):
    cppcorn.log("von cppcorn: ✓", "warning")
    return ""


def gone(environ):
    return str(cppcorn.client_gone())


def pids(environ):
    return f"{os.getpid()} {os.getppid()}"


def rand(environ):
    import random

    return str(random.random())


def name(environ):
    return open("/proc/self/comm").read().strip()


def app(environ, start_response):
    answer = globals()[environ["PATH_INFO"].strip("/") or "pid"](environ)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer.encode()]


if os.environ.get("TAKE_SIGTERM"):
    signal.signal(signal.SIGTERM, lambda *_: print("the app's own handler"))
