"""The summary at the end of a run. Exports that are right fold to one line each; the others come after them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from pytest_tsexport.reports.grouping import STATES, ExportResult, gather
from pytest_tsexport.reports.notes import bare_marker_lines, note_lines, simulation_lines, tracer_warning_lines
from pytest_tsexport.reports.numbers import counted, seconds
from pytest_tsexport.reports.run_record import RunRecord
from pytest_tsexport.reports.table import Paint, table_lines, unpainted


def summary_lines(
    run: RunRecord,
    width: int,
    *,
    bare_markers: Sequence[str] = (),
    tracer_warnings: Mapping[str, int] = MappingProxyType({}),
    paint: Paint = unpainted,
) -> Iterator[str]:
    """The table, the notes, and one line of totals; `width` is in columns, 80 or more.

    `bare_markers` are node ids of tests with a bare marker that returned nothing; `tracer_warnings` are the numbers of
    warnings of torch's tracer that are not shown, by subject.
    """
    exports = gather(run.verdicts, run.expected, run.unanswered)
    yield from table_lines(exports, width, paint)
    notes = [
        *tracer_warning_lines(tracer_warnings, width),
        *note_lines(exports, width),
        *bare_marker_lines(bare_markers, width),
        *simulation_lines(exports, width),
    ]
    if exports and notes:
        yield ""
    yield from notes
    if exports:
        yield ""
        yield totals(exports, paint)


def totals(exports: Sequence[ExportResult], paint: Paint = unpainted) -> str:
    """`6 exports: 4 right, 2 wrong; 1020 of 1100 cases judged; 20.4 s`."""
    verdicts = [verdict for export in exports for verdict in export.verdicts]
    states = Counter(export.state for export in exports)
    counts = [paint(f"{states[state]} {state}", state) for state in STATES if states[state]]
    cases = f"{sum(v.judged for v in verdicts)} of {counted(sum(v.planned for v in verdicts), 'case')} judged"
    time = seconds(sum(v.seconds for v in verdicts))
    simulated = sum(export.is_simulated for export in exports)
    number = counted(len(exports), "export") + (f", {simulated} of them simulated" if simulated else "")
    return f"{number}: {', '.join(counts)}; {cases}; {time}"
