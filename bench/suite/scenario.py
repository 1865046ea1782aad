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
    threads: int = 4  # in each process of a server that can have several
    by_path: bool = False  # the app does what the path says
    paths: tuple[str, ...] = ("/",)  # what clients ask for then
    baseline: str | None = None  # the server that ratios are of
    targets: tuple[tuple[str, float], ...] = ()  # what cppcorn's row should not exceed: fields, and their limits
    note: str = ""
    app: str = "hello"  # of the servers of Python apps: a module in bench/apps/python
    suite: str = "all"  # the command of script/bench that runs it

    @property
    def closes(self):
        return "Connection: close" in self.options

    @property
    def environment(self):
        """What our apps read."""
        slow = {"SLOW_MS": str(self.slow_ms)} if self.slow_ms else {}
        return slow | ({"BY_PATH": "1"} if self.by_path else {})


@dataclasses.dataclass
class Plan:
    """How thoroughly, with what, and where to tell about it."""

    rounds: int
    seconds: float
    programs: pathlib.Path
    cppcorns: dict[str, pathlib.Path]
    say: Callable[[str], None]
    length: float = 1.0  # of the long scenarios

    def start(self, scenario, server, arguments=()):
        """A running server that has answered rightly; the caller stops it. Raises servers.Failed."""
        folder = self.folder_for(scenario, server)
        setup = servers.Setup(
            port=servers.free_port(),
            workers=scenario.workers,
            folder=folder,
            body_size=scenario.body_size,
            from_file=scenario.from_file,
            programs=self.programs,
            threads=scenario.threads,
            app=scenario.app,
            arguments=(*server.flags, *arguments),
        )
        if scenario.body_size != 14:
            (folder / "body").write_bytes(setup.body)
        running = servers.Running(server, setup, scenario.environment)
        try:
            running.wait_until_ready()
            closing = "Connection: close\r\n" if scenario.closes else ""
            running.head = running.check_answer(closing, b"" if scenario.by_path else None)
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
