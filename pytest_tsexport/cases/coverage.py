"""subject, judged cases -> sentences: the values and the sizes that no case had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pytest_tsexport.cases.case import Case, moved_axes, off_size
from pytest_tsexport.cases.findings import CaseResult
from pytest_tsexport.cases.visited_sizes import farthest, is_too_large
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


_REFUSED = ("both raise", "eager raises", "left out")


def unvisited(axis: Axis, cases: Sequence[Case], numbers: Iterable[int] = ()) -> tuple[str, ...]:
    """Sizes of an axis that no case has: `dim1 above 513 and most of 34-511`; and what is too large to visit.

    `cases` are those that were compared. Of the `numbers` that the code names, the too large ones are told.
    """
    seen = {axis.size, *(case.size(axis.name) for case in cases)}
    between = [size for size in range(axis.fitting(axis.least), max(seen), axis.step) if size not in seen]
    parts = [f"above {max(seen)}"] if axis.high is None or max(seen) < axis.high else []
    parts += [_range(between)] if between else []
    sizes = [f"{axis.name} {' and '.join(parts)}"] if parts else []
    return (*sizes, *(f"{axis.name} {edge}: too large to visit" for edge in too_large(axis, numbers)))


def _range(sizes: Sequence[int]) -> str:
    span = sizes[-1] - sizes[0] + 1
    if span == 1:
        return str(sizes[0])
    part = "" if len(sizes) == span else "most of " if 2 * len(sizes) > span else "some of "
    return f"{part}{sizes[0]}-{sizes[-1]}"


def given_up(subject: Subject, judged: Sequence[CaseResult]) -> tuple[str, ...]:
    """Dimensions that eager refuses at other sizes, and axes at most of whose sizes it raises.

    `dim1 (12): eager refuses 13: ValueError: …`. An axis that eager refuses with the values of the example may
    vary with those that a strategy of the user's draws.
    """
    answered = {axis.name for axis in subject.free if any(_answered(axis, judged, subject))}
    lines = [line for name, line in subject.given_up.items() if name not in answered]
    others = [axis for axis in subject.free if axis.name in answered or axis.name not in subject.given_up]
    return (*lines, *filter(None, (refused(axis, judged, subject) for axis in others)))


def _alone(axis: Axis, judged: Sequence[CaseResult], subject: Subject) -> list[CaseResult]:
    """The results of cases that vary this axis alone, up to the model's maximum."""
    return [
        one
        for one in judged
        if moved_axes(one.case, subject) == (axis.name,) and _is_within(axis, one.case.size(axis.name))
    ]


def _answered(axis: Axis, judged: Sequence[CaseResult], subject: Subject) -> set[int]:
    """The sizes of an axis at which eager has answered."""
    return {one.case.size(axis.name) for one in _alone(axis, judged, subject) if one.status not in _REFUSED}


def refused(axis: Axis, judged: Sequence[CaseResult], subject: Subject) -> str | None:
    """An axis at most of whose sizes eager raises: `dim1: eager raises at 9 of 12 sizes: ValueError: …`; else None."""
    alone, answered = _alone(axis, judged, subject), _answered(axis, judged, subject)
    raised = {one.case.size(axis.name): one.text for one in alone if one.case.size(axis.name) not in answered}
    if len(raised) <= len(answered):
        return None
    nearest = min(raised, key=lambda size: abs(size - axis.size))
    return f"{axis.name}: eager raises at {len(raised)} of {len(raised) + len(answered)} sizes: {raised[nearest]}"


def _is_within(axis: Axis, size: int) -> bool:
    return axis.high is None or size <= axis.high


def coupled(axis: Axis) -> tuple[str, ...]:
    """The sizes of an axis that were left out because eager refuses them: those between its steps, or off its rule."""
    if axis.rule is not None:
        return (f"{axis.name} other than {axis.rule}: eager refuses it",)
    return (f"{axis.name} between steps of {axis.step}: eager refuses it",) if axis.step > 1 else ()


def too_large(axis: Axis, numbers: Iterable[int] = ()) -> tuple[int, ...]:
    """Edges, and numbers that the code names, that are not visited because they are too large."""
    edges = {*axis.edges, *(() if axis.high is None else (axis.high,))}
    named = {number for number in numbers if is_too_large(axis, number) and _is_within(axis, number)}
    return tuple(sorted({edge for edge in edges if edge > farthest(axis)} | named))
