"""The summary at the end of a run. Exports that are right fold to one line each; the others come after them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from pytest_tsexport.reports.grouping import ExpectedFailure, ExportResult, gather
from pytest_tsexport.reports.notes import bare_marker_lines, crash_lines, note_lines, simulation_lines
from pytest_tsexport.reports.numbers import counted, seconds
from pytest_tsexport.reports.table import table_lines
from pytest_tsexport.verdict import Verdict

STATES = ("right", "known to be wrong", "wrong", "not judged")


def summary_lines(
    verdicts: Sequence[Verdict],
    width: int,
    *,
    crashed: Sequence[str] = (),
    bare_markers: Sequence[str] = (),
    expected: Collection[ExpectedFailure] = (),
) -> Iterator[str]:
    """The table, the notes, and one line of totals; `width` is in columns, 80 or more.

    `crashed` are node ids without a verdict, `bare_markers` are node ids of tests with a bare marker that returned
    nothing, and `expected` are the known failures: pairs of a subject and `backend-check`.
    """
    exports = gather(verdicts, expected)
    yield from table_lines(exports, width)
    notes = [
        *note_lines(exports, width),
        *bare_marker_lines(bare_markers, width),
        *crash_lines(crashed, width),
        *simulation_lines(exports, width),
    ]
    if exports and notes:
        yield ""
    yield from notes
    if exports:
        yield ""
        yield _totals(exports, len(set(crashed)))


def _totals(exports: Sequence[ExportResult], crashed: int) -> str:
    verdicts = [verdict for export in exports for verdict in export.verdicts]
    states = Counter(export.state for export in exports)
    counts = [f"{states[state]} {state}" for state in STATES if states[state]]
    counts += [f"{counted(crashed, 'item')} crashed"] if crashed else []
    cases = f"{sum(v.judged for v in verdicts)} of {counted(sum(v.planned for v in verdicts), 'case')} judged"
    time = seconds(sum(v.seconds for v in verdicts))
    simulated = sum(export.is_simulated for export in exports)
    number = counted(len(exports), "export") + (f", {simulated} of them simulated" if simulated else "")
    return f"{number}: {', '.join(counts)}; {cases}; {time}"
