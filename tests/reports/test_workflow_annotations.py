"""GitHub shows an error on the line of each marked test whose export is wrong or was not judged."""

from __future__ import annotations

from dataclasses import replace

from pytest_tsexport.reports.grouping import Unanswered
from pytest_tsexport.reports.run_record import FailedItem, RunRecord, SourceLine
from pytest_tsexport.reports.workflow_annotations import MOST, annotation_lines
from pytest_tsexport.verdict import Outcome, Verdict
from tests.reports.test_json_report import FAILED, LOST, TRACED

PLACES = {FAILED.subject: SourceLine("tests/test_export.py", 12)}


def failed(*answers: Verdict | Unanswered, why: str = "it failed") -> tuple[FailedItem, ...]:
    """The items of these answers, each failed."""
    return tuple(
        FailedItem(f"{one.subject}[{one.backend}-{one.check}]", one.subject, one.backend, why) for one in answers
    )


WRONG = RunRecord(verdicts=(FAILED, TRACED), places=PLACES, failed=failed(FAILED))


def test_an_export_that_is_wrong_is_an_error_on_the_line_of_its_test() -> None:
    assert list(annotation_lines(WRONG)) == [
        "::error file=tests/test_export.py,line=12,title=test_bert (jit)%3A wrong::"
        "shapes: silently wrong outside the traced size"
    ]


def test_a_right_one_a_known_failure_and_a_skipped_test_have_none() -> None:
    assert list(annotation_lines(RunRecord(verdicts=(TRACED,)))) == []
    known = replace(WRONG, expected={(FAILED.subject, "jit-shapes"): ""}, failed=())
    assert list(annotation_lines(known)) == []
    assert list(annotation_lines(RunRecord(verdicts=(), unanswered=(replace(LOST, skipped=True),)))) == []
    unavailable = replace(TRACED, outcome=Outcome.UNAVAILABLE, headline="no compiler")
    assert list(annotation_lines(RunRecord(verdicts=(unavailable,)))) == []


def test_an_unavailable_backend_that_fails_the_run_has_one() -> None:
    unavailable = replace(TRACED, outcome=Outcome.UNAVAILABLE, headline="no compiler")
    assert list(annotation_lines(RunRecord(verdicts=(unavailable,), failed=failed(unavailable)))) == [
        "::error title=test_bert (jit)%3A not judged::unavailable: no compiler"
    ]


def test_a_known_failure_of_an_export_that_is_not_made_has_none() -> None:
    not_run = replace(FAILED, outcome=Outcome.NOT_RUN, headline="the model does not export")
    verdicts = (replace(TRACED, outcome=Outcome.FAILED), not_run)
    known = RunRecord(verdicts=verdicts, expected={(FAILED.subject, "jit-trace"): ""}, unanswered=(LOST,))
    assert list(annotation_lines(known)) == []


def test_a_right_export_whose_test_failed_has_one_and_so_has_a_crash_that_a_test_let_pass() -> None:
    spoiled = RunRecord(verdicts=(TRACED,), failed=failed(TRACED, why="OSError: disk"))
    assert list(annotation_lines(spoiled)) == ["::error title=test_bert (jit)%3A failed::OSError: disk"]
    crashed = RunRecord(verdicts=(replace(TRACED, outcome=Outcome.CRASHED, headline="crashed: exit"),))
    assert list(annotation_lines(crashed)) == ["::error title=test_bert (jit)%3A not judged::trace: crashed: exit"]


def test_a_test_without_a_verdict_has_one() -> None:
    assert list(annotation_lines(RunRecord(verdicts=(), unanswered=(LOST,), failed=failed(LOST)))) == [
        "::error title=test_x (jit)%3A not judged::no verdict: died"
    ]


def test_no_text_ends_the_command_or_begins_another() -> None:
    subject = "test_export.py::test_x[a::b, 100%\n::warning::x]"
    hostile = replace(FAILED, subject=subject, headline="100% wrong\n::stop-commands::x\r")
    (line,) = annotation_lines(RunRecord(verdicts=(hostile,), failed=failed(hostile)))
    assert line == (
        "::error title=test_x[a%3A%3Ab%2C 100%25%0A%3A%3Awarning%3A%3Ax] "
        "(jit)%3A wrong::shapes: 100%25 wrong%0A::stop-commands::x%0D"
    )


def test_no_more_than_github_shows_of_one_step_and_wrong_ones_first() -> None:
    wrong = tuple(replace(FAILED, subject=f"test_export.py::test_{number}") for number in range(9))
    lost: tuple[Unanswered, ...] = tuple(replace(LOST, subject=f"test_export.py::test_a{n}") for n in range(30))
    lines = list(annotation_lines(RunRecord(verdicts=wrong, unanswered=lost, failed=failed(*wrong, *lost))))
    assert len(lines) == MOST
    assert all("wrong" in line for line in lines[:9])
    assert lines[-1] == "::error title=TorchScript export::30 more exports are not right"
    assert (
        len(list(annotation_lines(RunRecord(verdicts=(), unanswered=lost[:MOST], failed=failed(*lost[:MOST]))))) == MOST
    )
