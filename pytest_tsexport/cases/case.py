"""sizes, seed, patterns -> case: describes one set of inputs, and makes its tensors.

A case is a few numbers and names, so it can be drawn, shrunk, stored and printed. The same case gives the same tensors
on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch

from pytest_tsexport.cases.hypothesis_adapter import sample
from pytest_tsexport.subjects.domains.base import MASK_PATTERNS, MEMORY, PATTERNS, VALUES, VARIANTS
from pytest_tsexport.subjects.fields import Axis, Field, fitted
from pytest_tsexport.subjects.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One set of inputs: the size of every axis, the seed, and the names of the patterns of `values` and `mask`.

    `example` is the index of one of the user's real inputs; it is None for a drawn case.
    """

    sizes: tuple[tuple[str, int], ...]
    seed: int = 0
    values: str = PATTERNS[0]
    mask: str = MASK_PATTERNS[0]
    example: int | None = None

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any], subject: Subject) -> Case | None:
        """The case that `to_dict` stored. None if it is not a case of this subject, or not any longer."""
        sizes, seed, values, mask = (kept.get(name) for name in ("sizes", "seed", "values", "mask"))
        if not isinstance(sizes, Mapping) or set(sizes) != set(subject.sizes) or type(seed) is not int:
            return None
        if values not in VALUES or mask not in MASK_PATTERNS or not all(type(size) is int for size in sizes.values()):
            return None
        case = cls(sizes=tuple((name, sizes[name]) for name in subject.sizes), seed=seed, values=values, mask=mask)
        return case if is_allowed(case, subject) else None

    def to_dict(self) -> dict[str, Any]:
        """The case as builtin types, from which the same tensors are drawn. A user's example is not stored this way."""
        return {"sizes": dict(self.sizes), "seed": self.seed, "values": self.values, "mask": self.mask}

    def size(self, axis: str) -> int:
        """The size of one axis in this case."""
        return dict(self.sizes)[axis]

    @property
    def volume(self) -> int:
        """The product of the sizes: the amount of work, relative to other cases of the same subject."""
        return prod(max(size, 1) for _, size in self.sizes)

    def __str__(self) -> str:
        return f"({', '.join(f'{axis}={size}' for axis, size in self.sizes)})"


def at(subject: Subject, sizes: Mapping[str, int], seed: int = 0, values: str = "uniform", mask: str = "ones") -> Case:
    """The case with these sizes; the other axes keep their traced size, or follow.

    Sizes that eager refuses become those that fit. Raises `ValueError`, one sentence, for an axis that the subject does
    not have.
    """
    named = {subject.axis(name).name: size for name, size in sizes.items()}
    found = fitted(subject.axes, {**subject.sizes, **named})
    return Case(sizes=tuple(found.items()), seed=seed, values=values, mask=mask)


def alone(subject: Subject, axis: Axis, size: int) -> Case:
    """The case with this axis at `size`, and all others at their traced size."""
    return at(subject, {axis.name: size}, seed=size)


def off_size(case: Case, subject: Subject) -> tuple[str, ...]:
    """The axes that are not at their traced size."""
    return tuple(axis for axis, size in case.sizes if size != subject.axis(axis).size)


def moved_axes(case: Case, subject: Subject) -> tuple[str, ...]:
    """The free axes that are not at their traced size: those that the case varies, without those that follow."""
    off = off_size(case, subject)
    return tuple(axis.name for axis in subject.free if axis.name in off)


def is_allowed(case: Case, subject: Subject) -> bool:
    """Whether every size is within the user's bounds; sizes that follow may not be."""
    return all(subject.axis(name).allows(size) for name, size in case.sizes)


def resized(case: Case, subject: Subject, axis: Axis, size: int) -> Case:
    """The case at another size of one free axis; the axes that depend on it follow."""
    return replace(case, sizes=tuple(fitted(subject.axes, {**dict(case.sizes), axis.name: size}).items()))


def tensors(case: Case, subject: Subject) -> dict[str, torch.Tensor]:
    """The inputs of a case by name, in the order of the subject's inputs."""
    if case.example is not None:
        return dict(subject.examples[case.example].inputs)
    sizes = dict(case.sizes)
    inputs = {field.name: _drawn(field, case, subject) for field in drawn_fields(subject)}
    for index, field in enumerate(subject.fields):
        if field.name in subject.strategies:
            strategy, shape = subject.strategies[field.name], field.shape(sizes)
            drawn = sample(strategy, field, shape, case.seed * 31 + index, {**sizes, **inputs})
            inputs[field.name] = drawn.to(field.device)
    return {field.name: _laid_out(inputs[field.name], case.values) for field in subject.fields}


def drawn_fields(subject: Subject) -> list[Field]:
    """The inputs that are drawn from their domain, and not by a strategy of the user."""
    return [one for one in subject.fields if one.name not in subject.strategies]


def followers(subject: Subject, values: str) -> list[Field]:
    """The inputs that are drawn in this pattern."""
    return [one for one in drawn_fields(subject) if values in one.domain.patterns]


def _drawn(field: Field, case: Case, subject: Subject) -> torch.Tensor:
    """One input. A pattern of `VARIANTS` is that of one input, which the seed chooses; the others are usual."""
    seed, values = case.seed, field.domain.default_pattern if case.values in MEMORY else case.values
    if case.values in VARIANTS:
        those = followers(subject, case.values)
        seed, place = divmod(case.seed, max(len(those), 1))
        values = case.values if those and those[place] is field else field.domain.default_pattern
    return field.draw(dict(case.sizes), seed, field.domain.pattern(values, case.mask))


def _laid_out(tensor: torch.Tensor, values: str) -> torch.Tensor:
    """The same values, in another memory if the pattern is one of `MEMORY`."""
    if values not in MEMORY:
        return tensor
    if values == "transposed" and tensor.dim() > 1:
        return tensor.transpose(-1, -2).contiguous().transpose(-1, -2)
    gaps = torch.zeros((*tensor.shape, 2), dtype=tensor.dtype)
    return gaps.select(-1, 0).copy_(tensor)
