"""subject -> cases: those that are visited first, whatever hypothesis draws."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_tsexport.cases.case import Case, alone, at, is_allowed, moved_axes
from pytest_tsexport.cases.corners import corner_cases
from pytest_tsexport.cases.patterns import every_pattern, masks_of, values_of
from pytest_tsexport.cases.visited_sizes import edge_sizes, farthest, farthest_drawn, number_sizes
from pytest_tsexport.subjects.domains.base import ODD_MASKS, PATTERNS, VARIANTS
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject

ROUNDS = 4
"""How often each pattern that fills a whole input is listed at the traced size."""


def edge_cases(subject: Subject, numbers: Collection[int] = (), in_file: Collection[int] = ()) -> Iterator[Case]:
    """Each free axis alone at its edges and at the numbers of the code, then all together; small cases come first.

    `numbers` met a size. Those that only the source names, or only the file (`in_file`), may have to do with no size.
    """
    only_named = {*subject.code_numbers, *in_file}.difference(numbers)
    wanted = {axis: [*edge_sizes(axis), *number_sizes(axis, numbers, only_named)] for axis in subject.axes}
    single = [
        alone(subject, axis, size)
        for axis in subject.free
        for size in sorted({*wanted[axis], *_followed(subject, axis, wanted)})
    ]
    together = corner_cases(subject, [*numbers, *subject.code_numbers])
    cases = (case for case in dict.fromkeys([*single, *together]) if moved_axes(case, subject))
    allowed = [case for case in cases if is_allowed(case, subject)]
    yield from sorted(allowed, key=lambda case: case.volume)


def _followed(subject: Subject, axis: Axis, wanted: Mapping[Axis, Sequence[int]]) -> Iterator[int]:
    """The sizes of a free axis at which an axis that follows it reaches its wanted sizes, or just passes them."""
    for follower in subject.axes:
        if follower.rule is not None:
            reached = [(size, alone(subject, axis, size).size(follower.name)) for size in _every_size(axis)]
            for size in wanted[follower]:
                yield from [one for one, got in reached if got >= size][:1]


def _every_size(axis: Axis) -> range:
    return range(axis.fitting(1), farthest(axis) + 1, axis.step)


def size_cases(subject: Subject) -> Iterator[Case]:
    """Each free axis alone at every size that may be drawn: a fault may show at one single length."""
    sizes = [(axis, size) for axis in subject.free for size in _drawn_sizes(axis)]
    for axis, size in sorted(sizes, key=lambda pair: pair[1]):
        case = alone(subject, axis, size)
        if size != axis.size and is_allowed(case, subject):
            yield case


def unfitted_cases(subject: Subject) -> Iterator[Case]:
    """Sizes between the steps of an axis, and sizes that follow no rule: eager refuses them, and a fixed file must."""
    for axis in subject.axes:
        if axis.step > 1 or axis.rule is not None:
            for size in (axis.size - 1, axis.size + 1):
                case = replace(at(subject, {}, seed=size), sizes=tuple({**subject.sizes, axis.name: size}.items()))
                if size and is_allowed(case, subject):
                    yield case


def _drawn_sizes(axis: Axis) -> range:
    return range(axis.fitting(axis.least), farthest_drawn(axis) + 1, axis.step)


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
