"""evidence -> verdict: does the file run where Transformers is not?"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from pytest_tsexport.cases.case import tensors as tensors_of
from pytest_tsexport.cases.listed import traced_cases
from pytest_tsexport.checks.base import traced_at, verdict
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.policy import CHECKS
from pytest_tsexport.subjects.reference import answer, same_bits
from pytest_tsexport.verdict import Outcome, Verdict

TIMEOUT = 300
"""Seconds that the other process may take: a cold import of torch on a loaded machine is most of it."""

CASES = 3

FIXES = {
    "torch": "export what torch alone can run: no custom operator, no Python function",
    "device": "see what it raises where its operators were imported alone; a second process needs a core of its own",
}

_PROGRAM = """
import sys
sys.modules["hypothesis"] = sys.modules["pytest"] = None  # torch itself asks whether they are there
refused = ["transformers"]
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r} (this process has torch alone)", name=name)
sys.meta_path.insert(0, Refuse())
import warnings
warnings.simplefilter("ignore")
import torch
exec(sys.argv[5])
refused.append("pytest_tsexport")
torch.set_num_threads(int(sys.argv[4]))
module = torch.jit.load(sys.argv[1], map_location="cpu")
cases = torch.load(sys.argv[2], weights_only=True)
def leaves(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if value is None or isinstance(value, (bool, int, float)):
        return [] if value is None else [torch.tensor(value)]
    return [leaf for child in (value.values() if isinstance(value, dict) else value) for leaf in leaves(child)]
with torch.no_grad():
    answers = [leaves(module(*case)) for case in cases]
torch.save(answers, sys.argv[3])
"""


class RoundTrip:
    """A fresh process with torch alone loads the file and answers the same cases, bit for bit."""

    name = "round_trip"
    question = CHECKS["round_trip"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Every file can be carried elsewhere."""
        return None

    def run(self, evidence: Evidence) -> Verdict:
        """Fails where the process dies, or where one bit differs."""
        answered = _answered_here(evidence)
        if not answered:
            headline = "raises here already, so there is nothing to carry elsewhere"
            return verdict(evidence, self.name, Outcome.FAILED, headline, (traced_at(evidence),))
        failure = _differs_elsewhere(evidence, answered)
        if failure is not None:
            fix = FIXES["torch" if evidence.device is None else "device"]
            rows = (traced_at(evidence), ("file", evidence.artifact.path.name), ("elsewhere", failure), ("fix", fix))
            headline = "does not run the same in a process without Transformers"
            found = verdict(evidence, self.name, Outcome.FAILED, headline, rows)
        else:
            found = verdict(evidence, self.name, Outcome.PASSED, _told(evidence))
        return replace(found, judged=len(answered), planned=CASES)


def _told(evidence: Evidence) -> str:
    beside = "" if evidence.device is None else f" and the operators of {evidence.device.namespace}"
    return f"runs with torch{beside or ' alone'}, bit for bit the same"


Answered = tuple[list[torch.Tensor], list[torch.Tensor]]
"""The inputs of one case in order, and what the file answers to them here."""


def _differs_elsewhere(evidence: Evidence, answered: Sequence[Answered]) -> str | None:
    """What goes wrong in a fresh process, or None."""
    given = [inputs for inputs, _ in answered]
    with tempfile.TemporaryDirectory() as folder:
        told, there = Path(folder, "inputs.pt"), Path(folder, "answers.pt")
        torch.save(given, told)
        arguments = [str(evidence.artifact.path), str(told), str(there), str(torch.get_num_threads())]
        arguments.append("" if evidence.device is None else evidence.device.prologue)
        try:
            done = subprocess.run(
                [sys.executable, "-c", _PROGRAM, *arguments],
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"it did not end within {TIMEOUT} s"
        if done.returncode != 0:
            return _sentence(done.stderr) or f"it ended with exit status {done.returncode}"
        answers = torch.load(there, weights_only=True)
    return _first_difference([leaves for _, leaves in answered], answers)


def _answered_here(evidence: Evidence) -> list[Answered]:
    """The cases that the file answers in this process, one after the other on one load, as they are asked elsewhere."""
    names = evidence.runner.arguments
    module = evidence.artifact.load()
    answered = []
    for case in list(traced_cases(evidence.subject))[:CASES]:
        given = tensors_of(case, evidence.subject)
        inputs = {name: given[name] for name in names}
        leaves = answer(lambda tensors: module(*tensors.values()), inputs).leaves
        if leaves is not None:
            answered.append((list(inputs.values()), list(leaves.values())))
    return answered


def _first_difference(here: list[list[torch.Tensor]], there: list[list[torch.Tensor]]) -> str | None:
    for number, (one, other) in enumerate(zip(here, there, strict=True)):
        if len(one) != len(other):
            return f"case {number}: {len(other)} outputs, {len(one)} here"
        for place, (ours, theirs) in enumerate(zip(one, other, strict=True)):
            if not same_bits(ours, theirs):
                return f"case {number}: output {place} is not bit-equal"
    return None


def _sentence(traceback: str) -> str:
    """What an exception says: after its type, which stands at the start of a line; TorchScript goes on below it."""
    lines = [line for line in traceback.splitlines() if line.strip()]
    for place, line in enumerate(lines):
        kind, colon, rest = line.partition(":")
        if colon and kind.endswith(("Error", "Exception")) and not line[0].isspace() and "TorchScript" not in rest:
            below = lines[place + 1].strip() if place + 1 < len(lines) else ""
            return f"{kind}: {rest.strip() or below}"
    return lines[-1].strip() if lines else ""
