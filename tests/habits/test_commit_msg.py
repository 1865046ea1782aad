"""script/hooks/commit-msg, as git runs it."""

import subprocess
from pathlib import Path

import pytest

HOOKS = Path(__file__).parents[2] / "script/hooks"
WHY = "\n\nIt was slow: 12 ms instead of 3 ms.\n"


def commit(folder, message, *options):
    """What git says to a commit with this message: its exit code and its errors."""
    git = ["git", "-C", folder, "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", f"core.hooksPath={HOOKS}"]
    subprocess.run(["git", "init", "-q", folder], check=True)
    file = folder / "message"
    file.write_text(message)
    done = subprocess.run([*git, "commit", "-q", "--allow-empty", *(options or ("-F", file))], capture_output=True, text=True)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "message",
    [
        "Read the clock once a turn" + WHY,
        "x" * 60 + WHY,
        "ü" * 60 + WHY,
        "Merge branch 'tls'\n",
        "fixup! Read the clock once a turn\n",
        "Read the clock once a turn\n\n- a list says it too\n\nSigned-off-by: A <a@example.org>\n",
    ],
)
def test_what_passes(tmp_path, message):
    assert commit(tmp_path, message) == (0, "")


@pytest.mark.parametrize(
    "message, complaint",
    [
        ("x" * 61 + WHY, "61 characters"),
        ("Read the clock once a turn\nbecause it was slow\n", "not blank"),
        ("Read the clock once a turn\n", "no body"),
        ("Read the clock once a turn\n\nSigned-off-by: A <a@example.org>\n", "no body"),
        ("Read the clock once a turn\n\n---\n", "no body"),
    ],
)
def test_what_does_not(tmp_path, message, complaint):
    code, errors = commit(tmp_path, message)
    assert code == 1
    assert complaint in errors
    assert "CONTRIBUTING.md" in errors


def test_comments_and_the_diff_of_a_verbose_commit_are_no_body(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    file = tmp_path / "COMMIT_EDITMSG"
    scissors = "# ------------------------ >8 ------------------------"
    file.write_text(f"Read the clock once a turn\n\n# Please enter the message\n{scissors}\ndiff --git a/x b/x\n")
    done = subprocess.run([HOOKS / "commit-msg", file], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "no body" in done.stderr
