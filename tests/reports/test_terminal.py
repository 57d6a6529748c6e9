"""A failure reads as the documentation says, in ten lines at most."""

from __future__ import annotations

from dataclasses import replace

from pytest_tsexport.reports.terminal import failure_text
from pytest_tsexport.verdict import Outcome, Verdict

LONGFORMER = Verdict(
    subject="test_export.py::test_longformer",
    backend="jit",
    check="shapes",
    outcome=Outcome.FAILED,
    headline="silently wrong outside the traced size",
    rows=(
        ("traced at", "input_ids, attention_mask (batch=2, sequence=7)"),
        ("counterexample", "(batch=3, sequence=2)            smallest of 6 in 41 of 120 cases, seed 3141"),
        ("last_hidden_state", "(3, 2, 32): off by 3.1e-04 at [2, 1, 9], allowed 9.9e-05; worst met 2.6e-01 at (2, 9)"),
        ("right for", "batch 2 with sequence 1-8        raises for batch 1; wrong from batch 3, and from sequence 9"),
        ("fix", "trace at the largest size and pad"),
        ("rerun", 'pytest "test_export.py::test_longformer[jit-shapes]" --ts-seed=3141'),
    ),
)


def test_a_failure_is_a_headline_and_labelled_rows_in_one_column() -> None:
    assert (
        failure_text(LONGFORMER)
        == """\
jit-shapes: silently wrong outside the traced size
  traced at        input_ids, attention_mask (batch=2, sequence=7)
  counterexample   (batch=3, sequence=2)            smallest of 6 in 41 of 120 cases, seed 3141
  last_hidden_state (3, 2, 32): off by 3.1e-04 at [2, 1, 9], allowed 9.9e-05; worst met 2.6e-01 at (2, 9)
  right for        batch 2 with sequence 1-8        raises for batch 1; wrong from batch 3, and from sequence 9
  fix              trace at the largest size and pad
  rerun            pytest "test_export.py::test_longformer[jit-shapes]" --ts-seed=3141"""
    )


def test_excess_rows_are_left_out_of_the_middle() -> None:
    rows = tuple((f"row {number}", f"text {number}") for number in range(1, 13))
    assert (
        failure_text(replace(LONGFORMER, rows=rows))
        == """\
jit-shapes: silently wrong outside the traced size
  row 1            text 1
  row 2            text 2
  row 3            text 3
  row 4            text 4
  row 5            text 5
  row 6            text 6
  (4 more lines are in the --junit-xml report)
  row 11           text 11
  row 12           text 12"""
    )


def test_nine_rows_fit() -> None:
    rows = tuple((f"row {number}", "text") for number in range(1, 10))
    assert len(failure_text(replace(LONGFORMER, rows=rows)).splitlines()) == 10


def test_a_text_of_several_lines_becomes_one() -> None:
    verdict = replace(LONGFORMER, headline="cannot be traced", rows=(("torch says", "one\n\n   two\n"),))
    assert failure_text(verdict) == "jit-shapes: cannot be traced\n  torch says       one two"


def test_a_failure_without_rows_is_one_line() -> None:
    assert failure_text(replace(LONGFORMER, rows=())) == "jit-shapes: silently wrong outside the traced size"
