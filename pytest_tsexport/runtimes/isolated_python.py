"""Runs an artifact in a fresh Python process that has torch, but neither Transformers nor this package."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from pytest_tsexport.exporting.artifact import Artifact
from pytest_tsexport.exporting.export_model import portable_error

Tensors = list[torch.Tensor]

_PROGRAM = """
import json
import sys
path, cases_file, answers_file, error_file, threads, prologue, loader = sys.argv[1:]
sys.modules["hypothesis"] = sys.modules["pytest"] = None  # torch itself asks whether they are there
refused = ["transformers"]
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r} (this process has torch alone)", name=name)
sys.meta_path.insert(0, Refuse())
def leaves(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if value is None or isinstance(value, (bool, int, float)):
        return [] if value is None else [torch.tensor(value)]
    return [leaf for child in (value.values() if isinstance(value, dict) else value) for leaf in leaves(child)]
try:
    import warnings
    warnings.simplefilter("ignore")
    import torch
    exec(prologue)
    refused.append("pytest_tsexport")
    torch.set_num_threads(int(threads))
    exec(loader)
    module = load(path)
    cases = torch.load(cases_file, weights_only=True)
    with torch.no_grad():
        answers = [leaves(module(*case)) for case in cases]
    torch.save(answers, answers_file)
except Exception as error:  # a file may raise anything; the other process describes it
    with open(error_file, "w", encoding="utf-8") as file:
        json.dump([type(error).__name__, str(error)], file)
"""


@dataclass(frozen=True, slots=True)
class IsolatedRun:
    """The answers to each case, as lists of tensors; or, in one line, why there are none."""

    answers: tuple[Tensors, ...] = ()
    failure: str | None = None


def run_in_isolated_python(
    artifact: Artifact, cases: Sequence[Tensors], *, prologue: str = "", seconds: float
) -> IsolatedRun:
    """Load the file once in a new process, and call it with each case: its inputs in the order of its arguments.

    `prologue` is Python code that runs before the file is loaded; it may import this package, the file may not. The
    process may take `seconds`.
    """
    with tempfile.TemporaryDirectory(prefix="tsexport-") as folder:
        files = [Path(folder, name) for name in ("cases", "answers", "error")]
        torch.save(list(cases), files[0])
        arguments = [str(artifact.path), *map(str, files), str(torch.get_num_threads()), prologue]
        command = [sys.executable, "-c", _PROGRAM, *arguments, artifact.format.loader]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return IsolatedRun(failure=f"it did not end within {seconds:g} s")
        return _result(artifact, done, files[1], files[2])


def _result(
    artifact: Artifact, done: subprocess.CompletedProcess[str], answers_file: Path, error_file: Path
) -> IsolatedRun:
    if error_file.is_file():
        kind, text = json.loads(error_file.read_text(encoding="utf-8"))
        return IsolatedRun(failure=artifact.format.one_line(portable_error(kind, text)))
    if done.returncode != 0 or not answers_file.is_file():
        said = done.stderr.strip().splitlines()
        return IsolatedRun(failure=said[-1].strip() if said else f"it ended with exit status {done.returncode}")
    return IsolatedRun(answers=tuple(torch.load(answers_file, weights_only=True)))
