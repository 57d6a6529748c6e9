"""The lines of the summary below the table: notes, what was not looked at, and why a check gave no answer.

not applicable  tied_weights: no tied weights (all 20 exports)
not looked at   shapes: sequence above 40, out of time (test_export.py::test_bert)
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pytest_tsexport.config.names import SIMULATIONS
from pytest_tsexport.reports.grouping import ExportResult
from pytest_tsexport.reports.numbers import counted
from pytest_tsexport.verdict import Outcome, Verdict

NAME_WIDTH = 16
MOST_PER_CHECK = 3
"""The most notes of one kind that are shown for one check; how many were left out is stated."""

MOST_NAMES = 2

NO_VERDICT, SKIPPED = "no verdict", "skipped"
"""The kinds of notes about checks without a verdict."""

NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]\d+)?")


def note_lines(exports: Sequence[ExportResult], width: int) -> Iterator[str]:
    """Notes that differ only in their numbers share a line, which names the exports."""
    yield from _lines("note", _folded(exports, "note"), width)
    yield from _lines("not looked at", _folded(exports, "not looked at"), width)
    for outcome in (Outcome.NOT_APPLICABLE, Outcome.UNAVAILABLE, Outcome.NOT_RUN, Outcome.TOO_SLOW, Outcome.CRASHED):
        yield from _lines(outcome.value, _folded(exports, outcome.value), width)
    for kind in (NO_VERDICT, SKIPPED):
        yield from _lines(kind, _folded(exports, kind), width)


def simulation_lines(exports: Sequence[ExportResult], width: int) -> Iterator[str]:
    """Which backends are simulations, and how far: a pass there is not a pass on the real one."""
    named = sorted({export.backend for export in exports if export.is_simulated})
    yield from _lines("simulation", [f"{name} is {SIMULATIONS[name]}" for name in named], width)


def bare_marker_lines(tests: Sequence[str], width: int) -> Iterator[str]:
    """Tests with a bare marker that returned nothing: another project's use of the word."""
    if tests:
        number = counted(len(set(tests)), "test")
        text = f"{number} returned nothing and validated nothing: {_names(sorted(set(tests)))}"
        yield from _lines("bare marker", [text], width)


def tracer_warning_lines(counts: Mapping[str, int], width: int) -> Iterator[str]:
    """Warnings of torch's tracer that pytest does not show, since other sizes were looked at."""
    if counts:
        short = _short(sorted(counts))
        number = counted(sum(counts.values()), "warning")
        text = f"{number} of torch's tracer not shown, since shapes passed ({_names(list(short.values()))})"
        yield from _lines("tracer", [text], width)


def _folded(exports: Sequence[ExportResult], kind: str) -> list[str]:
    counts: Counter[str] = Counter()
    notes: list[str] = []
    for checks, similar in _similar(exports, kind):
        counts[checks] += 1
        if counts[checks] <= MOST_PER_CHECK:
            notes.append(f"{checks}: {_text(similar)}{_where([export for _, export in similar], exports)}")
    for checks, count in counts.items():
        if count > MOST_PER_CHECK:
            notes.append(f"{checks}: {count - MOST_PER_CHECK} more, in the --junit-xml report")
    return notes


def _similar(exports: Sequence[ExportResult], kind: str) -> Iterator[tuple[str, list[tuple[str, ExportResult]]]]:
    """The names of checks, with texts about them that differ only in their numbers, and the export of each text."""
    found: dict[tuple[str, str], list[tuple[str, ExportResult]]] = {}
    for export in exports:
        checks: dict[str, list[str]] = {}
        for verdict in export.verdicts:
            for text in _texts(verdict, kind):
                checks.setdefault(text, []).append(verdict.check)
        for lost in export.unanswered:
            if kind == (SKIPPED if lost.skipped else NO_VERDICT):
                checks.setdefault(lost.why, []).append(lost.check)
        for text, names in checks.items():
            found.setdefault((", ".join(names), NUMBER.sub("#", text)), []).append((text, export))
    for (listed, _), similar in found.items():
        yield listed, similar


def _text(similar: Sequence[tuple[str, ExportResult]]) -> str:
    texts = {text for text, _ in similar}
    return similar[0][0] if len(texts) == 1 else f"{similar[0][0]}, or similar"


def _texts(verdict: Verdict, kind: str) -> tuple[str, ...]:
    if kind == "note":
        return verdict.notes
    if kind == "not looked at":
        return verdict.not_covered
    headline = verdict.headline.removeprefix(f"{kind}: ")
    return (headline,) if verdict.outcome.value == kind else ()


def _where(some: Sequence[ExportResult], exports: Sequence[ExportResult]) -> str:
    if len(some) == len(exports):
        return "" if len(exports) == 1 else f" (all {len(exports)} exports)"
    short = _short([export.subject for export in exports])
    several = len({export.backend for export in exports}) > 1
    names = [short[e.subject] + (f" on {e.backend}" if several else "") for e in some]
    return f" ({_names(names)})"


def _short(subjects: Sequence[str]) -> dict[str, str]:
    """The shortest end of each node id that is unique: the test, else file and test, else the whole id."""
    whole = dict.fromkeys(subjects)
    for cut in ("::", "/"):
        short = {subject: subject.rpartition(cut)[2] for subject in whole}
        if len(set(short.values())) == len(whole):
            return short
    return {subject: subject for subject in whole}


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    return f"{shown} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else shown


def _lines(name: str, texts: Sequence[str], width: int) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield from textwrap.wrap(
            text,
            width,
            initial_indent=("" if number else name).ljust(NAME_WIDTH),
            subsequent_indent=" " * NAME_WIDTH,
            break_long_words=False,
            break_on_hyphens=False,
        )
