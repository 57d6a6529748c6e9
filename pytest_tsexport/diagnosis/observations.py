"""evidence, case -> observations: what eager and the file answer in the cases that need an explanation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch

from pytest_tsexport.cases.case import Case, tensors
from pytest_tsexport.cases.listed import traced_cases
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.subjects.reference import Answer, Inputs
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.verdict import Row

MOST = 4
"""An explanation that holds in so many cases, the failed one among them, is not a coincidence."""

Rows = tuple[Row, ...]
"""`likely cause` and `fix`; empty if nothing is proved."""


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One case: its inputs, what eager answers, and what the file answers at its first call."""

    inputs: Inputs
    eager: Leaves
    artifact: Answer


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """The cases that an explanation is tried on, the failed one first."""

    evidence: Evidence
    all: tuple[Observation, ...]

    @property
    def raise_always(self) -> bool:
        """Whether the file raises in all of them."""
        return all(one.artifact.leaves is None for one in self.all)

    def equal(self, expected: Leaves | None, actual: Leaves | None) -> bool:
        """Whether two answers are the same by the derived tolerance, whatever the user allows."""
        if expected is None or actual is None:
            return False
        return difference(expected, actual, self.evidence.tolerance.derived()) is None


def observe(evidence: Evidence, case: Case) -> Observations | None:
    """The observations that begin with a failed case; None if its first call is right, as with state."""
    found = Observations(evidence, tuple(islice(_each(evidence, case), MOST)))
    if not found.all or found.equal(found.all[0].eager, found.all[0].artifact.leaves):
        return None
    return found


def in_dtype(inputs: Inputs, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """The inputs with the floating ones in another dtype."""
    return {name: one.to(dtype) if one.is_floating_point() else one for name, one in inputs.items()}


def spelt(dtype: torch.dtype) -> str:
    """`float16`."""
    return str(dtype).removeprefix("torch.")


def _each(evidence: Evidence, case: Case) -> Iterator[Observation]:
    for one in (case, *traced_cases(evidence.subject)):
        inputs = tensors(one, evidence.subject)
        eager = evidence.reference.case(inputs)[0].leaves
        if eager is not None:
            yield Observation(inputs, eager, evidence.runner.case(inputs, 1)[0])
        elif one is case:
            return
