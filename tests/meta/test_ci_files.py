"""Proves that the files for other people's CI are valid, and that each of their steps runs in a fresh project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.meta.sources import ROOT

FOLDER = ROOT / "docs" / "examples" / "ci"
PAGE = ROOT / "docs" / "how-to" / "ci.md"
TEST = (ROOT / "docs" / "examples" / "test_plain_module.py").read_text(encoding="utf-8")
SCHEMAS = {"github.yml": "vendor.github-workflows", "gitlab.yml": "vendor.gitlab-ci"}


def steps(name: str) -> list[str]:
    """The shell commands of a file, in order."""
    read: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    if name == "gitlab.yml":
        return list(read["exports"]["script"])
    return [step["run"] for step in read["jobs"]["exports"]["steps"] if "run" in step]


def kept(name: str) -> list[str]:
    """What a job keeps."""
    read: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    if name == "gitlab.yml":
        artifacts = read["exports"]["artifacts"]
        return [*artifacts["paths"], artifacts["reports"]["junit"]]
    return [step["with"]["path"] for step in read["jobs"]["exports"]["steps"] if "upload" in step.get("uses", "")]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_file_is_valid_and_the_page_shows_it_whole(name: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[name], str(FOLDER / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"```yaml\n{(FOLDER / name).read_text(encoding='utf-8')}```\n" in PAGE.read_text(encoding="utf-8")


@pytest.mark.one_in(2)
@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEMAS)
def test_each_step_runs_in_a_fresh_project(name: str, tmp_path: Path) -> None:
    """`pip` stands for itself: this environment has what it would install, and this package is in no index."""
    project, tools = tmp_path / "project", tmp_path / "tools"
    for folder in (project, tools):
        folder.mkdir()
    (project / "test_export.py").write_text(TEST, encoding="utf-8")
    asked = tools / "asked"
    for tool, does in {"pip": f'echo "$@" >> {asked}', "pytest": f'exec {sys.executable} -m pytest "$@"'}.items():
        (tools / tool).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
        (tools / tool).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "CI": "true", "PYTHONPATH": str(ROOT)}
    environment["GITHUB_STEP_SUMMARY"] = str(tmp_path / "summary.md")
    for step in steps(name):
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", step],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert asked.read_text() == "install pytest-tsexport[transformers] pytest-xdist\n"
    assert [one for one in kept(name) if not (project / one).exists()] == []
    assert list((project / "exports").glob("*.pt"))
    assert "1 right" in (tmp_path / "summary.md").read_text(encoding="utf-8")
