"""exports -> lines: what the numbers do not tell. Notes, what was not looked at, and why a check gave no answer.

not applicable  tied_weights: no tied weights (all 20 exports)
not looked at   shapes: sequence above 40, out of time (test_export.py::test_bert)
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_tsexport.config.policy import SIMULATIONS
from pytest_tsexport.reports.grouping import Export
from pytest_tsexport.reports.numbers import counted
from pytest_tsexport.verdict import Outcome, Verdict

LABEL_WIDTH = 16
MOST_OF_A_CHECK = 3
"""More remarks of one kind on one check would drown the rest; how many were left out is said."""

MOST_NAMES = 2

NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]\d+)?")


def remark_lines(exports: Sequence[Export], width: int) -> Iterator[str]:
    """What is alike in several exports, up to its numbers, is said once, with where."""
    yield from _lines("note", _folded(exports, "note"), width)
    yield from _lines("not looked at", _folded(exports, "not looked at"), width)
    for outcome in (Outcome.NOT_APPLICABLE, Outcome.UNAVAILABLE, Outcome.NOT_RUN):
        yield from _lines(outcome.value, _folded(exports, outcome.value), width)


def simulation_lines(exports: Sequence[Export], width: int) -> Iterator[str]:
    """Which backends stand for another, and for how much of it: nobody may read them as a pass there."""
    named = sorted({export.backend for export in exports if export.is_simulated})
    yield from _lines("simulation", [f"{name} is {SIMULATIONS[name]}" for name in named], width)


def label_lines(labels: Sequence[str], width: int) -> Iterator[str]:
    """Functions that carry the marker as a mere label."""
    if labels:
        tests = counted(len(set(labels)), "test")
        text = f"{tests} with a bare marker returned nothing and validated nothing: {_names(sorted(set(labels)))}"
        yield from _lines("label", [text], width)


def crash_lines(crashed: Sequence[str], width: int) -> Iterator[str]:
    """Items whose worker ended before it could answer."""
    texts = [f"{item}: its process ended before it gave a verdict" for item in sorted(set(crashed))]
    yield from _lines("crashed", texts, width)


def _folded(exports: Sequence[Export], kind: str) -> list[str]:
    counts: Counter[str] = Counter()
    remarks: list[str] = []
    for checks, those in _alike(exports, kind):
        counts[checks] += 1
        if counts[checks] <= MOST_OF_A_CHECK:
            remarks.append(f"{checks}: {_text(those)}{_where([export for _, export in those], exports)}")
    for checks, count in counts.items():
        if count > MOST_OF_A_CHECK:
            remarks.append(f"{checks}: {count - MOST_OF_A_CHECK} more, in the JUnit report")
    return remarks


def _alike(exports: Sequence[Export], kind: str) -> Iterator[tuple[str, list[tuple[str, Export]]]]:
    """The checks by name, with the texts on them that differ in numbers alone and the exports they are about."""
    found: dict[tuple[str, str], list[tuple[str, Export]]] = {}
    for export in exports:
        checks: dict[str, list[str]] = {}
        for verdict in export.verdicts:
            for text in _texts(verdict, kind):
                checks.setdefault(text, []).append(verdict.check)
        for text, names in checks.items():
            found.setdefault((", ".join(names), NUMBER.sub("#", text)), []).append((text, export))
    for (listed, _), those in found.items():
        yield listed, those


def _text(those: Sequence[tuple[str, Export]]) -> str:
    texts = {text for text, _ in those}
    return those[0][0] if len(texts) == 1 else f"{those[0][0]}, or alike"


def _texts(verdict: Verdict, kind: str) -> tuple[str, ...]:
    if kind == "note":
        return verdict.notes
    if kind == "not looked at":
        return verdict.not_covered
    headline = verdict.headline.removeprefix(f"{kind}: ")
    return (headline,) if verdict.outcome.value == kind else ()


def _where(those: Sequence[Export], exports: Sequence[Export]) -> str:
    if len(those) == len(exports):
        return "" if len(exports) == 1 else f" (all {len(exports)} exports)"
    short = _short([export.subject for export in exports])
    several = len({export.backend for export in exports}) > 1
    names = [short[e.subject] + (f" on {e.backend}" if several else "") for e in those]
    return f" ({_names(names)})"


def _short(subjects: Sequence[str]) -> dict[str, str]:
    """Node ids by as little of their end as tells them apart: the test, else file and test, else the whole."""
    whole = dict.fromkeys(subjects)
    for cut in ("::", "/"):
        short = {subject: subject.rpartition(cut)[2] for subject in whole}
        if len(set(short.values())) == len(whole):
            return short
    return {subject: subject for subject in whole}


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    return f"{shown} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else shown


def _lines(label: str, texts: Sequence[str], width: int) -> Iterator[str]:
    for number, text in enumerate(texts):
        yield from textwrap.wrap(
            text,
            width,
            initial_indent=("" if number else label).ljust(LABEL_WIDTH),
            subsequent_indent=" " * LABEL_WIDTH,
            break_long_words=False,
            break_on_hyphens=False,
        )
