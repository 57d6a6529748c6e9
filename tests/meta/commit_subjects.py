"""Which commit subjects are too long: git cuts a subject of more than 72 characters in its one-line views.

`python -m tests.meta.commit_subjects FILE` is the `commit-msg` hook: FILE holds the message that git is about to use.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MOST_CHARACTERS = 72
UNFINISHED = ("fixup! ", "squash! ", "amend! ")
"""What `git commit --fixup` writes before the subject of another commit; `git rebase --autosquash` removes it."""


def fault(subject: str) -> str | None:
    """Why a subject is refused, in a sentence; None if it is fine."""
    if not subject.strip():
        return "the commit has no subject"
    if len(subject) > MOST_CHARACTERS and not subject.startswith(UNFINISHED):
        return f"the subject has {len(subject)} characters, and may have {MOST_CHARACTERS}: {subject}"
    return None


def subjects_since(root: Path, name: str) -> list[str] | None:
    """The subjects of the commit that added a file, and of all later ones but merges; None if git does not know it."""
    added = _git(root, "log", "--diff-filter=A", "--format=%H", "--", name)
    if not added:
        return None
    first = added.splitlines()[-1]
    subject = _git(root, "log", "-1", "--format=%s", first) or ""
    return [subject, *(_git(root, "log", "--no-merges", "--format=%s", f"{first}..HEAD", "--") or "").splitlines()]


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints; None if it fails."""
    answer = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    return None if answer.returncode else answer.stdout.strip()


def subject_of(message: str) -> str:
    """The first line of a message that is neither empty nor a comment."""
    lines = (line.strip() for line in message.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "")


def main(arguments: list[str]) -> str | None:
    """What is wrong with the message in the file that git names; None if it is fine."""
    return fault(subject_of(Path(arguments[0]).read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))  # a sentence goes to stderr, with exit status 1
