"""Each check of each export is one test: passed, warned or failed, and never absent."""

from __future__ import annotations

import pytest

from pytest_tsexport.config.names import CHECKS, OPT_IN
from pytest_tsexport.reports.check_tests import FAILED, NOT_SELECTED, PASSED, WARNED, CheckTest, checks_as_tests
from pytest_tsexport.verdict import Outcome
from tests.reports.small_runs import BERT, TINY, lost, run_of, verdict


def only(tests: tuple[CheckTest, ...], check: str) -> CheckTest:
    found = [test for test in tests if test.check == check]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("outcome", "result", "reason"),
    [
        (Outcome.PASSED, PASSED, ""),
        (Outcome.FAILED, FAILED, "failed: so it ended"),
        (Outcome.TOO_SLOW, FAILED, "too slow: so it ended"),
        (Outcome.CRASHED, FAILED, "crashed: so it ended"),
        (Outcome.NOT_APPLICABLE, WARNED, "not applicable: so it ended"),
        (Outcome.NOT_RUN, WARNED, "not run: so it ended"),
        (Outcome.UNAVAILABLE, WARNED, "unavailable: so it ended"),
    ],
)
def test_only_a_check_that_looked_passes(outcome: Outcome, result: str, reason: str) -> None:
    test = only(checks_as_tests(run_of(verdict("parity", outcome, "so it ended"))), "parity")
    assert (test.result, test.reason) == (result, reason)


def test_a_headline_that_begins_with_its_outcome_is_told_once() -> None:
    crashed = verdict("parity", Outcome.CRASHED, "crashed: SystemExit: 3; not judged")
    assert only(checks_as_tests(run_of(crashed)), "parity").reason == "crashed: SystemExit: 3; not judged"


def test_what_was_not_run_is_warned_and_an_opt_in_check_only_if_it_was_asked() -> None:
    tests = checks_as_tests(run_of(verdict("trace")))
    assert [test.check for test in tests] == [check for check in CHECKS if check not in OPT_IN]
    assert {test.reason for test in tests[1:]} == {NOT_SELECTED}
    assert {test.result for test in tests[1:]} == {WARNED}
    assert not any(test.selected for test in tests[1:])
    assert only(checks_as_tests(run_of(verdict("interface"))), "interface").result == PASSED


def test_a_known_failure_is_warned_with_its_reason() -> None:
    run = run_of(verdict("shapes", Outcome.FAILED, "wrong"), expected={(BERT, "jit-shapes"): "we pad"})
    test = only(checks_as_tests(run), "shapes")
    assert (test.result, test.reason) == (WARNED, "known to fail (we pad): wrong")


def test_an_item_without_a_verdict_is_warned_with_its_reason() -> None:
    test = only(checks_as_tests(run_of(verdict("trace"), unanswered=(lost("parity"),))), "parity")
    assert (test.result, test.reason) == (WARNED, "not run: its process ended before it gave a verdict")
    assert test.selected


@pytest.mark.parametrize("turn", [1, -1])
def test_the_worse_of_two_answers_to_one_question_counts(turn: int) -> None:
    both = (verdict("parity"), verdict("parity", Outcome.FAILED))[::turn]
    assert only(checks_as_tests(run_of(*both)), "parity").result == FAILED


def test_the_name_is_the_node_id() -> None:
    tests = checks_as_tests(run_of(verdict("parity"), verdict("parity", subject=TINY)))
    assert [test.name for test in tests if test.check == "parity"] == [
        "test_export.py::test_bert[jit-parity]",
        "test_export.py::test_gpt[tiny-jit-parity]",
    ]
