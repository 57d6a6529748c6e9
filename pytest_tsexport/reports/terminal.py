"""The text of a failure.

jit-shapes: silently wrong outside the traced size
  traced at        input_ids, attention_mask (batch=2, sequence=7)
  counterexample   (batch=3, sequence=2)            smallest of 6 in 41 of 120 cases, seed 3141
  fix              trace at the largest size and pad
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_tsexport.config.names import SIMULATIONS
from pytest_tsexport.reports.summary import summary_lines
from pytest_tsexport.verdict import Row, Verdict

__all__ = ["failure_text", "summary_lines"]

NAME_WIDTH = 17
MOST_LINES = 10


def failure_text(verdict: Verdict) -> str:
    """What happened and what to do, in ten lines at most: the headline, then the labelled rows.

    If there are more, rows in the middle are left out: the case comes first, and how to rerun it comes last.
    """
    return "\n".join([_flat(f"{_named(verdict)}: {verdict.headline}"), *_row_lines(verdict.rows)])


def _named(verdict: Verdict) -> str:
    return f"{verdict.name} (a simulation)" if verdict.backend in SIMULATIONS else verdict.name


def _row_lines(rows: Sequence[Row]) -> Iterator[str]:
    most = MOST_LINES - 1
    if len(rows) <= most:
        yield from map(_row_line, rows)
        return
    left_out = len(rows) - (most - 1)
    yield from map(_row_line, rows[: most - 3])
    yield f"  ({left_out} more lines are in the --junit-xml report)"
    yield from map(_row_line, rows[-2:])


def _row_line(row: Row) -> str:
    name, text = row
    return f"  {_flat(name):<{NAME_WIDTH - 1}} {_flat(text)}".rstrip()


def _flat(text: str) -> str:
    """One line: an exception's message may have more."""
    return " ".join(line.strip() for line in text.splitlines() if line.strip())
