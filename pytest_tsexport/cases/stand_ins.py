"""case -> cases: what is asked instead where eager has no answer to drawn values.

Inputs that no rule guesses (prices, sorted offsets, distributions, covariances) are often refused, or their answer is
NaN from end to end. The example's own values are answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from pytest_tsexport.cases.case import Case, drawn_fields
from pytest_tsexport.subjects.domains.base import ADDED, MASK_PATTERNS
from pytest_tsexport.subjects.domains.own_values import OWN
from pytest_tsexport.subjects.reference import Answer
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import Leaves

OUTSIDE = ("infinite", "beyond")
"""Values so large that a tolerance of the user or of a device, which is meant for usual ones, says nothing of them."""


def stand_ins(case: Case, subject: Subject) -> Iterator[Case]:
    """The case with the example's own values; none for a case that has them, or if there is no example."""
    if case.example is None and case.values not in OWN and any(one.domain.own for one in drawn_fields(subject)):
        mask = MASK_PATTERNS[0] if case.mask == "none" else case.mask
        yield from (replace(case, values=values, mask=mask) for values in OWN)


def is_added(case: Case) -> bool:
    """Whether the case has values that nothing says callers send."""
    return case.example is None and (case.values in ADDED or case.mask == "none")


def is_silent(answer: Answer) -> bool:
    """Whether eager refuses the inputs, or answers them with a whole output of NaN."""
    return answer.leaves is None or is_drowned(answer.leaves)


def is_drowned(leaves: Leaves) -> bool:
    """Whether some output is NaN from end to end."""
    return any(map(_is_nan, leaves.values()))


def _is_nan(leaf: torch.Tensor) -> bool:
    if not (leaf.is_floating_point() or leaf.is_complex()) or not leaf.numel():
        return False
    first = leaf.flatten()[:1]
    if not bool((first if leaf.is_complex() else first.float()).isnan()):  # nearly always, and cheap
        return False
    return bool((leaf if leaf.is_complex() else leaf.float()).isnan().all())
