"""Runs the `run:` steps of the GitHub workflow on this machine, each job in a fresh clone of this repository.

    python -m tests.meta.workflow [--job NAME] [--python VERSION] [--list]

`make workflow` runs it. The clone has what is committed and nothing else, so a step that needs a file that git does not
know fails here first. A job runs once for each version of Python in its matrix; a version that is not installed is
skipped, and the last line says so. Of the `uses:` steps, `actions/checkout` is the clone and `actions/setup-python`
puts the version first on `PATH`; any other is an error, as is an expression that this file does not know.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from tests.meta.sources import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
EXPRESSION = re.compile(r"\$\{\{\s*(?P<name>[\w.-]+)\s*\}\}")
FORMS = {"bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"], "sh": ["sh", "-e"], "": ["bash", "-e"]}
"""How GitHub starts a script, by the `shell` of the step: without one, bash does not see a failure in a pipe."""


class WorkflowError(Exception):
    """A workflow holds something that cannot be run here."""


@dataclass(frozen=True, slots=True)
class Step:
    """One `run:` step, its expressions filled in."""

    script: str
    shell: str
    folder: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Job:
    """One job, for one entry of its matrix."""

    name: str
    matrix: Mapping[str, str]
    python: str | None
    steps: tuple[Step, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.matrix.values())})" if self.matrix else self.name


def jobs(text: str, variables: Mapping[str, str]) -> Iterator[Job]:
    """The jobs of a workflow, once for each entry of a matrix. `variables` are those of the repository, `vars.NAME`."""
    workflow = yaml.safe_load(text)
    for name, job in workflow["jobs"].items():
        axes: Mapping[str, list[Any]] = job.get("strategy", {}).get("matrix", {})
        if {"include", "exclude"} & axes.keys():
            raise WorkflowError(f"{name}: include and exclude of a matrix are not known here")
        for values in product(*axes.values()):
            matrix = {axis: str(value) for axis, value in zip(axes, values, strict=True)}
            known = {f"matrix.{axis}": value for axis, value in matrix.items()}
            known |= {f"vars.{variable}": value for variable, value in variables.items()}
            yield _job(name, job, matrix, _Filler(known, workflow.get("env", {})))


class _Filler:
    """Replaces the expressions of a workflow by their values."""

    def __init__(self, known: Mapping[str, str], variables: Mapping[str, Any]) -> None:
        self._known = known
        self._variables = variables

    def filled(self, text: object) -> str:
        """The text, its expressions replaced; a variable of the repository that is not set is empty, as on GitHub."""
        answer = EXPRESSION.sub(lambda match: self._value(match["name"]), str(text))
        if "${{" in answer:
            raise WorkflowError(f"not known here: {text}")
        return answer

    def environment(self, *more: Mapping[str, Any]) -> Mapping[str, str]:
        """The variables of the workflow, of a job and of a step; an empty one is left to the machine's own settings."""
        names: dict[str, Any] = dict(self._variables)
        for variables in more:
            names |= variables
        return {name: value for name, text in names.items() if (value := self.filled(text))}

    def _value(self, name: str) -> str:
        if name not in self._known and not name.startswith("vars."):
            raise WorkflowError(f"not known here: {name}")
        return self._known.get(name, "")


def _job(name: str, job: Mapping[str, Any], matrix: Mapping[str, str], filler: _Filler) -> Job:
    steps: list[Step] = []
    python: str | None = None
    for step in job["steps"]:
        if unknown := {"if", "continue-on-error", "timeout-minutes"} & step.keys():
            raise WorkflowError(f"{name}: {', '.join(sorted(unknown))} of a step is not known here")
        action = step.get("uses", "").partition("@")[0]
        if action == "actions/setup-python":
            python = filler.filled(step["with"]["python-version"])
        elif "run" in step:
            variables = filler.environment(job.get("env", {}), step.get("env", {}))
            folder = filler.filled(step.get("working-directory", "."))
            steps.append(Step(filler.filled(step["run"]), step.get("shell", ""), folder, variables))
        elif action != "actions/checkout":
            raise WorkflowError(f"{name}: {action or step} is not known here")
    return Job(name, matrix, python, tuple(steps))


def interpreter(version: str) -> str | None:
    """The path of an installed Python of a version; None if there is none. `sys.executable` counts, and pyenv's too."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    candidates = [sys.executable, shutil.which(f"python{version}"), *pyenv.glob(f"{version}.*/bin/python")]
    source = "import sys; print('%d.%d' % sys.version_info[:2], getattr(sys, '_base_executable', sys.executable))"
    for candidate in filter(None, candidates):
        answer = subprocess.run([str(candidate), "-c", source], capture_output=True, text=True, check=False)
        if answer.returncode == 0 and answer.stdout.split()[0] == version:
            return answer.stdout.split()[1]
    return None


def run(job: Job, python: str | None, folder: Path) -> int:
    """Run the steps of a job in a clone in a new folder, one after the other; the first exit status that is not 0."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-local", str(ROOT), str(clone)], check=True)
    path = [str(_first_on_path(python, folder / "bin"))] if python else []
    environment = {name: value for name, value in os.environ.items() if not _is_ours(name)}
    environment |= {"CI": "true", "PATH": os.pathsep.join([*path, environment["PATH"]])}
    for step in job.steps:
        _say(f"{job}: {step.script.strip()}")
        script = folder / "step"
        script.write_text(step.script, encoding="utf-8")
        command, variables = [*FORMS[step.shell], str(script)], {**environment, **step.variables}
        status = subprocess.run(command, cwd=clone / step.folder, env=variables, stdin=subprocess.DEVNULL, check=False)
        if status.returncode:
            return status.returncode
    return 0


def _first_on_path(python: str, folder: Path) -> Path:
    """A folder in which `python` and `python3` start one Python: scripts, because a link would lose its library."""
    folder.mkdir()
    for name in ("python", "python3"):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    return folder


def _is_ours(name: str) -> bool:
    """Whether a variable comes from the make or the Python that runs this program, and would reach into the clone."""
    given = {"ARGS", "SEEDS", "WORKERS"}
    return name in given or name.startswith(("PYTHON", "MAKE", "MFLAGS", "VIRTUAL_ENV", "COVERAGE", "PYTEST", "GIT_"))


def main(arguments: list[str]) -> int:
    """Run the jobs that are asked for, and say what came of each."""
    parser = argparse.ArgumentParser(prog="python -m tests.meta.workflow", description=__doc__.partition("\n")[0])
    parser.add_argument("--job", help="run this job only")
    parser.add_argument("--python", help="run the entries for this version of Python only, such as 3.12")
    parser.add_argument("--list", action="store_true", help="show what would run")
    asked = parser.parse_args(arguments)
    chosen = [
        job
        for job in jobs(WORKFLOW.read_text(encoding="utf-8"), os.environ)
        if asked.job in (None, job.name) and asked.python in (None, job.python)
    ]
    outcomes: dict[str, str] = {}
    for job in chosen:
        outcomes[str(job)] = "would run" if asked.list else _outcome(job)
    for name, outcome in outcomes.items():
        _say(f"{name}: {outcome}")
    return 0 if outcomes and not any(outcome.startswith("FAILED") for outcome in outcomes.values()) else 1


def _say(line: str) -> None:
    sys.stdout.write(f"::: {line}\n")
    sys.stdout.flush()


def _outcome(job: Job) -> str:
    python = interpreter(job.python) if job.python else None
    if job.python and python is None:
        return f"SKIPPED: Python {job.python} is not installed"
    with tempfile.TemporaryDirectory() as folder:
        status = run(job, python, Path(folder))
    return f"FAILED with exit status {status}" if status else "passed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
