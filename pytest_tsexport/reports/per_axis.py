"""verdict -> axes: at which sizes of each axis an export is right, raises, or is silently wrong.

Only visits in which one axis alone leaves its traced size are used, since a fault in combination is not the fault of
one axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_tsexport.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisAnswers:
    """The sizes of one axis that were visited, by what happened there; its traced size is in none of the lists.

    From `wrong_from` on, every visited size is wrong that eager answers; None if there is no such size.
    """

    name: str
    traced: int
    right: tuple[int, ...]
    raises: tuple[int, ...]
    wrong: tuple[int, ...]
    wrong_from: int | None


def per_axis(verdict: Verdict) -> tuple[AxisAnswers, ...]:
    """One value for each axis that was varied, in the order of the verdict's axes."""
    return tuple(_answers(verdict, place) for place in range(len(verdict.axes)))


def _answers(verdict: Verdict, place: int) -> AxisAnswers:
    name, traced = list(verdict.axes.items())[place]
    found = dict(_alone(verdict, place))
    wrong = _with(found, "wrong")
    right = _with(found, "equal")
    beyond = [size for size in wrong if size > max((traced, *right, *_with(found, "raises")))]
    return AxisAnswers(
        name=name,
        traced=traced,
        right=right,
        raises=_with(found, "raises"),
        wrong=wrong,
        wrong_from=min(beyond, default=None),
    )


def _alone(verdict: Verdict, place: int) -> Iterator[tuple[int, str]]:
    """What happened where this axis alone is off its traced size."""
    traced = tuple(verdict.axes.values())
    for visit in verdict.visits:
        if visit.sizes[place] != traced[place] and _others(visit.sizes, place) == _others(traced, place):
            yield visit.sizes[place], visit.status


def _others(sizes: tuple[int, ...], place: int) -> tuple[int, ...]:
    return (*sizes[:place], *sizes[place + 1 :])


def _with(found: dict[int, str], status: str) -> tuple[int, ...]:
    return tuple(size for size in sorted(found) if found[size] == status)
