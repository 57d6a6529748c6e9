"""Runs an artifact in a fresh Python process that has torch, but neither Transformers nor this package.

The process runs in an empty folder. What lies in the folder that pytest was started from is neither read by the file
nor imported by Python: the program is a script in a folder of its own, and Python looks for modules there, and not in
the current folder as with `python -c`. (`-I` would also ignore `PYTHONPATH` and the user's site-packages, where torch
may be, and Python 3.10 has no `-P`.)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pytest_tsexport.exporting.artifact import Artifact
from pytest_tsexport.exporting.export_model import portable_error

Tensors = list[torch.Tensor]

_PROGRAM = """
import json
import os
import sys
from importlib.machinery import PathFinder
path, cases_file, answers_file, error_file, empty, threads, located, searched, prologue, loader, device = sys.argv[1:]
located = json.loads(located)
sys.path += [folder for folder in json.loads(searched) if folder not in sys.path]
sys.modules["hypothesis"] = sys.modules["pytest"] = None  # torch itself asks whether they are there
refused = ["transformers"]
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r} (this process has torch alone)", name=name)
        return PathFinder.find_spec(name, [located[name]]) if name in located else None
sys.meta_path.insert(0, Finder())
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
    os.chdir(empty)
    device = torch.device(device)
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
    artifact: Artifact, cases: Sequence[list[Any]], *, prologue: str = "", seconds: float
) -> IsolatedRun:
    """Load the file once in a new process, and call it with each case: what its arguments are given, in their order.

    `prologue` is Python code that runs before the file is loaded; it may import this package, the file may not. The
    process may take `seconds`. It has the environment variables of this one, and finds the same torch.
    """
    with tempfile.TemporaryDirectory(prefix="tsexport-") as name:
        folder = Path(name).absolute()
        files = [folder / name for name in ("cases", "answers", "error")]
        torch.save(list(cases), files[0])
        for inner in ("empty", "program"):
            (folder / inner).mkdir()
        program = folder / "program" / "run.py"
        program.write_text(_PROGRAM, encoding="utf-8")
        arguments = [str(artifact.path.absolute()), *map(str, files), str(folder / "empty")]
        arguments += [str(torch.get_num_threads()), json.dumps(_located()), json.dumps(_searched())]
        command = [sys.executable, str(program), *arguments, prologue, artifact.format.loader, str(artifact.device)]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
                env=_environment(),
            )
        except subprocess.TimeoutExpired:
            return IsolatedRun(failure=f"it did not end within {seconds:g} s")
        return _result(artifact, done, files[1], files[2])


def _located() -> dict[str, str]:
    """The folders from which this process has torch and this package, which another of the same name may hide there."""
    own = __name__.partition(".")[0]
    return {name: str(Path(str(sys.modules[name].__file__)).absolute().parents[1]) for name in ("torch", own)}


def _searched() -> list[str]:
    """Where this process looks for modules: the other one looks there last, after all that Python itself would search.

    A conftest.py or the ini value `pythonpath` may have named the folder of torch's dependencies, or of an SDK.
    """
    return [str(Path(folder).absolute()) for folder in sys.path if folder]


def _environment() -> dict[str, str]:
    """The variables of this process. An empty entry of `PYTHONPATH`, as `:modules` has one, means the start folder."""
    folders = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}


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
