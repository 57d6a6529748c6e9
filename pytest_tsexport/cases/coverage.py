"""subject, judged cases -> sentences: the values and the sizes that no case had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pytest_tsexport.cases.case import Case, off_size
from pytest_tsexport.cases.listed import farthest
from pytest_tsexport.subjects.fields import Axis, Field
from pytest_tsexport.subjects.subject import Subject


def unvaried(subject: Subject) -> tuple[str, ...]:
    """Inputs whose example holds one whole number: `lengths: its example holds only 7, ...`."""
    return tuple(
        f"{field.name}: its example holds only {field.domain.lone_value}, so no other value but 0, 1 and -1 was drawn"
        for field in _drawn(subject)
        if field.domain.lone_value is not None
    )


def unswept(subject: Subject, cases: Iterable[Case]) -> tuple[str, ...]:
    """Inputs with values that were not drawn: `input_ids: the sweep drew 1400 of 30000 ids`."""
    seeds = {case.seed for case in cases if case.values == "sweep" and not off_size(case, subject)}
    lines = (_incomplete_sweep(field, subject, seeds) for field in _drawn(subject))
    return tuple(line for line in lines if line is not None)


def _drawn(subject: Subject) -> Iterator[Field]:
    return (field for field in subject.fields if field.name not in subject.strategies)


def _incomplete_sweep(field: Field, subject: Subject, seeds: set[int]) -> str | None:
    count = field.domain.count(subject.sizes)
    drawn = field.swept(subject.sizes, seeds) if field.sweeps(subject.sizes) else 0
    if count <= 1 or drawn >= count:
        return None
    return f"{field.name}: the sweep drew {drawn} of {count} {field.domain.noun}"


def unvisited(axis: Axis, cases: Sequence[Case]) -> tuple[str, ...]:
    """Sizes of an axis that no case has: `dim1 above 513 and most of 34-511`; and edges that are too large to visit."""
    seen = {axis.size, *(case.size(axis.name) for case in cases)}
    between = [size for size in range(axis.least, max(seen)) if size not in seen]
    parts = [f"above {max(seen)}"] if axis.high is None or max(seen) < axis.high else []
    parts += [_range(between)] if between else []
    sizes = [f"{axis.name} {' and '.join(parts)}"] if parts else []
    return (*sizes, *(f"{axis.name} {edge}: too large to visit" for edge in too_large(axis)))


def _range(sizes: Sequence[int]) -> str:
    span = sizes[-1] - sizes[0] + 1
    if span == 1:
        return str(sizes[0])
    part = "" if len(sizes) == span else "most of " if 2 * len(sizes) > span else "some of "
    return f"{part}{sizes[0]}-{sizes[-1]}"


def too_large(axis: Axis) -> tuple[int, ...]:
    """Edges that are not visited because they are too large."""
    edges = {*axis.edges, *(() if axis.high is None else (axis.high,))}
    return tuple(sorted(edge for edge in edges if edge > farthest(axis)))
