"""verdict -> maps of sizes: for each pair of axes, where the export is right, raises, or is silently wrong.

A map has a row and a column for each size that was visited, and for each gap between two of them. A fault in
combination shows in a map of two axes; a third axis stays at its traced size there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pytest_tsexport.verdict import Verdict, Visit

NOT_LOOKED_AT = "not looked at"

STATUSES: Mapping[str, str] = {
    "equal": "right",
    "raises": "raises",
    "wrong": "wrong",
    "both raise": "eager raises",
    "eager raises": "eager raises",
    "unsettled": "unsettled",
    "left out": NOT_LOOKED_AT,
}
"""What a map says of a visit, by its status. Where eager raises, the model itself has no answer."""

MOST = 6
"""Maps of one verdict: four axes have six pairs."""

Found = Mapping[tuple[int, ...], str]
"""What a map says, by the size of each axis."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """One row or column of a map: a size that was visited, or the sizes between two of them, which were not."""

    first: int
    last: int
    visited: bool = True

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One size, or sizes that were not looked at."""

    status: str
    is_traced: bool = False
    is_counterexample: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeMap:
    """What happened over one axis or two. Without a second axis there is one row, and `down` is empty.

    `others` are the axes that stay at their traced size: `batch=2`.
    """

    across: str
    down: str
    others: str
    columns: tuple[Sizes, ...]
    rows: tuple[tuple[Sizes, tuple[Cell, ...]], ...]


def size_maps(verdict: Verdict, at_traced: str = NOT_LOOKED_AT) -> tuple[SizeMap, ...]:
    """The maps of one verdict; `at_traced` is what is known of the traced size, which another check judges."""
    traced = tuple(verdict.axes.values())
    found = {**dict(map(_said, verdict.visits)), traced: at_traced}
    pairs: Sequence[tuple[int, ...]] = list(combinations(range(len(traced)), 2)) or [(0,)]
    return tuple(_map(verdict, found, pair) for pair in pairs[:MOST]) if traced else ()


def beyond(verdict: Verdict) -> tuple[str, ...]:
    """The sizes at which the export is wrong and that no map shows: more than two axes leave their traced size."""
    traced = tuple(verdict.axes.values())
    return tuple(
        _where(verdict, visit.sizes)
        for visit in verdict.visits
        if visit.status == "wrong" and sum(a != b for a, b in zip(visit.sizes, traced, strict=True)) > 2
    )


def _said(visit: Visit) -> tuple[tuple[int, ...], str]:
    return visit.sizes, STATUSES.get(visit.status, visit.status)


def _map(verdict: Verdict, found: Found, pair: tuple[int, ...]) -> SizeMap:
    """The map over one pair of axes: the one with more sizes goes across."""
    traced = tuple(verdict.axes.values())
    shown = [sizes for sizes in found if all(sizes[p] == traced[p] for p in range(len(traced)) if p not in pair)]
    steps = {place: tuple(_steps({sizes[place] for sizes in shown})) for place in pair}
    *first, across = sorted(pair, key=lambda place: len(steps[place]))
    down = first[0] if first else None
    names = list(verdict.axes)

    def cell(row: Sizes | None, column: Sizes) -> Cell:
        moved = {across: column, **({} if row is None or down is None else {down: row})}
        return _cell(verdict, found, moved)

    rows = [(Sizes(traced[across], traced[across]), None)] if down is None else [(step, step) for step in steps[down]]
    return SizeMap(
        across=names[across],
        down="" if down is None else names[down],
        others=", ".join(f"{name}={traced[place]}" for place, name in enumerate(names) if place not in pair),
        columns=steps[across],
        rows=tuple((head, tuple(cell(row, column) for column in steps[across])) for head, row in rows),
    )


def _steps(sizes: set[int]) -> Iterator[Sizes]:
    """The sizes in order, with the gaps between them."""
    before = 0
    for size in sorted(sizes):
        if size > before + 1:
            yield Sizes(before + 1, size - 1, visited=False)
        yield Sizes(size, size)
        before = max(size, 0)


def _cell(verdict: Verdict, found: Found, moved: Mapping[int, Sizes]) -> Cell:
    traced = tuple(verdict.axes.values())
    if not all(step.visited for step in moved.values()):
        return Cell(status=NOT_LOOKED_AT)
    sizes = tuple(moved[place].first if place in moved else size for place, size in enumerate(traced))
    return Cell(
        status=found.get(sizes, NOT_LOOKED_AT),
        is_traced=sizes == traced,
        is_counterexample=_where(verdict, sizes) == _smallest(verdict),
    )


def _where(verdict: Verdict, sizes: Sequence[int]) -> str:
    return ", ".join(f"{name}={size}" for name, size in zip(verdict.axes, sizes, strict=True))


def _smallest(verdict: Verdict) -> str:
    """The sizes of the counterexample, in the same words."""
    sizes = (verdict.counterexample or {}).get("sizes", {})
    return ", ".join(f"{name}={sizes.get(name, traced)}" for name, traced in verdict.axes.items()) if sizes else ""
