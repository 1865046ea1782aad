"""What a server is put through, and what is needed to run it."""

import dataclasses
import pathlib
import tempfile
from collections.abc import Callable

from . import server as servers


@dataclasses.dataclass(frozen=True)
class Column:
    field: str  # of a row
    heading: str
    decimals: int = 0


@dataclasses.dataclass(frozen=True)
class Scenario:
    key: str  # for --scenarios
    title: str
    measure: Callable  # (scenario, plan, servers) -> {server name: row}; a row is a dict, with "error" in it if it failed
    columns: tuple[Column, ...]
    connections: int = 64
    options: tuple[str, ...] = ()  # for wrk
    body_size: int = 14
    from_file: bool = False
    workers: int = 2
    slow_ms: int = 0
    baseline: str | None = None  # the server that ratios are of
    target: tuple[str, float] | None = None  # what cppcorn's row should not exceed: a field, and the limit
    note: str = ""

    @property
    def closes(self):
        return "Connection: close" in self.options


@dataclasses.dataclass
class Plan:
    """How thoroughly, with what, and where to tell about it."""

    rounds: int
    seconds: float
    programs: pathlib.Path
    cppcorns: dict[str, pathlib.Path]
    say: Callable[[str], None]

    def start(self, scenario, server):
        """A running server that has answered rightly; the caller stops it. Raises servers.Failed."""
        folder = self.folder_for(scenario, server)
        size, from_file = scenario.body_size, scenario.from_file
        setup = servers.Setup(servers.free_port(), scenario.workers, folder, size, from_file, self.programs)
        if scenario.body_size != 14:
            (folder / "body").write_bytes(setup.body)
        running = servers.Running(server, setup, scenario.slow_ms)
        try:
            running.wait_until_ready()
            running.head = running.check_answer("Connection: close\r\n" if scenario.closes else "")
        except BaseException:
            running.stop()
            raise
        return running

    def folder_for(self, scenario, server):
        folder = pathlib.Path(self._scratch.name) / f"{scenario.key}-{server.key}"
        folder.mkdir(exist_ok=True)
        return folder

    def __enter__(self):
        self._scratch = tempfile.TemporaryDirectory(prefix="bench-")
        return self

    def __exit__(self, *_):
        self._scratch.cleanup()
