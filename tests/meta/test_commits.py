"""Proves that a long commit subject is refused, and that no commit since this rule has one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.meta.commit_subjects import fault, main, subject_of, subjects_since
from tests.meta.sources import ROOT


def test_every_subject_since_the_rule_is_short_enough() -> None:
    subjects = subjects_since(ROOT, "tests/meta/commit_subjects.py")
    if subjects is None:
        pytest.skip("git does not know when the rule was added: no history, or the file is not committed")
    assert [found for subject in subjects if (found := fault(subject))] == []


def test_the_commits_are_the_one_that_added_the_rule_and_those_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "x")

    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    def commit(subject: str, name: str) -> None:
        (tmp_path / name).write_text(subject)
        git("add", name)
        git("commit", "-m", subject)

    assert subjects_since(tmp_path, "rule") is None
    git("init", "-b", "main")
    commit("before", "other")
    assert subjects_since(tmp_path, "rule") is None
    commit("the rule", "rule")
    git("checkout", "-b", "side")
    commit("on the side", "side")
    git("checkout", "main")
    commit("after", "rule")
    git("merge", "--no-ff", "-m", "a merge", "side")
    found = subjects_since(tmp_path, "rule")
    assert found is not None
    assert sorted(found) == ["after", "on the side", "the rule"]


@pytest.mark.parametrize(
    ("subject", "refused"),
    [
        ("Say why", False),
        ("x" * 72, False),
        ("x" * 73, True),
        ("é" * 72, False),
        ("fixup! " + "x" * 72, False),
        ("", True),
    ],
)
def test_a_subject_has_at_most_72_characters(subject: str, *, refused: bool) -> None:
    assert bool(fault(subject)) is refused


def test_comments_and_empty_lines_are_not_the_subject() -> None:
    assert subject_of("\n# Please enter a message\n\n Say why\n\nBody\n") == "Say why"


@pytest.mark.parametrize(
    ("length", "refused"), [(72, None), (73, f"the subject has 73 characters, and may have 72: {'x' * 73}")]
)
def test_the_hook_reads_the_file_that_git_names(tmp_path: Path, length: int, refused: str | None) -> None:
    message = tmp_path / "COMMIT_EDITMSG"
    message.write_text("x" * length + "\n\nA body may be as long as it likes." + "y" * 80 + "\n")
    assert main([str(message)]) == refused
