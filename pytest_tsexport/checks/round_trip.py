"""evidence -> verdict: does the file run where Transformers is not?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import torch

from pytest_tsexport.cases.case import tensors as tensors_of
from pytest_tsexport.cases.listed import traced_cases
from pytest_tsexport.checks.base import traced_at, verdict
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.budget import ROUND_TRIP_SECONDS
from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.diagnosis.randomness import HEADLINE, random_rows
from pytest_tsexport.runtimes.isolated_python import run_in_isolated_python
from pytest_tsexport.subjects.reference import answer, same_bits
from pytest_tsexport.verdict import Outcome, Verdict

CASES = 3

MOST_TRIED = 20
"""Cases that are tried until so many are answered: a file may refuse drawn values, as its model does."""

READS_FILE = "it reads another file (torch.from_file): it runs only where that file lies at the same path"

FIXES = {
    "torch": "export what torch alone can run: no custom operator, no Python function, no file beside it",
    "device": "see what it raises where only its operators were imported; a second process needs a separate core",
}


class RoundTrip:
    """A fresh process with torch alone, in an empty folder, loads the file and answers the same cases, bit for bit."""

    name = "round_trip"
    question = CHECKS["round_trip"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Every file can be loaded in another process."""
        return None

    def run(self, evidence: Evidence) -> Verdict:
        """Fails if the process dies, or if one bit differs."""
        answered = _answered_here(evidence)
        if not answered:
            headline = "already raises in this process, so there is nothing to round-trip"
            return verdict(evidence, Outcome.FAILED, headline, (traced_at(evidence),))
        failure = _differs_elsewhere(evidence, answered)
        drawn = () if failure is None else random_rows(evidence, evidence.subject.inputs)
        if drawn:
            found = verdict(evidence, Outcome.FAILED, HEADLINE, (traced_at(evidence), *drawn))
        elif failure is not None:
            fix = FIXES["torch" if evidence.device is None else "device"]
            rows = (traced_at(evidence), ("file", evidence.artifact.path.name), ("elsewhere", failure), ("fix", fix))
            headline = "does not run the same in a process without Transformers, in an empty folder"
            found = verdict(evidence, Outcome.FAILED, headline, rows)
        else:
            found = replace(verdict(evidence, Outcome.PASSED, _headline(evidence)), notes=_notes(evidence))
        return replace(found, judged=len(answered), planned=CASES)


def _notes(evidence: Evidence) -> tuple[str, ...]:
    """The other process has the disk of this one: a file at an absolute path is found there too."""
    operators = evidence.artifact.format.inspector.operators(evidence.artifact.load())
    return (READS_FILE,) if "from_file" in operators else ()


def _headline(evidence: Evidence) -> str:
    beside = "" if evidence.device is None else f" and the operators of {evidence.device.namespace}"
    return f"runs with torch{beside or ' alone'}, bit for bit the same"


Answered = tuple[list[Any], list[torch.Tensor]]
"""What the file is given in one case, in the order of its arguments, and what it answers to it in this process."""


def _differs_elsewhere(evidence: Evidence, answered: Sequence[Answered]) -> str | None:
    """What goes wrong in a fresh process, or None."""
    prologue = "" if evidence.device is None else evidence.device.prologue
    cases = [inputs for inputs, _ in answered]
    run = run_in_isolated_python(evidence.artifact, cases, prologue=prologue, seconds=ROUND_TRIP_SECONDS)
    return run.failure or _first_difference([leaves for _, leaves in answered], list(run.answers))


def _answered_here(evidence: Evidence) -> list[Answered]:
    """The cases that the file answers in this process, one after the other on one load, as in the other process."""
    runner, module = evidence.runner, evidence.artifact.load()
    answered: list[Answered] = []
    for case in islice(traced_cases(evidence.subject), MOST_TRIED):
        if len(answered) == CASES:
            break
        inputs = tensors_of(case, evidence.subject)
        leaves = answer(lambda tensors: module(*runner.given_to(tensors).values()), inputs).leaves
        if leaves is not None:
            answered.append((list(runner.given_to(inputs).values()), list(leaves.values())))
    return answered


def _first_difference(here: list[list[torch.Tensor]], there: list[list[torch.Tensor]]) -> str | None:
    for number, (one, other) in enumerate(zip(here, there, strict=True)):
        if len(one) != len(other):
            return f"case {number}: {len(other)} outputs, {len(one)} here"
        for place, (ours, theirs) in enumerate(zip(one, other, strict=True)):
            if not same_bits(ours, theirs.cpu()):
                return f"case {number}: output {place} is not bit-equal"
    return None
