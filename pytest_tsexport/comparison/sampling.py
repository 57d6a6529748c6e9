"""subject -> answers: what eager answers to a few drawn inputs, and how much these answers move."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pytest_tsexport.cases.case import Case, at, tensors
from pytest_tsexport.cases.patterns import masks_of
from pytest_tsexport.cases.stand_ins import is_silent, stand_ins
from pytest_tsexport.comparison.metrics import as_real
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import Leaves

DRAWS = 10
"""Cases that the spread is measured over."""

LEAST = 2
"""ULP of its largest value by which a place has to move."""


def answers(subject: Subject, reference: Reference) -> list[Leaves]:
    """Answers with the same leaves as the first one; their shapes may depend on the drawn values.

    The values are plain draws: extreme ones would make the spread larger than anything that callers see.
    """
    found: list[Leaves] = []
    masks = masks_of(subject)
    for seed in range(DRAWS):
        leaves = _answered(subject, reference, at(subject, {}, 1000 + seed, mask=masks[seed % len(masks)]))
        if leaves is not None and (not found or list(leaves) == list(found[0])):
            found.append(leaves)
    return found


def _answered(subject: Subject, reference: Reference, case: Case) -> Leaves | None:
    """Eager's answer to a case, or to the example's own values if it has none; None if it refuses them all."""
    first = reference.case(tensors(case, subject))[0]
    if not is_silent(first):
        return first.leaves
    others = (reference.case(tensors(other, subject))[0] for other in stand_ins(case, subject))
    return next((one for one in others if not is_silent(one)), first).leaves


def same_shapes(leaves: Leaves, other: Leaves) -> bool:
    """Whether two answers have the same leaves of the same shapes."""
    return {n: leaf.shape for n, leaf in leaves.items()} == {n: leaf.shape for n, leaf in other.items()}


def one_shape(leaves: list[torch.Tensor]) -> bool:
    """Whether one leaf has the same shape in all answers."""
    return len({leaf.shape for leaf in leaves}) == 1


def deviations(leaves: list[torch.Tensor]) -> torch.Tensor:
    """The standard deviation at each place, in float64; 0 where a place moves by no more than its last digit.

    One number, that of all values together, where the shape varies.
    """
    real = [as_real(leaf).nan_to_num(0.0, 0.0, 0.0) for leaf in leaves]
    if not any(leaf.numel() for leaf in real):
        return torch.zeros((), dtype=torch.float64)
    if not one_shape(leaves):
        return torch.cat([leaf.flatten() for leaf in real]).std(correction=0)
    answers = torch.stack(real)
    found, size = answers.std(dim=0, correction=0), answers.abs().amax(0)
    if leaves[0].is_complex():
        found, size = found.norm(dim=-1), size.norm(dim=-1)
    return torch.where(found > LEAST * _eps(leaves[0]) * size, found, torch.zeros_like(found))


def spread_at(spread: torch.Tensor | None, shape: Sequence[int]) -> torch.Tensor:
    """The spread at the places of an answer of any shape; it broadcasts to the shape.

    A dimension of the traced size keeps its places. Along another one, and if the number of dimensions differs, the
    largest spread counts for all.
    """
    if spread is None or not spread.numel():
        return torch.zeros((), dtype=torch.float64)
    if spread.dim() != len(shape):
        return spread.max()
    for dim, size in enumerate(shape):
        if spread.shape[dim] != size:
            spread = spread.amax(dim, keepdim=True)
    return spread


def _eps(leaf: torch.Tensor) -> float:
    return torch.finfo(leaf.dtype).eps if leaf.is_floating_point() or leaf.is_complex() else 0.0
