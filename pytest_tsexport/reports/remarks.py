"""exports -> lines: what the numbers do not tell. Notes, what was not looked at, and why a check gave no answer.

not applicable  tied_weights: no tied weights (all 20 exports)
not looked at   shapes: sequence above 40, out of time (test_export.py::test_bert)
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from pytest_tsexport.reports.exports import Export
from pytest_tsexport.reports.numbers import counted
from pytest_tsexport.verdict import Outcome, Verdict

LABEL_WIDTH = 16
MOST_OF_A_KIND = 8
"""More remarks of one kind would drown the rest; how many were left out is said."""

MOST_NAMES = 2

Remark = tuple[str, str]


def remark_lines(exports: Sequence[Export], width: int) -> Iterator[str]:
    """What is equal in several exports is said once, with how many they are."""
    yield from _lines("note", _folded(exports, "note"), width)
    yield from _lines("not looked at", _folded(exports, "not looked at"), width)
    for outcome in (Outcome.NOT_APPLICABLE, Outcome.UNAVAILABLE, Outcome.NOT_RUN):
        yield from _lines(outcome.value, _folded(exports, outcome.value), width)


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
    found: dict[tuple[tuple[str, ...], str], list[Export]] = {}
    for export in exports:
        checks: dict[str, list[str]] = {}
        for verdict in export.verdicts:
            for text in _texts(verdict, kind):
                checks.setdefault(text, []).append(verdict.check)
        for text, names in checks.items():
            found.setdefault((tuple(names), text), []).append(export)
    return [f"{', '.join(names)}: {text}{_where(those, exports)}" for (names, text), those in found.items()]


def _texts(verdict: Verdict, kind: str) -> tuple[str, ...]:
    if kind == "note":
        return verdict.notes
    if kind == "not looked at":
        return verdict.unseen
    headline = verdict.headline.removeprefix(f"{kind}: ")
    return (headline,) if verdict.outcome.value == kind else ()


def _where(those: Sequence[Export], exports: Sequence[Export]) -> str:
    if len(those) == len(exports):
        return "" if len(exports) == 1 else f" (all {len(exports)} exports)"
    tests = {export.subject.rpartition("::")[2] for export in exports}
    distinct = len(tests) == len({export.subject for export in exports})
    several = len({export.backend for export in exports}) > 1
    names = [e.subject.rpartition("::")[2] if distinct else e.subject for e in those]
    return f" ({_names([f'{n} on {e.backend}' if several else n for n, e in zip(names, those, strict=True)])})"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    return f"{shown} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else shown


def _lines(label: str, texts: Sequence[str], width: int) -> Iterator[str]:
    left_out = len(texts) - MOST_OF_A_KIND
    shown = list(texts) if left_out <= 1 else [*texts[:MOST_OF_A_KIND], f"and {left_out} more, in the JUnit report"]
    for number, text in enumerate(shown):
        yield from textwrap.wrap(
            text,
            width,
            initial_indent=("" if number else label).ljust(LABEL_WIDTH),
            subsequent_indent=" " * LABEL_WIDTH,
            break_long_words=False,
            break_on_hyphens=False,
        )
