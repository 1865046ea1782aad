"""A terminal that a test looks at and types into: tmux, without anybody at it.

    with Terminal("/bin/cat", columns=80, rows=10) as terminal:
        terminal.type("hello", "Enter")
        terminal.wait_for("hello")
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import clean_environment, is_alive, wait_until

TMUX = shutil.which("tmux")

needs_tmux = pytest.mark.skipif(TMUX is None, reason="tmux is not installed; script/bootstrap does that")


def without_leaks(env):
    """For a sanitizer: ncurses keeps memory to the end. LeakSanitizer stops threads by ptrace to look for such."""
    if "ASAN_OPTIONS" not in env:
        return env
    return {**env, "ASAN_OPTIONS": env["ASAN_OPTIONS"].replace("detect_leaks=1", "detect_leaks=0")}


class Terminal:
    def __init__(self, *command, env=None, columns=120, rows=20):
        self._command = [str(each) for each in command]
        self._env = without_leaks(clean_environment({"LC_ALL": "C.UTF-8", **(env or {})}))
        self._size = ["-x", str(columns), "-y", str(rows)]

    def __enter__(self):
        # A short path, as that of a unix socket has to be.
        self._directory = tempfile.mkdtemp(prefix="tmux-")
        settings = Path(self._directory, "conf")
        settings.write_text("set -g remain-on-exit on\nset -s escape-time 0\n")
        self._tmux = [TMUX, "-S", f"{self._directory}/socket", "-f", str(settings)]
        self._do("new-session", "-d", *self._size, *self._command)
        self._pid = int(self._do("display-message", "-p", "#{pid}"))
        return self

    def __exit__(self, *_):
        self._do("kill-server")
        wait_until(lambda: not is_alive(self._pid), what="the terminal's end")
        shutil.rmtree(self._directory)

    def _do(self, *arguments):
        done = subprocess.run([*self._tmux, *arguments], env=self._env, capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, f"tmux {arguments}: {done.stderr}"
        return done.stdout

    # -- What is seen

    def text(self):
        return self._do("capture-pane", "-p")

    def lines(self):
        return self.text().splitlines()

    def wait_for(self, regex, timeout=10.0):
        """Waits until that is seen, and returns the match. ^ and $ are those of a line."""
        pattern = re.compile(regex, re.MULTILINE)
        return self.wait(lambda: pattern.search(self.text()), timeout, f"{regex!r} on the screen")

    def wait(self, predicate, timeout=10.0, what="the condition"):
        try:
            return wait_until(predicate, timeout, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; on the screen:\n{self.text()}") from None

    def code(self):
        """The command's exit code, once it has ended."""

        def ended():
            asked = "#{pane_dead}:#{pane_dead_status}:#{pane_dead_signal}"
            dead, status, by_signal = self._do("display-message", "-p", asked).strip().split(":")
            if dead == "1" and not status and not by_signal:
                # A zombie: tmux 3.3a has missed the signal that tells of its end.
                os.kill(self._pid, signal.SIGCHLD)
                return None
            return (status or f"-{by_signal}") if dead == "1" else None

        return int(self.wait(ended, what="the command's end"))

    # -- What is done at it

    def type(self, *keys):
        """Each a key's name, as tmux has it, or text."""
        self._do("send-keys", *keys)

    def resize(self, columns, rows):
        self._do("resize-window", "-x", str(columns), "-y", str(rows))
