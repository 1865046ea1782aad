"""bjoern's way to several processes: they share the socket. serve_bjoern.py MODULE PORT WORKERS"""

import importlib
import os
import signal
import sys

import bjoern

module, port, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
bjoern.listen(importlib.import_module(module).app, "127.0.0.1", port)
children = []
for _ in range(workers):
    child = os.fork()
    if child == 0:
        bjoern.run()
        os._exit(0)
    children.append(child)


def end(*_):
    for each in children:
        os.kill(each, signal.SIGKILL)
    os._exit(0)


signal.signal(signal.SIGTERM, end)
while True:
    signal.pause()
