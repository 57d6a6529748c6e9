"""subject -> cases: several axes away from their traced size at once, since some faults need two large sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import permutations, product, repeat

from pytest_tsexport.cases.case import Case, alone, at, is_allowed, off_size
from pytest_tsexport.cases.visited_sizes import DRAWN_TO, SMALLEST_NUMBER, edge_sizes, farthest_drawn
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject

Sizes = tuple[tuple[str, int], ...]

PAST_BLOCKS = 65
"""Sizes past the usual windows and blocks; a batch goes to `DRAWN_TO`."""

TIMES = 4
"""A far corner is at most so many times as large as the largest case in which one axis moves alone."""

AFFORDABLE = 2**16
"""A corner of the user's own maxima may be so large whatever its axes are alone; the user says that it is used."""

ALWAYS_AFFORDABLE = 2**12
"""A corner up to this is small on every machine."""

NUMBERS = 6
"""So many numbers of the code are visited by all axes at once."""

PAIRED = 4
"""So many numbers of the code are visited in every pair by two axes: a picture of 24 by 32."""


def corner_cases(subject: Subject, numbers: Iterable[int]) -> Iterator[Case]:
    """Near the traced size, far from it, at the user's maxima, past the usual blocks, and at `numbers` of the code."""
    if len(subject.free) > 1:
        bound = _bound(subject)
        yield from (_case(subject, sizes) for sizes in _near(subject.free))
        yield from (_case(subject, sizes) for sizes in _maxima(subject, max(bound, AFFORDABLE)))
        yield from _no_larger(subject, [*_past_blocks(subject), *_at_numbers(subject, numbers)], bound)


def exchanged_cases(subject: Subject) -> Iterator[Case]:
    """Two axes at sizes of the traced product: exchanged, and one a few times smaller while the other is larger.

    A file that compares the number of elements, or the sum of its sizes, takes them for the traced ones.
    """
    for one, other in permutations(subject.free, 2):
        factor = next((factor for factor in range(2, one.size + 1) if one.size % factor == 0), 1)
        for sizes in ((other.size, one.size), (one.size // factor, other.size * factor)):
            case = _case(subject, tuple(zip((one.name, other.name), sizes, strict=True)))
            if case.volume == at(subject, {}).volume and len(off_size(case, subject)) > 1 and is_allowed(case, subject):
                yield case


def essential_corner(subject: Subject) -> Case | None:
    """All axes at the maxima that the user gave some of them, if every machine can hold that; else None."""
    if len(subject.free) < 2 or not any(axis.named and axis.high is not None for axis in subject.free):
        return None
    corner = _moved(subject.free, map(_most, subject.free))
    return next(_no_larger(subject, [corner], max(_bound(subject), ALWAYS_AFFORDABLE)), None)


def _case(subject: Subject, sizes: Sizes) -> Case:
    return at(subject, dict(sizes), seed=99)


def _no_larger(subject: Subject, corners: Iterable[Sizes], bound: int) -> Iterator[Case]:
    """The corners that are no larger than the bound."""
    cases = (_case(subject, sizes) for sizes in corners)
    return (case for case in cases if case.volume <= bound)


def _bound(subject: Subject) -> int:
    """A few times the largest case in which one axis moves alone to its edges."""
    farthest = (alone(subject, axis, max(edge_sizes(axis), default=axis.size)) for axis in subject.free)
    return TIMES * max(case.volume for case in farthest)


def _near(axes: tuple[Axis, ...]) -> Iterator[Sizes]:
    """All axes near their traced size, and as far as sizes are drawn."""
    shifts: tuple[Callable[[Axis], int], ...] = (
        lambda axis: axis.least,
        lambda axis: axis.size - 1,
        lambda axis: axis.size + 1,
        lambda axis: 2 * axis.size + 1,
        farthest_drawn,
    )
    return (_moved(axes, map(shift, axes)) for shift in shifts)


def _maxima(subject: Subject, bound: int) -> Iterator[Sizes]:
    """All axes at the user's maxima, with the batch and without; nearer if that is larger than the bound."""
    for axes in _with_and_without_batch(subject):
        sizes = [_most(axis) for axis in axes]
        volume = _case(subject, _moved(axes, sizes)).volume
        share = min((bound / volume) ** (1 / len(axes)), 1)
        yield _moved(axes, (max(axis.size, int(share * size)) for axis, size in zip(axes, sizes, strict=True)))


def _most(axis: Axis) -> int:
    """The maximum that the user gave, or how far sizes are drawn."""
    return axis.high if axis.named and axis.high is not None else farthest_drawn(axis)


def _past_blocks(subject: Subject) -> Iterator[Sizes]:
    """All axes past the usual windows and blocks, with the batch and without."""
    for axes in _with_and_without_batch(subject):
        yield _moved(axes, (DRAWN_TO if axis.name == "batch" else PAST_BLOCKS for axis in axes))


def _at_numbers(subject: Subject, numbers: Iterable[int]) -> Iterator[Sizes]:
    """All axes just above each number or edge, and the first two but the batch at each pair of the smallest ones."""
    edges = {edge for axis in subject.free for edge in axis.edges}
    named = sorted(number for number in {*numbers, *edges} if number >= SMALLEST_NUMBER)
    for number in named[:NUMBERS]:
        for axes in _with_and_without_batch(subject):
            yield _moved(axes, repeat(number + 1))
    pair = [axis for axis in subject.free if axis.name != "batch"][:2]
    if len(pair) > 1:
        yield from (_moved(pair, sizes) for sizes in product(named[:PAIRED], repeat=2))


def _with_and_without_batch(subject: Subject) -> list[tuple[Axis, ...]]:
    """The axes that move together: all, and all but the batch if those are several."""
    others = tuple(axis for axis in subject.free if axis.name != "batch")
    return [subject.free, others] if 1 < len(others) < len(subject.free) else [subject.free]


def _moved(axes: Sequence[Axis], sizes: Iterable[int]) -> Sizes:
    return tuple((axis.name, _within(axis, size)) for axis, size in zip(axes, sizes, strict=False))


def _within(axis: Axis, size: int) -> int:
    """The size, or the nearest one that the user's own bounds allow."""
    high = axis.high if axis.named and axis.high is not None else size
    return max(axis.least, min(size, high))
