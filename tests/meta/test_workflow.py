"""Proves that `make workflow` runs what the GitHub workflow says, and refuses what it does not know."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.meta import workflow
from tests.meta.sources import ROOT
from tests.meta.workflow import WORKFLOW, Job, Step, WorkflowError, interpreter, jobs, run

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
TEXT = """
env: {INDEX: "${{ vars.INDEX }}", LEVEL: workflow, JOB: "${{ matrix.python-version }}"}
jobs:
  first:
    strategy: {matrix: {python-version: ["3.10", "3.11"]}}
    env: {LEVEL: job}
    steps:
      - uses: actions/checkout@v7
      - uses: actions/setup-python@v6
        with: {python-version: "${{ matrix.python-version }}"}
      - run: make quick
      - run: ls
        shell: bash
        working-directory: docs
        env: {LEVEL: step}
  second:
    steps:
      - run: STEP
"""


def test_a_job_runs_once_for_each_entry_of_its_matrix() -> None:
    assert [(str(job), job.python) for job in jobs(TEXT.replace(', JOB: "${{ matrix.python-version }}"', ""), {})] == [
        ("first (3.10)", "3.10"),
        ("first (3.11)", "3.11"),
        ("second", None),
    ]


def test_expressions_and_variables_are_filled_in() -> None:
    first = next(jobs(TEXT, {"INDEX": "local"}))
    assert first.steps == (
        Step("make quick", "", ".", {"INDEX": "local", "LEVEL": "job", "JOB": "3.10"}),
        Step("ls", "bash", "docs", {"INDEX": "local", "LEVEL": "step", "JOB": "3.10"}),
    )


def test_a_variable_that_the_repository_does_not_set_is_left_to_the_machine() -> None:
    assert "INDEX" not in next(jobs(TEXT, {})).steps[0].variables


@pytest.mark.parametrize(
    "step",
    [
        "uses: actions/upload-artifact@v7",
        "run: echo ${{ github.ref }}",
        "run: echo ${{ a || b }}",
        "{run: ls, if: always()}",
        "{run: ls, continue-on-error: true}",
    ],
)
def test_what_it_does_not_know_is_an_error(step: str) -> None:
    with pytest.raises(WorkflowError, match="not known here"):
        list(jobs(f"jobs:\n  first:\n    steps:\n      - {step}\n", {}))


@pytest.mark.parametrize("more", ["include", "exclude"])
def test_a_matrix_with_exceptions_is_an_error(more: str) -> None:
    matrix = f"strategy: {{matrix: {{python-version: ['3.11'], {more}: [{{python-version: '3.10'}}]}}}}"
    with pytest.raises(WorkflowError, match="not known here"):
        list(jobs(f"jobs:\n  first:\n    {matrix}\n    steps: []\n", {}))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of one file: to clone all of this one for each test takes a second."""
    root = tmp_path_factory.mktemp("small")
    (root / "docs").mkdir()
    (root / "docs" / "index.md").touch()
    for command in ("init --quiet", "add .", "-c user.name=x -c user.email=x commit --quiet -m x"):
        subprocess.run(["git", *command.split()], cwd=root, check=True)
    return root


@pytest.fixture
def of_small(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workflow is that of the small repository."""
    monkeypatch.setattr(workflow, "ROOT", small)


def steps(*scripts: str, shell: str = "", folder: str = ".") -> Job:
    return Job("first", {}, HERE, tuple(Step(script, shell, folder, {"FROM": "step"}) for script in scripts))


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="there is no git repository to clone")
def test_steps_run_in_a_clone_with_the_python_of_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("ARGS", "--list")
    script = f"""
        test -f pyproject.toml
        git log -1 >/dev/null
        pwd >{tmp_path}/pwd
        echo "$FROM $CI $PYTHONPATH $ARGS" >{tmp_path}/variables
        python3 -c 'an argument' >{tmp_path}/python3
        python >{tmp_path}/python
    """
    python = tmp_path / "interpreter"
    python.write_text('#!/bin/sh\necho "of the job: $*"\n')
    python.chmod(0o755)
    assert run(steps(script), str(python), tmp_path) == 0
    assert (tmp_path / "pwd").read_text().strip() == str(tmp_path / "clone")
    assert (tmp_path / "variables").read_text().split() == ["step", "true"]
    assert (tmp_path / "python3").read_text() == "of the job: -c an argument\n"
    assert (tmp_path / "python").read_text() == "of the job: \n"


@pytest.mark.usefixtures("of_small")
@pytest.mark.parametrize(("shell", "status"), [("", 0), ("bash", 1)])
def test_a_failure_in_a_pipe_is_seen_where_github_sees_it(tmp_path: Path, shell: str, status: int) -> None:
    assert run(steps("false | true", shell=shell), None, tmp_path) == status


@pytest.mark.usefixtures("of_small")
def test_the_first_failure_ends_the_job(tmp_path: Path) -> None:
    assert run(steps("exit 3\ntrue", f"touch {tmp_path}/later"), None, tmp_path) == 3
    assert not (tmp_path / "later").exists()


@pytest.mark.usefixtures("of_small")
def test_a_step_runs_in_its_folder(tmp_path: Path) -> None:
    assert run(steps("test -f index.md", folder="docs"), None, tmp_path) == 0


@pytest.mark.parametrize(
    ("found", "status", "said"),
    [
        ({"quick": 0, "everything": 0}, 0, "quick: passed, everything (2.1): SKIPPED: Python 2.1 is not installed"),
        ({"quick": 2}, 1, "quick: FAILED with exit status 2, everything (2.1): SKIPPED: Python 2.1 is not installed"),
    ],
)
def test_the_last_lines_say_what_came_of_each_job(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: dict[str, int], status: int, said: str
) -> None:
    chosen = [Job("quick", {}, HERE), Job("everything", {"python-version": "2.1"}, "2.1")]
    monkeypatch.setattr(workflow, "jobs", lambda *_: iter(chosen))
    monkeypatch.setattr(workflow, "run", lambda job, *_: found[job.name])
    assert workflow.main([]) == status
    assert [line.removeprefix("::: ") for line in capsys.readouterr().out.splitlines()] == said.split(", ")


def test_a_run_of_no_job_is_no_success() -> None:
    assert workflow.main(["--list"]) == 0
    assert workflow.main(["--list", "--job", "gone"]) == 1
    assert workflow.main(["--list", "--python", "2.1"]) == 1


def test_a_version_that_is_not_installed_is_none() -> None:
    assert interpreter("2.1") is None
    assert interpreter(HERE)


def test_the_workflow_runs_on_each_version_that_the_package_supports() -> None:
    text = WORKFLOW.read_text(encoding="utf-8")
    versions = yaml.safe_load(text)["jobs"]["everything"]["strategy"]["matrix"]["python-version"]
    supported = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert versions == supported
    assert [job.steps[-1].script for job in jobs(text, {})] == [
        "make quick",
        *[".ci/run"] * len(versions),
        "make atlas-check",
    ]
