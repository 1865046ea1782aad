"""A server with a status process, and what it is asked there."""

import re
import socket

from harness import Server, command_line, processes, read_response, request_bytes

STATUS_AT = r"Status at: http://127\.0\.0\.1:(\d+) \(\d+\)"


class StatusServer(Server):
    def __init__(self, app, *args, status_bind="127.0.0.1:0", **options):
        super().__init__(app, "--status-bind", status_bind, *args, **options)
        self._status_port = None

    @property
    def status_port(self):
        if self._status_port is None:
            self._status_port = int(self.wait_log(STATUS_AT)[0][1])
        return self._status_port

    def ask(self, path, timeout=10.0, **options):
        return self.get(path, port=self.status_port, timeout=timeout, **options)

    def metrics(self):
        answer = self.ask("/metrics")
        assert answer.status == 200
        return parse_metrics(answer.text)

    def status_pids(self, master=None):
        return [
            each.pid
            for each in processes()
            if each.parent == (master or self.pid)
            and each.state not in "ZX"
            and command_line(each.pid).startswith("cppcorn: status [")
        ]

    def wait_status(self, path, status):
        """Waits until that is the answer, and returns it."""

        def found():
            answer = self.ask(path)
            return answer if answer.status == status else None

        return self.wait_for(found, what=f"{status} from {path}")


def parse_metrics(text):
    """The values by 'name{labels}'."""
    values = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, value = re.fullmatch(r"(\w+(?:\{.*\})?) (\S+)", line).groups()
        assert name not in values, line
        values[name] = float(value)
    return values


def ask_unix(path, target):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(path))
        sock.sendall(request_bytes(target))
        return read_response(sock)
