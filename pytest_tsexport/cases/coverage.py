"""subject, judged cases -> unseen: the values and the sizes that no case held, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pytest_tsexport.cases.cases import Case, farthest, off_size
from pytest_tsexport.subjects.fields import Axis, Field
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.subjects.values import sweeps, swept


def unvaried(subject: Subject) -> tuple[str, ...]:
    """Whole numbers of which the example holds one alone: `lengths: its example holds 7 alone, ...`."""
    return tuple(
        f"{field.name}: its example holds {field.domain.low} alone, and no other value was drawn"
        for field in _drawn(subject)
        if field.domain.kind == "integers" and field.domain.high - field.domain.low <= 1
    )


def unswept(subject: Subject, cases: Iterable[Case]) -> tuple[str, ...]:
    """Inputs not every value of which was drawn: `input_ids: 1400 of 30000 ids were drawn in turn`."""
    seeds = {case.seed for case in cases if case.values == "sweep" and not off_size(case, subject)}
    return tuple(told for field in _drawn(subject) if (told := _left_out(field, subject, seeds)) is not None)


def _drawn(subject: Subject) -> Iterator[Field]:
    return (field for field in subject.fields if field.name not in subject.strategies)


def _left_out(field: Field, subject: Subject, seeds: set[int]) -> str | None:
    count = field.domain.high - field.domain.low
    if field.domain.kind not in ("ids", "integers") or count <= 1:
        return None
    drawn = swept(field, subject.sizes, seeds) if sweeps(field, subject.sizes) else 0
    what = "ids" if field.domain.kind == "ids" else "values"
    return f"{field.name}: {drawn} of {count} {what} were drawn in turn" if drawn < count else None


def unvisited(axis: Axis, cases: Sequence[Case]) -> tuple[str, ...]:
    """Sizes of an axis that no case has: `dim1 above 513 and most of 34-511`, and edges that are too far."""
    seen = {axis.size, *(case.size(axis.name) for case in cases)}
    between = [size for size in range(max(axis.low, 1), max(seen)) if size not in seen]
    told = [f"above {max(seen)}"] if axis.high is None or max(seen) < axis.high else []
    told += [_range(between)] if between else []
    axes = [f"{axis.name} {' and '.join(told)}"] if told else []
    return (*axes, *(f"{axis.name} {edge}: too far" for edge in too_far(axis)))


def _range(sizes: Sequence[int]) -> str:
    span = sizes[-1] - sizes[0] + 1
    if span == 1:
        return str(sizes[0])
    part = "" if len(sizes) == span else "most of " if 2 * len(sizes) > span else "some of "
    return f"{part}{sizes[0]}-{sizes[-1]}"


def too_far(axis: Axis) -> tuple[int, ...]:
    """Edges that are not looked at because they are too far."""
    edges = {*axis.edges, *(() if axis.high is None else (axis.high,))}
    return tuple(sorted(edge for edge in edges if edge > farthest(axis)))
