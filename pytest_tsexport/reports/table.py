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
from collections.abc import Iterable, Iterator, Sequence

from pytest_tsexport.reports.grouping import ENDED, ExportResult
from pytest_tsexport.reports.numbers import distinguishable, seconds
from pytest_tsexport.verdict import Outcome, Verdict, Worst

FEW = 3
"""Up to this number of exports, those that are right are shown check by check too."""

GAP = "  "
WIDE = 100
"""A line of so many columns has room for the place of the worst difference."""

Cells = tuple[str, ...]

CHECK_HEADS: Cells = ("check", "outcome", "judged", "worst of allowed", "seconds")
EXPORT_HEADS: Cells = ("checks", "judged", "worst of allowed", "seconds")


def table_lines(exports: Sequence[ExportResult], width: int) -> Iterator[str]:
    """The folded exports first, then those that failed."""
    folded = [e for e in exports if e.is_smooth and len(exports) > FEW]
    unfolded = [e for e in exports if e not in folded]
    several = len({e.backend for e in exports}) > 1
    yield from _folded_lines(folded, width, backends=several or any(e.is_simulated for e in exports))
    if folded and unfolded:
        yield ""
    yield from _unfolded_lines(unfolded, width)


def cut(text: str, width: int) -> str:
    """`text`, or its end if it is wider than `width`: tests differ at their end."""
    return text if len(text) <= width else f"…{text[len(text) - width + 1 :]}"


def _shared_file(subjects: Sequence[str]) -> str:
    """`tests/test_export.py::` if all of them are in that file, else an empty text."""
    files = {subject.partition("::")[0] for subject in subjects if "::" in subject}
    alone = len(files) == 1 and all("::" in subject for subject in subjects)
    return f"{files.pop()}::" if alone else ""


def _folded_lines(exports: Sequence[ExportResult], width: int, *, backends: bool) -> Iterator[str]:
    if not exports:
        return
    shared = _shared_file([export.subject for export in exports])
    names = [export.subject.removeprefix(shared) for export in exports]
    rows = [("backend", *EXPORT_HEADS) if backends else EXPORT_HEADS]
    rows += [_folded_cells(export, backends=backends) for export in exports]
    widths = _widths(rows)
    room = min(width - sum(widths) - len(GAP) * len(widths), max(map(len, [shared, *names])))
    for name, row in zip([shared or "subject", *names], rows, strict=True):
        yield _line((cut(name, room).ljust(room), *_padded(row, widths)))


def _unfolded_lines(exports: Sequence[ExportResult], width: int) -> Iterator[str]:
    if not exports:
        return
    widths = _widths([CHECK_HEADS, *(_check_cells(export, v) for export in exports for v in export.shown_checks)])
    yield GAP + _line(_padded(CHECK_HEADS, widths))
    for export in exports:
        yield cut(f"{export.subject} ({export.shown})", width)
        if export.file:
            yield f"{GAP}{export.file}"[:width]
        for verdict in export.shown_checks:
            yield _check_line(_check_cells(export, verdict), widths, verdict.worst, width)


def _folded_cells(export: ExportResult, *, backends: bool) -> Cells:
    passed = len(export.judged)
    cells: Cells = (
        f"{passed} passed" if passed else "none judged",
        _judged(export.judged),
        _worst(max((v.worst for v in export.judged if v.worst), key=_closeness, default=None)),
        seconds(sum(v.seconds for v in export.verdicts)),
    )
    return (export.shown, *cells) if backends else cells


def _check_cells(export: ExportResult, verdict: Verdict) -> Cells:
    outcome = verdict.outcome.value
    if verdict.outcome is Outcome.FAILED:
        outcome = "xfailed" if verdict.name in export.known else "FAILED"
    elif verdict.outcome in ENDED:
        outcome = outcome.upper()
    return verdict.check, outcome, _judged([verdict]), _worst(verdict.worst), seconds(verdict.seconds)


def _check_line(cells: Cells, widths: Sequence[int], worst: Worst | None, width: int) -> str:
    line = GAP + _line(_padded(cells, widths))
    where = f"{GAP}{worst.leaf} at {worst.case}" if worst and worst.case and worst.difference else ""
    return line + where if width >= WIDE and len(line + where) <= width else line


def _judged(verdicts: Iterable[Verdict]) -> str:
    verdicts = list(verdicts)
    planned = sum(v.planned for v in verdicts)
    return f"{sum(v.judged for v in verdicts)} of {planned}" if planned else ""


def _worst(worst: Worst | None) -> str:
    return " of ".join(distinguishable(worst.difference, worst.allowed)) if worst else ""


def _closeness(worst: Worst) -> float:
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


def _line(cells: Cells) -> str:
    return GAP.join(cells).rstrip()
