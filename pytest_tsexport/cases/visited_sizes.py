"""axis, numbers -> sizes: those of one axis that are visited first, and how far the search goes."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_tsexport.subjects.fields import Axis

DRAWN_TO = 33
"""Sizes are drawn up to this at least: a window of 16 or 32 shows at 33."""

BEYOND = (64, 65, 128, 129, 256, 257, 512, 513)
"""Powers of two and the sizes after them, where a window or a block shows that no attribute names."""

VISITED_TO = 1025
"""Edges are visited up to this at least, if there is time."""

NUMBERS_TO = 3073
"""Numbers that the code compares sizes with are visited up to this at least, if there is time."""

SMALLEST_NUMBER = 3
"""Smaller sizes are visited whatever the code says."""


def farthest_drawn(axis: Axis) -> int:
    """The largest size drawn at random: a few times the traced one, within the maximum of the axis."""
    far = 4 * axis.size if axis.name == "batch" else max(4 * axis.size, DRAWN_TO)
    far = max(far, axis.size + 4 * axis.step if axis.step > 1 else far)
    return far if axis.high is None else max(min(far, axis.high), axis.low)


def farthest(axis: Axis) -> int:
    """The largest size visited: rotary models name edges of 131072, whose attention no machine can hold."""
    return max(8 * axis.size + 1, VISITED_TO)


def number_sizes(axis: Axis, numbers: Iterable[int], in_source: Iterable[int] = ()) -> list[int]:
    """The sizes of one axis that are visited because the code names numbers.

    Each of `numbers`, which met a size, is visited with its neighbours and its double. Of those that only the source
    names, most have to do with no size, so the two sizes are enough between which a comparison changes.
    """
    sizes: set[int] = set()
    for number in numbers:
        if number >= SMALLEST_NUMBER and not is_too_large(axis, number):
            doubled = {2 * number, 2 * number + 1} if 2 * number <= farthest(axis) else set()
            sizes |= {number - 1, number, number + 1} | doubled
    for number in in_source:
        if number >= SMALLEST_NUMBER and not is_too_large(axis, number):
            sizes |= {number, number + 1 if number > axis.size else number - 1}
    fits = {axis.fitting(size) for size in sizes if axis.high is None or size <= axis.high + 1}
    return sorted(size for size in fits if axis.allows(size) and size != axis.size)


def is_too_large(axis: Axis, number: int) -> bool:
    """Whether a number that the code names is not visited because no machine may hold such a size."""
    return number > max(farthest(axis), NUMBERS_TO)


def edge_sizes(axis: Axis) -> list[int]:
    """The sizes of one axis that are always visited: 1, 2, the traced one ± 1, edges ± 1, the maximum ± 1."""
    traced, drawn = axis.size, farthest_drawn(axis)
    sizes = {1, 2, 3, 4, axis.low, axis.low + 1, traced - 1, traced + 1, 2 * traced, 3 * traced, drawn, DRAWN_TO}
    if axis.name != "batch":
        sizes |= {size for size in BEYOND if axis.high is None or size <= axis.high}
    for edge in (*axis.edges, *(() if axis.high is None else (axis.high,))):
        sizes |= {edge - 1, edge, edge + 1, 2 * edge, 2 * edge + 1}
    sizes |= {traced + times * axis.step for times in (-1, 1, 2, 3)} if axis.step > 1 else set()
    fits = {axis.fitting(size) for size in sizes if size <= farthest(axis)}
    return sorted(size for size in fits if axis.allows(size) and axis.least <= size != traced)
