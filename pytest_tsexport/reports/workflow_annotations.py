"""run -> workflow commands of GitHub: an error on the line of each marked test whose export is wrong.

::error file=tests/test_export.py,line=12,title=test_longformer (jit) is wrong::shapes: silently wrong outside …

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_tsexport.reports.grouping import ExportResult, gather
from pytest_tsexport.reports.run_record import RunRecord, SourceLine

MOST = 10
"""GitHub shows that many errors of one step; the last one says how many there are."""


def annotation_lines(run: RunRecord) -> Iterator[str]:
    """One line for each export that fails the run, wrong ones first, and ten at most. A known failure has none."""
    exports = gather(run.verdicts, run.expected, run.unanswered)
    bad = [export for state in ("wrong", "not judged") for export in exports if export.state == state]
    bad = [export for export in bad if not export.is_left_out]
    shown = bad if len(bad) <= MOST else bad[: MOST - 1]
    yield from (_error(export, run.places.get(export.subject)) for export in shown)
    if len(bad) > len(shown):
        yield _command({"title": "TorchScript export"}, f"{len(bad) - len(shown)} more exports are not right")


def _error(export: ExportResult, place: SourceLine | None) -> str:
    properties = {} if place is None else {"file": place.file, "line": str(place.line)}
    title = f"{_test(export.subject)} ({export.shown}): {export.state}"
    return _command({**properties, "title": title}, "\n".join(export.found))


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
