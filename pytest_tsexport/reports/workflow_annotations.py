"""run -> workflow commands of GitHub: an error on the line of each marked test whose export fails the run.

::error file=tests/test_export.py,line=12,title=test_longformer (jit) is wrong::shapes: silently wrong outside …

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_tsexport.reports.grouping import ExportResult, gather, most_urgent_first
from pytest_tsexport.reports.run_record import FailedItem, RunRecord
from pytest_tsexport.verdict import Outcome

MOST = 10
"""GitHub shows that many errors of one step; the last one says how many there are."""


def annotation_lines(run: RunRecord) -> Iterator[str]:
    """One line for each export that fails the run, wrong ones first, and ten at most. A known failure has none."""
    bad = [
        export
        for export in most_urgent_first(gather(run.verdicts, run.expected, run.unanswered))
        if _fails(export, run)
    ]
    shown = bad if len(bad) <= MOST else bad[: MOST - 1]
    yield from (_error(export, run) for export in shown)
    if len(bad) > len(shown):
        yield _command({"title": "TorchScript export"}, f"{len(bad) - len(shown)} more exports are not right")


def _fails(export: ExportResult, run: RunRecord) -> bool:
    """Whether an item about it failed. A crash fails the run even if its item passed."""
    return bool(_failed(export, run)) or any(verdict.outcome is Outcome.CRASHED for verdict in export.verdicts)


def _failed(export: ExportResult, run: RunRecord) -> list[FailedItem]:
    return [one for one in run.failed if (one.subject, one.backend) == (export.subject, export.backend)]


def _error(export: ExportResult, run: RunRecord) -> str:
    """What was found; if that is no fault, the test failed outside its checks."""
    place = run.places.get(export.subject)
    properties = {} if place is None else {"file": place.file, "line": str(place.line)}
    is_at_fault = export.state in ("wrong", "not judged")
    said = export.found if is_at_fault else dict.fromkeys(one.why for one in _failed(export, run))
    title = f"{_test(export.subject)} ({export.shown}): {export.state if is_at_fault else 'failed'}"
    return _command({**properties, "title": title}, "\n".join(said))


def _test(subject: str) -> str:
    """The name of the test, with its parameters: in these, `::` separates nothing."""
    before, bracket, parameters = subject.partition("[")
    return f"{before.rpartition('::')[2]}{bracket}{parameters}"


def _command(properties: Mapping[str, str], message: str) -> str:
    given = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    return f"::error {given}::{_escaped(message)}"


def _escaped(text: str, characters: Sequence[str] = "") -> str:
    """GitHub takes a percent sign for the beginning of an escape, and ends a command at the end of a line."""
    for character in ("%", "\r", "\n", *characters):
        text = text.replace(character, f"%{ord(character):02X}")
    return text
