"""A file is accepted only if every selected check ended without a failure and looked at this very file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_tsexport.reports.judgement import Judgement, State, judgement
from pytest_tsexport.reports.run_record import RunRecord
from pytest_tsexport.verdict import Outcome
from tests.reports.small_runs import BERT, DIGEST, OTHER, TINY, lost, run_of, verdict

EXPORT = (BERT, "jit")


def judged(run: RunRecord) -> Judgement:
    found = judgement(run, EXPORT, DIGEST)
    assert found is not None
    return found


def test_a_file_whose_selected_checks_passed_is_accepted() -> None:
    found = judged(run_of(verdict("trace"), verdict("tied_weights", Outcome.NOT_APPLICABLE, "no tied weights")))
    assert found == Judgement(
        State.ACCEPTED, {"trace": "passed", "tied_weights": "not applicable: no tied weights"}, known=False
    )


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.TOO_SLOW, Outcome.CRASHED])
def test_a_check_that_ended_in_a_failure_rejects_the_file(outcome: Outcome) -> None:
    found = judged(run_of(verdict("trace"), verdict("shapes", outcome, "so it ended"), exit_status=1))
    assert found.state is State.REJECTED
    assert found.checks == {"trace": "passed", "shapes": f"{outcome.value}: so it ended"}


def test_a_check_whose_process_died_rejects_the_file() -> None:
    found = judged(run_of(verdict("trace"), unanswered=(lost("parity"),), exit_status=1))
    assert found.state is State.REJECTED
    assert found.checks["parity"] == "not run: its process ended before it gave a verdict"


def test_a_check_that_was_skipped_leaves_the_file_unjudged() -> None:
    found = judged(run_of(verdict("trace"), unanswered=(replace(lost("parity", "not today"), skipped=True),)))
    assert found.state is State.UNJUDGED
    assert found.checks["parity"] == "not run: not today"


def test_a_known_failure_is_named_and_rejects_nothing() -> None:
    run = run_of(verdict("shapes", Outcome.FAILED, "wrong"), expected={(BERT, "jit-shapes"): "we pad"})
    assert judged(run) == Judgement(State.ACCEPTED, {"shapes": "known to fail (we pad): wrong"}, known=True)


@pytest.mark.parametrize("outcome", [Outcome.UNAVAILABLE, Outcome.NOT_RUN])
def test_a_file_that_was_not_looked_at_stays_unjudged(outcome: Outcome) -> None:
    assert judged(run_of(verdict("trace"), verdict("parity", outcome, "no device"))).state is State.UNJUDGED


def test_a_run_that_was_cut_off_accepts_nothing_and_still_rejects() -> None:
    assert judged(run_of(verdict("trace"), complete=False)).state is State.UNJUDGED
    assert judged(run_of(verdict("trace", Outcome.FAILED), complete=False)).state is State.REJECTED


def test_a_verdict_about_another_file_of_the_test_accepts_nothing() -> None:
    found = judged(run_of(verdict("trace"), verdict("parity", sha256=OTHER)))
    assert found.state is State.UNJUDGED
    assert found.checks["parity"] == f"passed, for the file {OTHER}"


def test_a_file_that_no_verdict_is_about_is_not_judged() -> None:
    run = run_of(verdict("trace"), verdict("trace", subject=TINY, sha256=OTHER))
    assert judgement(run, EXPORT, OTHER) is None
    assert judgement(run, (TINY, "jit"), OTHER) is not None
