"""run -> Markdown: what a reader of a pull request needs, within the size of a comment.

### TorchScript export: 1 wrong, 16 right

| export | backend | result | what was found |
| --- | --- | --- | --- |
| `test_export.py::test_longformer` | jit | **wrong** | shapes: silently wrong outside the traced size |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from pytest_tsexport.config.names import SIMULATIONS
from pytest_tsexport.reports.grouping import URGENCY, ExportResult, gather, most_urgent_first
from pytest_tsexport.reports.markdown_text import block, code, folded, sentence
from pytest_tsexport.reports.notes import note_lines
from pytest_tsexport.reports.numbers import counted, seconds
from pytest_tsexport.reports.run_record import RunRecord
from pytest_tsexport.reports.summary import totals
from pytest_tsexport.reports.terminal import failure_text
from pytest_tsexport.verdict import Outcome

COMMENT = 64_000
"""Bytes. GitHub refuses a comment of more than 65,536 characters."""

LEFT_OUT = 200
"""Bytes that are kept for the line that says what was left out."""

NOTE_WIDTH = 120
HEADS = ("export", "backend", "result", "what was found")


def text(run: RunRecord, most: int = COMMENT) -> str:
    """The report in at most so many bytes; its end says how much was left out."""
    exports = most_urgent_first(gather(run.verdicts, run.expected, run.unanswered))
    return _fitted([*_head(run, exports)], [*_parts(exports)], most)


def _fitted(head: Sequence[str], parts: Sequence[str], most: int) -> str:
    """The head, and the parts for which there is room: each whole, those that come first first."""
    room = most - LEFT_OUT - _size("\n".join(head))
    shown: list[str] = []
    for part in parts:
        room -= _size(part) + 1
        if room < 0:
            break
        shown.append(part)
    left = len(parts) - len(shown)
    more = [f"{counted(left, 'part')} of this report had no room here; `--ts-report=x.html` has all."] if left else []
    return "\n".join([*head, *shown, *more]) + "\n"


def _head(run: RunRecord, exports: Sequence[ExportResult]) -> Iterator[str]:
    counts = Counter(export.state for export in exports)
    shown = ", ".join(f"{counts[state]} {state}" for state in URGENCY if counts[state])
    yield f"### TorchScript export: {shown or 'no export was judged'}\n"
    if exports:
        yield f"{sentence(totals(exports))}\n"
    for name in sorted({export.backend for export in exports if export.is_simulated}):
        yield f"{code(name)} is {sentence(SIMULATIONS[name])}.\n"
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    if versions:
        yield f"{sentence(versions)}\n"
    if not run.complete:
        yield f"pytest ended with exit status {run.exit_status}: not every selected item ran.\n"


def _parts(exports: Sequence[ExportResult]) -> Iterator[str]:
    """The table of what is not right, the failures, the table of what is right, and the notes."""
    bad = [export for export in exports if export.state != "right"]
    yield from _tables(HEADS, (_bad_cells(export) for export in bad))
    for export in bad:
        yield from _failures(export)
    good = [export for export in exports if export.state == "right"]
    if good:
        table = "\n".join(_tables(("export", "backend", "checks", "time"), map(_good_cells, good), per_table=len(good)))
        yield folded(f"{counted(len(good), 'export')} right", table)
    notes = "\n".join(note_lines(exports, NOTE_WIDTH))
    if notes:
        yield folded("Notes, and what was not looked at", block(notes))


def _tables(heads: Sequence[str], rows: Iterable[Sequence[str]], *, per_table: int = 10) -> Iterator[str]:
    """Tables of a few rows, so that the first ones fit if not all do."""
    listed = list(rows)
    for start in range(0, len(listed), per_table):
        some = [heads, ["---"] * len(heads), *listed[start : start + per_table]]
        yield "\n".join(f"| {' | '.join(row)} |" for row in some) + "\n"


def _bad_cells(export: ExportResult) -> tuple[str, ...]:
    return code(export.subject), sentence(export.shown), f"**{export.state}**", "<br>".join(map(sentence, export.found))


def _good_cells(export: ExportResult) -> tuple[str, ...]:
    names = ", ".join(verdict.check for verdict in export.judged)
    time = seconds(sum(verdict.seconds for verdict in export.verdicts))
    return code(export.subject), sentence(export.shown), sentence(names), time


def _failures(export: ExportResult) -> Iterator[str]:
    for verdict in export.shown_checks:
        if verdict.outcome is not Outcome.PASSED:
            yield folded(f"{export.subject} on {export.shown}: {verdict.check}", block(failure_text(verdict)))


def _size(text: str) -> int:
    return len(text.encode(errors="backslashreplace"))
