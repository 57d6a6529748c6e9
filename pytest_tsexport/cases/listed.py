"""subject -> cases: those that are visited first, whatever hypothesis draws."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tsexport.cases.case import Case, alone, at
from pytest_tsexport.cases.patterns import every_pattern, masks_of, values_of
from pytest_tsexport.subjects.domains.base import ODD_MASKS, PATTERNS, VARIANTS
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject

DRAWN_TO = 33
"""Sizes are drawn up to this at least: a window of 16 or 32 shows at 33."""

BEYOND = (64, 65, 128, 129, 256, 257, 512, 513)
"""Powers of two and the sizes after them, where a window or a block shows that no attribute names."""

ROUNDS = 4
"""How often each pattern that fills a whole input is listed at the traced size."""

VISITED_TO = 1025
"""Edges are visited up to this at least, if there is time."""


def farthest_drawn(axis: Axis) -> int:
    """The largest size drawn at random: a few times the traced one, within the maximum of the axis."""
    far = 4 * axis.size if axis.name == "batch" else max(4 * axis.size, DRAWN_TO)
    return far if axis.high is None else max(min(far, axis.high), axis.low)


def farthest(axis: Axis) -> int:
    """The largest size visited: rotary models name edges of 131072, whose attention no machine can hold."""
    return max(8 * axis.size + 1, VISITED_TO)


def edge_sizes(axis: Axis) -> list[int]:
    """The sizes of one axis that are always visited: 1, 2, the traced one ± 1, edges ± 1, the maximum ± 1."""
    traced, drawn = axis.size, farthest_drawn(axis)
    sizes = {1, 2, 3, 4, axis.low, axis.low + 1, traced - 1, traced + 1, 2 * traced, 3 * traced, drawn, DRAWN_TO}
    if axis.name != "batch":
        sizes |= {size for size in BEYOND if axis.high is None or size <= axis.high}
    for edge in (*axis.edges, *(() if axis.high is None else (axis.high,))):
        sizes |= {edge - 1, edge, edge + 1, 2 * edge, 2 * edge + 1}
    return sorted(
        size for size in sizes if axis.allows(size) and axis.least <= size != traced and size <= farthest(axis)
    )


def edge_cases(subject: Subject) -> Iterator[Case]:
    """Each axis alone at its edges, then small sizes of all axes together; small cases come first."""
    single = [alone(subject, axis, size) for axis in subject.axes for size in edge_sizes(axis)]
    together = [at(subject, dict(sizes), seed=99) for sizes in _corners(subject.axes) if len(sizes) > 1]
    yield from sorted(dict.fromkeys([*single, *together]), key=lambda case: case.volume)


def size_cases(subject: Subject) -> Iterator[Case]:
    """Each axis alone at every size that may be drawn: a fault may show at one single length."""
    sizes = [(axis, size) for axis in subject.axes for size in range(axis.least, farthest_drawn(axis) + 1)]
    for axis, size in sorted(sizes, key=lambda pair: pair[1]):
        if size != axis.size:
            yield alone(subject, axis, size)


def traced_cases(subject: Subject) -> Iterator[Case]:
    """At the traced size: every pattern, then drawn values with every mask, then every id, as far as a sweep goes."""
    yield from dict.fromkeys([*every_pattern(subject), *_crossed(subject)])
    seeds = max((field.sweeps(subject.sizes) for field in subject.fields), default=0)
    for seed in range(ROUNDS, seeds):
        yield at(subject, {}, seed=seed, values="sweep")


def _crossed(subject: Subject) -> Iterator[Case]:
    """The patterns that fill a whole input, each with every mask; where there is no mask, as often."""
    masks = masks_of(subject)
    for seed in range(max(ROUNDS, len(masks))):
        for values in values_of(subject):
            if values in PATTERNS and values not in VARIANTS:
                yield at(subject, {}, seed=seed, values=values, mask=masks[seed % len(masks)])


def odd_cases(subject: Subject) -> Iterator[Case]:
    """At the traced size, the masks that production never sends."""
    if any(field.domain.odd_patterns for field in subject.fields):
        yield from (at(subject, {}, seed=seed, mask=mask) for mask in ODD_MASKS for seed in range(2))


def example_cases(subject: Subject) -> Iterator[Case]:
    """The user's own real inputs, which come first."""
    for number, example in enumerate(subject.examples):
        sizes = dict(subject.sizes)
        for field in subject.fields:
            dims = zip(field.dims, example.inputs[field.name].shape, strict=True)
            sizes.update({dim: size for dim, size in dims if isinstance(dim, str)})
        yield Case(sizes=tuple(sizes.items()), example=number)


def _corners(axes: tuple[Axis, ...]) -> Iterator[tuple[tuple[str, int], ...]]:
    """All axes away from their traced size at once: near it, and far from it."""
    for shift in (
        lambda axis: axis.least,
        lambda axis: axis.size - 1,
        lambda axis: axis.size + 1,
        lambda axis: 2 * axis.size + 1,
        farthest_drawn,
    ):
        yield tuple((axis.name, _within(axis, shift(axis))) for axis in axes)


def _within(axis: Axis, size: int) -> int:
    """The size, or the nearest one that the user's own bounds allow."""
    high = axis.high if axis.named and axis.high is not None else size
    return max(axis.least, min(size, high))
