"""The documentation: what it promises to be tested is, its links lead somewhere, its lines fit a screen."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WIDTH = 120
PAGES = sorted(
    str(page.relative_to(ROOT)) for pattern in ("*.md", "docs/**/*.md", "tests/**/*.md") for page in ROOT.glob(pattern)
)
FOLDERS = "base|workers|server|include|tests|script|examples|bench|cmake|deploy"
UNWRAPPED = ("docs/settings.md", "docs/benchmarks.md", "docs/benchmarks-python.md")


def prose_of(page):
    """The page's lines with their numbers, without blocks of code."""
    in_code = False
    for number, line in enumerate((ROOT / page).read_text().splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code:
            yield number, line


def anchors_of(page):
    """As GitHub makes them of headings."""
    headings = (line.lstrip("#").strip() for _, line in prose_of(page) if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_each_line_of_the_table_of_faults_names_a_test():
    text = (ROOT / "docs/operating.md").read_text()
    table = text[text.index("## What happens when") :]
    rows = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith(("| when", "| **"))]
    assert len(rows) > 50
    for row in rows:
        named = re.search(r"`(test_\w+\.py)::(test_\w+)` \|$", row)
        assert named, f"no test in: {row}"
        source = next((ROOT / "tests/integration").rglob(named[1])).read_text()
        assert re.search(rf"^def {named[2]}\(", source, re.MULTILINE), f"{named[1]} has no {named[2]}"


def test_each_line_of_the_log_that_is_explained_is_one():
    text = (ROOT / "docs/operating.md").read_text()
    table = text[text.index("### Log lines") : text.index("## What happens when")]
    lines = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert len(lines) > 20
    sources = (path for room in ("base", "server", "workers") for path in (ROOT / room).rglob("*.?pp"))
    code = "\n".join(path.read_text() for path in sources)
    code = re.sub(r'"\s*\n\s*"', "", code)  # a text that goes on in the next line
    for line in lines:
        # Between two that change: what a format string, or the text that is put in its place, has.
        for part in line.split("…"):
            assert part.strip(" ():;,") in code, f"no source logs: {part} (of {line})"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for number, line in prose_of(page):
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            if re.match(r"\w+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = ROOT / page if not path else (ROOT / page).parent / path
            assert file.exists(), f"{page}:{number}: there is no {target}"
            if anchor:
                assert anchor in anchors_of(file), f"{page}:{number}: {path} has no heading for #{anchor}"


@pytest.mark.parametrize("page", [page for page in PAGES if page not in UNWRAPPED])
def test_prose_fits_a_screen(page):
    for number, line in prose_of(page):
        assert len(line) <= WIDTH or line.lstrip().startswith("|"), f"{page}:{number} is wider than {WIDTH}"


def test_the_index_lists_each_decision():
    folder = ROOT / "docs/decisions"
    index = (folder / "README.md").read_text()
    pages = sorted(page.name for page in folder.glob("[0-9]*.md"))
    assert re.findall(r"^\| \[\d{4}\]\(([^)]+)\)", index, re.MULTILINE) == pages


# Code moves, and pages forget it. The changelog is about files as they were.
@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_files_that_a_page_names_exist(page):
    for number, line in prose_of(page):
        for name in re.findall(rf"`((?:{FOLDERS})/[\w./-]+)`", line):
            assert (ROOT / name).exists(), f"{page}:{number}: there is no {name}"
