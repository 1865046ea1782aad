"""The rooms of the house keep to their arrows, and the check that says so finds what breaks them."""

import shutil
from pathlib import Path

import pytest
import rooms

ROOT = Path(__file__).resolve().parents[2]


def test_every_include_keeps_to_the_rooms():
    assert rooms.faults(ROOT) == []


@pytest.mark.parametrize(
    "path, line, says",
    [
        ("workers/http/text.hpp", '#include "server/settings/settings.hpp"', "not server"),
        ("workers/http/text.hpp", '#include "workers/exchange/exchange.hpp"', "not workers/exchange"),
        ("base/text.hpp", '#include "workers/http/text.hpp"', "not workers/http"),
        ("workers/transport/stream.hpp", "#include <cppcorn/abi.h>", "not include/cppcorn"),
        ("workers/http/text.hpp", "#  include <sys/socket.h>", "no descriptor"),
        ("workers/http/text.hpp", "#include <spdlog/spdlog.h>", "no log"),
        ("workers/exchange/exchange.cpp", "#include <poll.h>", "stream.hpp"),
        ("workers/connection/connection.cpp", "    ::recv(fd, buffer, size, 0);", "stream.hpp"),
        ("include/cppcorn/abi.h", '#include "base/text.hpp"', "not base"),
        ("server/arbiter.cpp", '#include "tests/catch.hpp"', "is in no room"),
    ],
)
def test_a_planted_line_is_found_and_printed(path, line, says):
    found = list(rooms.faults_of_lines(path, ["// a comment", line]))
    assert len(found) == 1
    assert f"{path}:2: {line.strip()}" in found[0]
    assert says in found[0]


def test_a_planted_include_in_the_tree_is_found(tmp_path):
    for top in ("base", "workers", "server", "include"):
        shutil.copytree(ROOT / top, tmp_path / top)
    with (tmp_path / "base/text.hpp").open("a") as file:
        file.write('#include "server/arbiter.hpp"\n')
    (tmp_path / "workers/http/lonely.cpp").write_text("")
    (tmp_path / "base/log/deep").mkdir()
    found = rooms.faults(tmp_path)
    assert len(found) == 2
    assert any("base may include: nothing; not server" in fault for fault in found)
    assert any("workers/http/lonely.cpp has no header" in fault for fault in found)


def test_a_comment_is_no_include():
    assert list(rooms.faults_of_lines("base/text.hpp", ['// as "workers/http/text.hpp" does with ::recv(']) ) == []


def test_the_table_itself_has_no_circle():
    assert list(rooms.faults_of_table({"a": [], "b": ["a", "c"], "c": ["b"]})) == [
        "the table of rooms lets b include c, which does not stand above it"
    ]


def test_too_many_nouns_are_found(tmp_path):
    for top in ("server", "workers"):
        (tmp_path / top).mkdir()
    for number in range(13):
        (tmp_path / f"server/noun{number}.hpp").write_text("")
        (tmp_path / f"server/noun{number}.cpp").write_text("")
    assert [fault.split(",")[0] for fault in rooms.faults_of_size(tmp_path)] == ["server/ shows 13 nouns"]
