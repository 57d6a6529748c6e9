"""The table of the summary: one line for an export without a failure, one line for each check of the others.

test_export.py::            checks    judged      worst of allowed    seconds
test_bert                   6 passed  542 of 542  4.1e-07 of 1.1e-04    3.2 s

  check         outcome     judged      worst of allowed    seconds
test_export.py::test_longformer (jit)
  trace         passed                                        0.4 s
  shapes        FAILED      120 of 120  2.6e-01 of 9.9e-05    5.2 s
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from pytest_tsexport.reports.cutting import cut, cut_all
from pytest_tsexport.reports.grouping import ENDED, ExportResult
from pytest_tsexport.reports.numbers import distinguishable, seconds
from pytest_tsexport.verdict import Outcome, Verdict, Worst

FEW = 3
"""Up to this number of exports, those that are right are shown check by check too."""

GAP = "  "
WIDE = 100
"""A line of so many columns has room for the place of the worst difference."""
NAME = 24
"""Columns that a name has at least; for that, other columns are left out."""

Cells = tuple[str, ...]

Paint = Callable[[str, str], str]
"""Colors a text by the state that it tells: `right`, `wrong`, `known to be wrong` or `not judged`."""

CHECK_HEADS: Cells = ("check", "outcome", "judged", "worst of allowed", "seconds")
EXPORT_HEADS: Cells = ("checks", "judged", "worst of allowed", "seconds")

STATES = {Outcome.PASSED: "right", Outcome.FAILED: "wrong"}
"""The state that the outcome of one check tells; any other is `not judged`."""


def unpainted(text: str, state: str) -> str:
    """The text as it is."""
    del state
    return text


def table_lines(exports: Sequence[ExportResult], width: int, paint: Paint = unpainted) -> Iterator[str]:
    """The folded exports first, then those that failed."""
    folded = [e for e in exports if e.is_smooth and len(exports) > FEW]
    unfolded = [e for e in exports if e not in folded]
    several = len({e.backend for e in exports}) > 1
    yield from _folded_lines(folded, width, paint, backends=several or any(e.is_simulated for e in exports))
    if folded and unfolded:
        yield ""
    yield from _unfolded_lines(unfolded, width, paint)


def _shared_file(subjects: Sequence[str]) -> str:
    """`tests/test_export.py::` if all of them are in that file, else an empty text."""
    files = {subject.partition("::")[0] for subject in subjects if "::" in subject}
    alone = len(files) == 1 and all("::" in subject for subject in subjects)
    return f"{files.pop()}::" if alone else ""


def _folded_lines(exports: Sequence[ExportResult], width: int, paint: Paint, *, backends: bool) -> Iterator[str]:
    if not exports:
        return
    shared = _shared_file([export.subject for export in exports])
    names = [export.subject.removeprefix(shared) for export in exports]
    rows = [("backend", *EXPORT_HEADS) if backends else EXPORT_HEADS]
    rows += [_folded_cells(export, backends=backends) for export in exports]
    rows = _fitting(rows, width, min(NAME, max(map(len, names))))
    widths = _widths(rows)
    room = min(_room(rows, width), max(map(len, [shared or "subject", *names])))
    yield _line((cut(shared or "subject", room).ljust(room), *_padded(rows[0], widths)))
    for export, name, row in zip(exports, cut_all(names, room), rows[1:], strict=True):
        cells = _painted(_padded(row, widths), int(backends), export.state, paint)
        yield _line((name.ljust(room), *cells))


def _fitting(rows: list[Cells], width: int, least: int) -> list[Cells]:
    """The rows without the columns that leave a name less than `least`: the worst difference, then the cases."""
    while _room(rows, width) < least and len(rows[0]) > len(EXPORT_HEADS) - 1:
        rows = [(*row[:-2], row[-1]) for row in rows]
    return rows


def _room(rows: Sequence[Cells], width: int) -> int:
    return width - sum(_widths(rows)) - len(GAP) * len(rows[0])


def _unfolded_lines(exports: Sequence[ExportResult], width: int, paint: Paint) -> Iterator[str]:
    if not exports:
        return
    rows = [CHECK_HEADS, *(cells for export in exports for cells, _, _ in _check_rows(export))]
    widths = _widths(rows)
    yield GAP + _line(_padded(CHECK_HEADS, widths))
    for export in exports:
        yield cut(f"{export.subject} ({export.shown})", width)
        if export.file:
            yield f"{GAP}{export.file}"[:width]
        for cells, state, worst in _check_rows(export):
            where = _where(worst, width - len(GAP + _line(_padded(cells, widths)))) if width >= WIDE else ""
            yield GAP + _line(_painted(_padded(cells, widths), 1, state, paint)) + where


def _folded_cells(export: ExportResult, *, backends: bool) -> Cells:
    passed = len(export.judged)
    cells: Cells = (
        f"{passed} passed" if passed else "none judged",
        judged_of(export.judged),
        worst_of(closest(export.judged)),
        seconds(sum(v.seconds for v in export.verdicts)),
    )
    return (export.shown, *cells) if backends else cells


def _check_rows(export: ExportResult) -> Iterator[tuple[Cells, str, Worst | None]]:
    """The cells of each check, the state that they tell, and the worst difference."""
    for verdict in export.shown_checks:
        known = verdict.name in export.known
        state = "known to be wrong" if known else STATES.get(verdict.outcome, "not judged")
        yield _check_cells(verdict, known=known), state, verdict.worst
    lost = export.unanswered
    names = [one.check for one in lost] if export.shown_checks else ["all" if lost else "none"]
    if lost or not export.shown_checks:
        word = "skipped" if lost and all(one.skipped for one in lost) else "NO VERDICT" if lost else "not judged"
        yield from (((name, word, "", "", ""), "not judged", None) for name in names)


def _check_cells(verdict: Verdict, *, known: bool) -> Cells:
    outcome = verdict.outcome.value
    if verdict.outcome is Outcome.FAILED:
        outcome = "xfailed" if known else "FAILED"
    elif verdict.outcome in ENDED:
        outcome = outcome.upper()
    return verdict.check, outcome, judged_of([verdict]), worst_of(verdict.worst), seconds(verdict.seconds)


def _where(worst: Worst | None, room: int) -> str:
    """Where the worst difference was met, if there is room for that."""
    text = f"{GAP}{worst.leaf} at {worst.case}" if worst and worst.case and worst.difference else ""
    return text if len(text) <= room else ""


def judged_of(verdicts: Iterable[Verdict]) -> str:
    """`542 of 600` cases; empty if none were planned."""
    verdicts = list(verdicts)
    planned = sum(v.planned for v in verdicts)
    return f"{sum(v.judged for v in verdicts)} of {planned}" if planned else ""


def worst_of(worst: Worst | None) -> str:
    """`4.1e-07 of 1.1e-04`: a difference, and what is allowed there."""
    return " of ".join(distinguishable(worst.difference, worst.allowed)) if worst else ""


def closest(verdicts: Iterable[Verdict]) -> Worst | None:
    """The difference that takes up most of its tolerance."""
    return max((v.worst for v in verdicts if v.worst), key=closeness, default=None)


def closeness(worst: Worst) -> float:
    """How much of the tolerance the difference takes up; NaN counts as more than any number."""
    if math.isnan(worst.difference):
        return math.inf
    return worst.difference / worst.allowed if worst.allowed else worst.difference


def _widths(rows: Iterable[Cells]) -> tuple[int, ...]:
    return tuple(max(map(len, column)) for column in zip(*rows, strict=True))


def _padded(cells: Cells, widths: Sequence[int]) -> Cells:
    """Cells as wide as their columns; the last one, the seconds, is right-aligned."""
    *texts, last = zip(cells, widths, strict=True)
    return *(cell.ljust(width) for cell, width in texts), last[0].rjust(last[1])


def _painted(cells: Cells, place: int, state: str, paint: Paint) -> Cells:
    """The cells, with the one at this place colored. The spaces that pad it are not."""
    word = cells[place].rstrip()
    return (*cells[:place], paint(word, state) + " " * (len(cells[place]) - len(word)), *cells[place + 1 :])


def _line(cells: Cells) -> str:
    return GAP.join(cells).rstrip()
