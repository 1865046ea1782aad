"""A server with a control socket, and `cppcorn ctl`."""

import tempfile
from pathlib import Path

from harness import Server, command_line, processes, run


class ControlServer(Server):
    def __init__(self, app, *args, **options):
        self._directory = tempfile.TemporaryDirectory()  # short: a socket's path has 107 bytes at most
        self.socket = Path(self._directory.name) / "control.sock"
        super().__init__(app, "--control-socket", self.socket, *args, **options)

    def __exit__(self, *how):
        try:
            super().__exit__(*how)
            assert how[0] is not None or not self.socket.exists()
        finally:
            self._directory.cleanup()

    def status_pids(self):
        return [
            each.pid
            for each in processes()
            if each.parent == self.pid
            and each.state not in "ZX"
            and command_line(each.pid).startswith("cppcorn: status [")
        ]

    def ctl(self, *words, timeout=30, **options):
        return run("ctl", "--control-socket", self.socket, *words, timeout=timeout, **options)

    def ordered(self, *words, **options):
        """What it says of an order that is carried out."""
        result = self.ctl(*words, **options)
        assert (result.code, result.stderr) == (0, ""), result
        return result.stdout

    def refused(self, *words, **options):
        """The code and the line of one that is not."""
        result = self.ctl(*words, **options)
        assert result.stdout == "" and result.stderr.startswith("cppcorn: ") and result.stderr.count("\n") == 1, result
        return result.code, result.stderr[len("cppcorn: ") : -1]

