"""Proves that the hooks of pre-commit run the project's own tools, and refuse what CI would refuse."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.meta.sources import ROOT

CONFIG = ".pre-commit-config.yaml"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="there is no git repository to clone"),
]


class Clone:
    """A clone of this repository with the hooks installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "clone"
        home = {"HOME": str(folder), "PRE_COMMIT_HOME": str(folder / "cache"), "GIT_CONFIG_NOSYSTEM": "1"}
        who = {f"GIT_{role}_{what}": "x" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHON"))}
        self._environment = {**clean, **home, **who}
        subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(self.folder)], check=True)
        (self.folder / ".venv").symlink_to(sys.prefix)
        for name in (CONFIG, "tests/meta/commit_subjects.py", "pyproject.toml"):
            shutil.copy(ROOT / name, self.folder / name)
        self.run("git", "add", "--all", ".", ":!.venv")
        self.run("git", "commit", "--quiet", "--allow-empty", "-m", "What is not committed yet")
        assert self.run(sys.executable, "-m", "pre_commit", "install").returncode == 0

    def run(self, *command: str, skip: str = "") -> subprocess.CompletedProcess[str]:
        environment = {**self._environment, "SKIP": skip}
        return subprocess.run(command, cwd=self.folder, env=environment, check=False, capture_output=True, text=True)

    def commit(self, message: str, *, skip: str = "", **files: str) -> str:
        """What the hooks say of a commit; empty if it is made."""
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)
            self.run("git", "add", f"{name}.py")
        done = self.run("git", "commit", "--quiet", "--allow-empty", "-m", message, skip=skip)
        return (done.stdout + done.stderr) if done.returncode else ""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("hooks"))


def test_every_hook_is_local(clone: Clone) -> None:
    text = (clone.folder / CONFIG).read_text(encoding="utf-8")
    assert [line.strip() for line in text.splitlines() if "repo:" in line] == ["- repo: local"]
    assert text.count("language: system") == text.count("- id: ")
    assert clone.run(sys.executable, "-m", "pre_commit", "validate-config", CONFIG).returncode == 0


def test_a_long_subject_is_refused_and_a_short_one_is_not(clone: Clone) -> None:
    assert "the subject has 73 characters, and may have 72" in clone.commit("x" * 73)
    assert clone.commit("x" * 72) == ""


@pytest.mark.parametrize(
    ("hook", "source"),
    [
        ("ruff check", "import os\n\nprint(undefined)\n"),
        ("ruff format", "value = {  'a':1 }\n"),
    ],
)
def test_a_file_that_ruff_refuses_is_not_committed(clone: Clone, hook: str, source: str) -> None:
    said = clone.commit("Say why", skip="mypy,lint-imports", scratch=source)
    assert [line for line in said.splitlines() if line.startswith(hook) and line.endswith("Failed")], said
    clone.run("git", "rm", "--force", "--quiet", "scratch.py")


def test_mypy_and_lint_imports_run_as_make_runs_them() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    hooks = yaml.safe_load((ROOT / CONFIG).read_text(encoding="utf-8"))["repos"][0]["hooks"]
    entries = {hook["id"]: hook["entry"].replace(".venv/bin/", "\t$(BIN)/") for hook in hooks}
    assert entries["mypy"] in makefile
    assert entries["lint-imports"] in makefile
