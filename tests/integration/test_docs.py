"""What the documentation promises to be tested is."""

import re
from pathlib import Path

from harness import ROOT

FOLDER = Path(__file__).parent


def test_each_line_of_the_table_of_faults_names_a_test():
    text = (ROOT / "docs/operating.md").read_text()
    table = text[text.index("## What happens when") :]
    rows = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith(("| when", "| **"))]
    assert len(rows) > 50
    for row in rows:
        named = re.search(r"`(test_\w+\.py)::(test_\w+)` \|$", row)
        assert named, f"no test in: {row}"
        source = next(FOLDER.rglob(named[1])).read_text()
        assert re.search(rf"^def {named[2]}\(", source, re.MULTILINE), f"{named[1]} has no {named[2]}"
