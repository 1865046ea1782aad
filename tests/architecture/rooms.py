"""Which room may include which: read off every include of the tree.

    /usr/bin/python3 tests/architecture/rooms.py [ROOT]      prints what is wrong, a line each; exits 1 if anything is
"""

import re
import sys
from pathlib import Path

# Each room and the rooms that its files may include, besides its own; the longest name that fits a path is its room.
# A row may only name rows above it, so that no arrow runs up and none runs in a circle.
ROOMS = {
    "include/cppcorn": [],
    "base": [],
    "workers/http": ["base"],
    "workers/access_log": ["base", "workers/http"],
    "workers/transport": ["base"],
    "workers/app": ["include/cppcorn", "base"],
    "workers/handover": ["base"],
    "workers/context": [
        "include/cppcorn", "base", "workers/http", "workers/access_log", "workers/transport", "workers/handover",
    ],
    "workers/exchange": [
        "include/cppcorn", "base", "workers/http", "workers/access_log", "workers/transport", "workers/app",
        "workers/context", "workers/handover",
    ],
    "workers/connection": [
        "base", "workers/http", "workers/transport", "workers/context", "workers/handover", "workers/exchange",
    ],
    "workers": [
        "include/cppcorn", "base", "workers/http", "workers/access_log", "workers/transport", "workers/app",
        "workers/context", "workers/handover", "workers/exchange", "workers/connection",
    ],
    "server": [
        "include/cppcorn", "base", "workers/http", "workers/access_log", "workers/transport", "workers/app", "workers/context", "workers/handover",
        "workers/exchange", "workers",
    ],
}

# What a room must not even know the system's or a library's headers of, and why.
SOCKETS = {"sys/socket.h", "sys/sendfile.h", "sys/uio.h", "poll.h"}
FORBIDDEN_HEADERS = {
    "workers/http": (
        SOCKETS | {"unistd.h", "fcntl.h", "sys/epoll.h", "ctime", "time.h", "spdlog/spdlog.h"},
        "HTTP is bytes in and bytes out: no descriptor, no clock, no log",
    ),
    "workers/exchange": (SOCKETS, "a client is reached through workers/transport/stream.hpp"),
}
# Calls on a client's socket, which only the transport makes.
SOCKET_CALL = re.compile(r"(?<![\w:>])::(recv\w*|send\w*|shutdown|setsockopt|writev|readv|sendfile|read|write)\(")
NO_SOCKET_CALLS = ("workers/http", "workers/exchange", "workers/connection")

SOURCES = (".cpp", ".hpp", ".h")
MOST_NOUNS = 12
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    """The room of a path such as workers/http/text.hpp; None for what belongs to none."""
    rooms = [room for room in ROOMS if path.startswith(room + "/")]
    return max(rooms, key=len, default=None)


def included_path(delimiter, name):
    if name.startswith("cppcorn/"):
        return "include/" + name
    return name if delimiter == '"' else None


def faults_of_lines(path, lines):
    room = room_of(path)
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}: {line.strip()}"
        match = INCLUDE.match(line)
        if match:
            yield from (f"{where}\n    {fault}" for fault in faults_of_include(room, *match.groups()))
        if room in NO_SOCKET_CALLS and SOCKET_CALL.search(line.split("//")[0]):
            yield f"{where}\n    {room} reaches a client through workers/transport/stream.hpp only"


def faults_of_include(room, delimiter, name):
    headers, why = FORBIDDEN_HEADERS.get(room, ((), ""))
    if name in headers:
        yield f"{room} may not include <{name}>: {why}"
    path = included_path(delimiter, name)
    if path is None:
        return
    other = room_of(path)
    if other is None:
        yield f'"{name}" is in no room'
    elif other != room and other not in ROOMS[room]:
        yield f"{room} may include: {', '.join(ROOMS[room]) or 'nothing'}; not {other}"


def faults_of_table(rooms=None):
    seen = set()
    for room, allowed in (rooms or ROOMS).items():
        for other in allowed:
            if other not in seen:
                yield f"the table of rooms lets {room} include {other}, which does not stand above it"
        seen.add(room)


def faults_of_files(root):
    for top in ("base", "workers", "server", "include/cppcorn"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in SOURCES:
                continue
            path = file.relative_to(root).as_posix()
            if room_of(path) is None:
                yield f"{path} is in no room"
                continue
            yield from faults_of_lines(path, file.read_text().splitlines())
            if file.suffix == ".cpp" and path != "server/main.cpp" and not file.with_suffix(".hpp").exists():
                yield f"{path} has no header of its name"


def nouns_of(folder):
    return {each.name.split(".")[0] for each in folder.iterdir() if each.name != "CMakeLists.txt"}


def faults_of_size(root):
    for top in ("server", "workers"):
        nouns = nouns_of(root / top)
        if len(nouns) > MOST_NOUNS:
            yield f"{top}/ shows {len(nouns)} nouns, at most {MOST_NOUNS} are to be: {', '.join(sorted(nouns))}"


def faults(root):
    return [*faults_of_table(), *faults_of_files(root), *faults_of_size(root)]


if __name__ == "__main__":
    found = faults(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]))
    print("\n".join(found) or "every include keeps to the rooms")
    sys.exit(1 if found else 0)
