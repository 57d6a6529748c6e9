"""A file is accepted only if every selected check ended without a failure and looked at this very file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_tsexport.reports.check_tests import checks_as_tests
from pytest_tsexport.reports.judgement import Judgement, State, judgement
from pytest_tsexport.reports.run_record import FailedItem, RunRecord
from pytest_tsexport.verdict import Outcome
from tests.reports.small_runs import BERT, DIGEST, OTHER, TINY, lost, run_of, verdict

EXPORT = (BERT, "jit")


def judged(run: RunRecord) -> Judgement:
    found = judgement(run, checks_as_tests(run), EXPORT, DIGEST)
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
    assert judgement(run, checks_as_tests(run), EXPORT, OTHER) is None
    assert judgement(run, checks_as_tests(run), (TINY, "jit"), OTHER) is not None


def test_a_crash_that_names_no_file_rejects_the_file_of_the_export() -> None:
    crash = "ended by signal 11 while it ran parity"
    found = judged(run_of(*(verdict(name, Outcome.CRASHED, crash, sha256=None) for name in ("trace", "parity"))))
    assert (found.state, found.why) == (State.REJECTED, f"crashed: {crash}")
    unavailable = run_of(verdict("trace", Outcome.UNAVAILABLE, sha256=None))
    assert judgement(unavailable, checks_as_tests(unavailable), EXPORT, DIGEST) is None


def test_an_item_that_failed_without_a_wrong_verdict_rejects_the_file() -> None:
    item = FailedItem(f"{BERT}[jit-trace]", BERT, "jit", "OSError: teardown")
    found = judged(run_of(verdict("trace"), failed=(item,), exit_status=1))
    assert (found.state, found.why) == (State.REJECTED, f"{BERT}[jit-trace] failed: OSError: teardown")
    assert judged(run_of(verdict("trace"), failed=(item._replace(backend="neuron"),))).state is State.ACCEPTED


def test_an_item_that_failed_because_it_could_not_look_leaves_the_file_unjudged() -> None:
    for name in (f"{BERT}[jit-parity]", BERT):  # that of a check, and a hand-written test
        item = FailedItem(name, BERT, "jit", "no device")
        found = judged(run_of(verdict("trace"), verdict("parity", Outcome.UNAVAILABLE, "no device"), failed=(item,)))
        assert (found.state, found.why) == (State.UNJUDGED, "")
    spoiled = FailedItem(f"{BERT}[jit-trace]", BERT, "jit", "OSError")
    found = judged(run_of(verdict("trace"), verdict("parity", Outcome.UNAVAILABLE, "no device"), failed=(spoiled,)))
    assert found.state is State.REJECTED
