"""run, file -> judgement: whether the file that a run exported may be shipped, and what the run says of each check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pytest_tsexport.reports.check_tests import FAILED, PASSED, CheckTest
from pytest_tsexport.reports.grouping import ENDED
from pytest_tsexport.reports.run_record import RunRecord
from pytest_tsexport.verdict import Outcome

NOT_LOOKED_AT = (Outcome.NOT_RUN, Outcome.UNAVAILABLE)


class State(str, Enum):
    """What becomes of a file."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The state of a file, and for each check `passed`, or how it ended and why. `known`: some are known to fail.

    `why` says what rejects the file, if no check of it does.
    """

    state: State
    checks: Mapping[str, str]
    known: bool = False
    why: str = ""


def judgement(run: RunRecord, tests: Iterable[CheckTest], export: tuple[str, str], sha256: str) -> Judgement | None:
    """What the run says of the file of that digest, of a subject on a backend; None if it says nothing of it.

    `tests` are those of the run. A file is accepted only if the run was not cut off, every selected check ended and
    looked at it, and no item about it failed.
    """
    tests = [one for one in tests if (one.subject, one.backend) == export and one.selected]
    if not any(test.sha256 == sha256 for test in tests):
        return _of_crash(tests)
    why = _failed_item(run, export, tests)
    lost = {one.check for one in run.unanswered if (one.subject, one.backend) == export and not one.skipped}
    if why or any(test.result == FAILED or test.check in lost for test in tests):
        state = State.REJECTED
    elif not run.complete or any(_is_not_looked_at(test) or _is_of_another(test, sha256) for test in tests):
        state = State.UNJUDGED
    else:
        state = State.ACCEPTED
    known = any(test.outcome is Outcome.FAILED and test.result != FAILED for test in tests)
    return Judgement(state, {test.check: _how_it_ended(test, sha256) for test in tests}, known, why)


def _of_crash(tests: Sequence[CheckTest]) -> Judgement | None:
    """The judgement of a file that nothing could be said of, because what made it, or judged it, ended in a crash."""
    crashed = next((test for test in tests if test.outcome in ENDED), None)
    if crashed is None or any(test.sha256 is not None for test in tests):
        return None
    return Judgement(State.REJECTED, {test.check: test.reason for test in tests}, why=crashed.reason)


def _failed_item(run: RunRecord, export: tuple[str, str], tests: Sequence[CheckTest]) -> str:
    """Why an item about the file failed, if none of its checks explains that: they failed, or did not look.

    A hand-written test may have asked any of the checks.
    """
    explained = {test.name: test.result == FAILED or _is_not_looked_at(test) for test in tests}
    failed = (one for one in run.failed if (one.subject, one.backend) == export)
    spoiled = (one for one in failed if not explained.get(one.item, any(explained.values())))
    return next((f"{one.item} failed: {one.why}" for one in spoiled), "")


def _is_not_looked_at(test: CheckTest) -> bool:
    """Whether the check was skipped, or did not reach the file."""
    return test.outcome is None or test.outcome in NOT_LOOKED_AT


def _is_of_another(test: CheckTest, sha256: str) -> bool:
    """Whether the model was exported again in this run, and the check judged the other file."""
    return test.sha256 is not None and test.sha256 != sha256


def _how_it_ended(test: CheckTest, sha256: str) -> str:
    ended = test.reason or PASSED
    return f"{ended}, for the file {test.sha256}" if _is_of_another(test, sha256) else ended
