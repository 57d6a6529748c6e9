"""evidence, case -> trials: what eager and the file answer in the cases that a guess has to explain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch

from pytest_tsexport.cases.case import Case, tensors
from pytest_tsexport.cases.listed import traced_cases
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.subjects.reference import Answer, Inputs
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.verdict import Row

MOST = 4
"""A guess that holds in so many cases, the one that failed among them, is no chance."""

Rows = tuple[Row, ...]
"""`likely cause` and `fix`; none where nothing is proved."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One case: its inputs, what eager answers, and what the file answers at its first call."""

    inputs: Inputs
    eager: Leaves
    artifact: Answer


@dataclass(frozen=True, slots=True)
class Trials:
    """The cases that a guess is tried on, the one that failed first."""

    evidence: Evidence
    all: tuple[Trial, ...]

    @property
    def raise_always(self) -> bool:
        """Whether the file answers none of them."""
        return all(trial.artifact.leaves is None for trial in self.all)

    def equal(self, expected: Leaves | None, actual: Leaves | None) -> bool:
        """Whether two answers are the same within the tolerance that is derived, whatever the user allows."""
        if expected is None or actual is None:
            return False
        return difference(expected, actual, Tolerance(spread=self.evidence.spread.by_leaf)) is None


def tried(evidence: Evidence, case: Case) -> Trials | None:
    """The trials that begin with a case that failed; None where its first call shows nothing, as where state does."""
    found = Trials(evidence, tuple(islice(_each(evidence, case), MOST)))
    if not found.all or found.equal(found.all[0].eager, found.all[0].artifact.leaves):
        return None
    return found


def in_dtype(inputs: Inputs, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """The inputs with the floating ones in another dtype."""
    return {name: one.to(dtype) if one.is_floating_point() else one for name, one in inputs.items()}


def spelt(dtype: torch.dtype) -> str:
    """`float16`."""
    return str(dtype).removeprefix("torch.")


def _each(evidence: Evidence, case: Case) -> Iterator[Trial]:
    for one in (case, *traced_cases(evidence.subject)):
        inputs = tensors(one, evidence.subject)
        eager = evidence.reference.case(inputs)[0].leaves
        if eager is not None:
            yield Trial(inputs, eager, evidence.runner.case(inputs, 1)[0])
        elif one is case:
            return
