"""verdicts -> lines: the summary at the end of a run. What is right folds; what is not stands nearer the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from pytest_tsexport.reports.grouping import ExpectedFailure, Export, gather
from pytest_tsexport.reports.notes import crash_lines, label_lines, remark_lines, simulation_lines
from pytest_tsexport.reports.numbers import counted, seconds
from pytest_tsexport.reports.table import table_lines
from pytest_tsexport.verdict import Verdict

STATES = ("right", "known to be wrong", "wrong", "not judged")


def summary_lines(
    verdicts: Sequence[Verdict],
    width: int,
    *,
    crashed: Sequence[str] = (),
    labels: Sequence[str] = (),
    expected: Collection[ExpectedFailure] = (),
) -> Iterator[str]:
    """The table, what it does not tell, and one line of totals; `width` is in columns, 80 or more.

    `crashed` are node ids without a verdict, `labels` the node ids of tests that the marker only labels,
    `expected` the failures that are known: pairs of a subject and `backend-check`.
    """
    exports = gather(verdicts, expected)
    yield from table_lines(exports, width)
    remarks = [
        *remark_lines(exports, width),
        *label_lines(labels, width),
        *crash_lines(crashed, width),
        *simulation_lines(exports, width),
    ]
    if exports and remarks:
        yield ""
    yield from remarks
    if exports:
        yield ""
        yield _totals(exports, len(set(crashed)))


def _totals(exports: Sequence[Export], crashed: int) -> str:
    verdicts = [verdict for export in exports for verdict in export.verdicts]
    states = Counter(export.state for export in exports)
    counts = [f"{states[state]} {state}" for state in STATES if states[state]]
    counts += [f"{counted(crashed, 'item')} crashed"] if crashed else []
    cases = f"{sum(v.judged for v in verdicts)} of {counted(sum(v.planned for v in verdicts), 'case')} judged"
    time = seconds(sum(v.seconds for v in verdicts))
    simulated = sum(export.is_simulated for export in exports)
    number = counted(len(exports), "export") + (f", {simulated} of them simulated" if simulated else "")
    return f"{number}: {', '.join(counts)}; {cases}; {time}"
