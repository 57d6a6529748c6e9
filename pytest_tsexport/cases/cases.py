"""subject -> cases: sizes worth visiting first, and how a case becomes tensors.

A case is small data (sizes, a seed, two patterns), so that it can be drawn, shrunk, kept and printed; its tensors
follow from it, the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import torch

from pytest_tsexport.cases.hypothesis_adapter import sample
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.subjects.values import MASK_PATTERNS, ODD_MASKS, PATTERNS, draw, sweeps

REACH = 33
"""Sizes are drawn up to this at least: a window of 16 or 32 shows at 33 (facts: detection, 8)."""

BEYOND = (64, 65, 128, 129, 256, 257, 512, 513)
"""The next powers of two and the sizes past them, where a window or block shows that no attribute names."""

FARTHEST = 1025
"""Edges are visited up to this at least, time allowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One set of inputs: `sizes` by axis, the `seed` of its values, how values and masks are spread.

    `example` counts the user's own real inputs from 0; it is None for a drawn case.
    """

    sizes: tuple[tuple[str, int], ...]
    seed: int = 0
    values: str = PATTERNS[0]
    mask: str = MASK_PATTERNS[0]
    example: int | None = None

    def size(self, axis: str) -> int:
        """The size of one axis in this case."""
        return dict(self.sizes)[axis]

    @property
    def volume(self) -> int:
        """How much there is to compute, next to other cases of the same subject."""
        return prod(max(size, 1) for _, size in self.sizes)

    def to_dict(self) -> dict[str, Any]:
        """Builtin types alone, that draw the same again; the user's own example has none."""
        return {"sizes": dict(self.sizes), "seed": self.seed, "values": self.values, "mask": self.mask}

    def __str__(self) -> str:
        return f"({', '.join(f'{axis}={size}' for axis, size in self.sizes)})"


def at(subject: Subject, sizes: Mapping[str, int], seed: int = 0, values: str = "uniform", mask: str = "ones") -> Case:
    """The case of these sizes; axes that are not named keep the traced size."""
    return Case(sizes=tuple({**subject.sizes, **sizes}.items()), seed=seed, values=values, mask=mask)


def restored(subject: Subject, kept: Mapping[str, Any]) -> Case | None:
    """The case that was kept; None where it is not one of this subject any more, or was never one."""
    sizes, seed, values, mask = (kept.get(name) for name in ("sizes", "seed", "values", "mask"))
    if not isinstance(sizes, Mapping) or set(sizes) != set(subject.sizes) or type(seed) is not int:
        return None
    if values not in PATTERNS or mask not in MASK_PATTERNS or not all(type(size) is int for size in sizes.values()):
        return None
    fits = all(_fits(subject.axis(name), size) for name, size in sizes.items())
    return at(subject, sizes, seed, values, mask) if fits else None


def _fits(axis: Axis, size: int) -> bool:
    """Whether a size is within what the axis allows: the user's own maximum is not exceeded, a model's own may be."""
    return axis.low <= size and not (axis.named and axis.high is not None and size > axis.high)


def off_size(case: Case, subject: Subject) -> tuple[str, ...]:
    """The axes whose size is not the traced one."""
    return tuple(axis for axis, size in case.sizes if size != subject.axis(axis).size)


def reach(axis: Axis) -> int:
    """The largest size drawn at random: a few times the traced one, within the axis's own bound."""
    far = 4 * axis.size if axis.name == "batch" else max(4 * axis.size, REACH)
    return far if axis.high is None else max(min(far, axis.high), axis.low)


def edge_sizes(axis: Axis) -> list[int]:
    """Sizes of one axis that are visited whatever is drawn: 1, 2, the traced one ± 1, edges ± 1, the maximum ± 1."""
    traced = axis.size
    sizes = {1, 2, 3, 4, axis.low, axis.low + 1, traced - 1, traced + 1, 2 * traced, 3 * traced, reach(axis), REACH}
    if axis.name != "batch":
        sizes |= {size for size in BEYOND if axis.high is None or size <= axis.high}
    for edge in (*axis.edges, *(() if axis.high is None else (axis.high,))):
        sizes |= {edge - 1, edge, edge + 1, 2 * edge, 2 * edge + 1}
    return sorted(size for size in sizes if _fits(axis, size) and 0 < size != traced and size <= farthest(axis))


def farthest(axis: Axis) -> int:
    """The largest size looked at: rotary models name edges of 131072, whose attention no machine holds."""
    return max(8 * axis.size + 1, FARTHEST)


def edge_cases(subject: Subject) -> Iterator[Case]:
    """Each axis alone at its edges, then the small ones together; small sizes first."""
    single = [alone(subject, axis, size) for axis in subject.axes for size in edge_sizes(axis)]
    together = [at(subject, dict(sizes), seed=99) for sizes in _corners(subject.axes) if len(sizes) > 1]
    yield from sorted(dict.fromkeys([*single, *together]), key=lambda case: case.volume)


def size_cases(subject: Subject) -> Iterator[Case]:
    """Each axis alone at every size in reach: a fault may show at one single length."""
    sizes = [(axis, size) for axis in subject.axes for size in range(max(axis.low, 1), reach(axis) + 1)]
    for axis, size in sorted(sizes, key=lambda pair: pair[1]):
        if size != axis.size:
            yield alone(subject, axis, size)


def alone(subject: Subject, axis: Axis, size: int) -> Case:
    """The case that leaves the traced size along one axis."""
    return at(subject, {axis.name: size}, seed=size)


def _corners(axes: tuple[Axis, ...]) -> Iterator[tuple[tuple[str, int], ...]]:
    """All axes away from the traced size at once, near it and far from it."""
    for shift in (lambda a: max(a.low, 1), lambda a: a.size - 1, lambda a: a.size + 1, lambda a: 2 * a.size + 1, reach):
        yield tuple((axis.name, _within(axis, shift(axis))) for axis in axes)


def _within(axis: Axis, size: int) -> int:
    """The size, or the nearest that the user's own bounds allow."""
    high = axis.high if axis.named and axis.high is not None else size
    return max(axis.low, 1, min(size, high))


def traced_cases(subject: Subject) -> Iterator[Case]:
    """At the traced size: every spread of values under every mask, then every id there is, as far as one goes."""
    for seed, mask in enumerate(MASK_PATTERNS):
        for values in PATTERNS:
            yield at(subject, {}, seed=seed, values=values, mask=mask)
    seeds = max((sweeps(field, subject.sizes) for field in subject.fields), default=0)
    for seed in range(len(MASK_PATTERNS), seeds):
        yield at(subject, {}, seed=seed, values="sweep")


def odd_cases(subject: Subject) -> Iterator[Case]:
    """At the traced size, masks that production never sends."""
    if any(field.domain.kind == "mask" and not field.flag for field in subject.fields):
        yield from (at(subject, {}, seed=seed, mask=mask) for mask in ODD_MASKS for seed in range(2))


def example_cases(subject: Subject) -> Iterator[Case]:
    """The user's own real inputs, which come first."""
    for number, example in enumerate(subject.examples):
        sizes = dict(subject.sizes)
        for one in subject.fields:
            sizes.update(
                {
                    dim: size
                    for dim, size in zip(one.dims, example.inputs[one.name].shape, strict=True)
                    if isinstance(dim, str)
                }
            )
        yield Case(sizes=tuple(sizes.items()), example=number)


def tensors(case: Case, subject: Subject) -> dict[str, torch.Tensor]:
    """The inputs of a case, by name, in the order of the subject's."""
    if case.example is not None:
        return dict(subject.examples[case.example].inputs)
    sizes = dict(case.sizes)
    given = {}
    for place, field in enumerate(subject.fields):
        if field.name in subject.strategies:
            strategy, shape = subject.strategies[field.name], field.shape(sizes)
            given[field.name] = sample(strategy, field, shape, case.seed * 31 + place)
        else:
            pattern = case.mask if field.domain.kind == "mask" else case.values
            given[field.name] = draw(field, sizes, case.seed, pattern)
    return given
