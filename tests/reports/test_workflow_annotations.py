"""GitHub shows an error on the line of each marked test whose export is wrong or was not judged."""

from __future__ import annotations

from dataclasses import replace

from pytest_tsexport.reports.grouping import Unanswered
from pytest_tsexport.reports.run_record import RunRecord, SourceLine
from pytest_tsexport.reports.workflow_annotations import MOST, annotation_lines
from pytest_tsexport.verdict import Outcome
from tests.reports.test_json_report import FAILED, LOST, TRACED

PLACES = {FAILED.subject: SourceLine("tests/test_export.py", 12)}
WRONG = RunRecord(verdicts=(FAILED, TRACED), places=PLACES)


def test_an_export_that_is_wrong_is_an_error_on_the_line_of_its_test() -> None:
    assert list(annotation_lines(WRONG)) == [
        "::error file=tests/test_export.py,line=12,title=test_bert (jit)%3A wrong::"
        "shapes: silently wrong outside the traced size"
    ]


def test_a_right_one_a_known_failure_and_a_skipped_test_have_none() -> None:
    assert list(annotation_lines(RunRecord(verdicts=(TRACED,)))) == []
    known = replace(WRONG, expected={(FAILED.subject, "jit-shapes"): ""})
    assert list(annotation_lines(known)) == []
    assert list(annotation_lines(RunRecord(verdicts=(), unanswered=(replace(LOST, skipped=True),)))) == []
    unavailable = replace(TRACED, outcome=Outcome.UNAVAILABLE, headline="no compiler")
    assert list(annotation_lines(RunRecord(verdicts=(unavailable,)))) == []


def test_a_test_without_a_verdict_has_one() -> None:
    assert list(annotation_lines(RunRecord(verdicts=(), unanswered=(LOST,)))) == [
        "::error title=test_x (jit)%3A not judged::no verdict: died"
    ]


def test_no_text_ends_the_command_or_begins_another() -> None:
    subject = "test_export.py::test_x[a::b, 100%\n::warning::x]"
    hostile = replace(FAILED, subject=subject, headline="100% wrong\n::stop-commands::x\r")
    (line,) = annotation_lines(RunRecord(verdicts=(hostile,)))
    assert line == (
        "::error title=test_x[a%3A%3Ab%2C 100%25%0A%3A%3Awarning%3A%3Ax] "
        "(jit)%3A wrong::shapes: 100%25 wrong%0A::stop-commands::x%0D"
    )


def test_no_more_than_github_shows_of_one_step_and_wrong_ones_first() -> None:
    wrong = tuple(replace(FAILED, subject=f"test_export.py::test_{number}") for number in range(9))
    lost: tuple[Unanswered, ...] = tuple(replace(LOST, subject=f"test_export.py::test_a{n}") for n in range(30))
    lines = list(annotation_lines(RunRecord(verdicts=wrong, unanswered=lost)))
    assert len(lines) == MOST
    assert all("wrong" in line for line in lines[:9])
    assert lines[-1] == "::error title=TorchScript export::30 more exports are not right"
    assert len(list(annotation_lines(RunRecord(verdicts=(), unanswered=lost[:MOST])))) == MOST
