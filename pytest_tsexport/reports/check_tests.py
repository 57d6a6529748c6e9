"""run -> tests: how each check of each export ended, as passed, warned or failed; one that was not run is warned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_tsexport.config.names import CHECKS, OPT_IN
from pytest_tsexport.reports.run_record import RunRecord
from pytest_tsexport.verdict import Outcome, Verdict

PASSED, WARNED, FAILED = "passed", "warned", "failed"
WORST = (PASSED, WARNED, FAILED)
"""From the best to the worst: if a question was answered twice, the worse answer counts."""

RESULTS: Mapping[Outcome, str] = {
    Outcome.PASSED: PASSED,
    Outcome.FAILED: FAILED,
    Outcome.TOO_SLOW: FAILED,
    Outcome.CRASHED: FAILED,
    Outcome.NOT_APPLICABLE: WARNED,
    Outcome.NOT_RUN: WARNED,
    Outcome.UNAVAILABLE: WARNED,
}

NOT_SELECTED = "not run: it was not selected, or the run ended before it"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTest:
    """One check of one export as a test.

    `outcome` is that of its verdict, None if it has none; `selected`: the run had an item for it. `reason` says why it
    did not pass, and `sha256` is of the file that it judged.
    """

    subject: str
    backend: str
    check: str
    result: str
    outcome: Outcome | None = None
    selected: bool = True
    reason: str = ""
    sha256: str | None = None
    signature: str | None = None
    contract: Mapping[str, Any] | None = None
    seed: int | None = None

    @property
    def export(self) -> str:
        """`test_x.py::test_bert[tiny-jit]`."""
        return _with_parameter(self.subject, self.backend)

    @property
    def name(self) -> str:
        """`test_x.py::test_bert[tiny-jit-parity]`: the node id of its item, if it has one."""
        return _with_parameter(self.subject, f"{self.backend}-{self.check}")


def checks_as_tests(run: RunRecord) -> tuple[CheckTest, ...]:
    """A test for each check of each export, sorted; an opt-in check only if it was asked."""
    found: dict[tuple[str, str, str], CheckTest] = {}
    for test in _answered(run):
        key = (test.subject, test.backend, test.check)
        if key not in found or WORST.index(found[key].result) < WORST.index(test.result):
            found[key] = test
    for subject, backend in {(subject, backend) for subject, backend, _ in found}:
        for check in CHECKS:
            if check not in OPT_IN and (subject, backend, check) not in found:
                found[subject, backend, check] = _not_selected(subject, backend, check)
    order = list(CHECKS)
    return tuple(sorted(found.values(), key=lambda one: (one.subject, one.backend, order.index(one.check))))


def _not_selected(subject: str, backend: str, check: str) -> CheckTest:
    return CheckTest(subject=subject, backend=backend, check=check, result=WARNED, selected=False, reason=NOT_SELECTED)


def _answered(run: RunRecord) -> Iterator[CheckTest]:
    for verdict in run.verdicts:
        yield _test_of(verdict, known=run.expected.get((verdict.subject, verdict.name)))
    for one in run.unanswered:
        yield CheckTest(
            subject=one.subject, backend=one.backend, check=one.check, result=WARNED, reason=f"not run: {one.why}"
        )


def _test_of(verdict: Verdict, *, known: str | None) -> CheckTest:
    result, reason = RESULTS[verdict.outcome], _reason(verdict.outcome.value, verdict.headline)
    if verdict.outcome is Outcome.FAILED and known is not None:
        result, reason = WARNED, f"known to fail ({known}): {verdict.headline}"
    return CheckTest(
        subject=verdict.subject,
        backend=verdict.backend,
        check=verdict.check,
        result=result,
        outcome=verdict.outcome,
        reason="" if result == PASSED else reason,
        sha256=verdict.sha256,
        signature=verdict.signature,
        contract=verdict.contract,
        seed=verdict.seed,
    )


def _reason(outcome: str, headline: str) -> str:
    """`too slow: 3 of 8 cases`; some headlines begin with their outcome."""
    return headline if headline.startswith(outcome) else f"{outcome}: {headline}"


def _with_parameter(subject: str, parameter: str) -> str:
    """The node id of a test with one more parameter, the last one."""
    return f"{subject[:-1]}-{parameter}]" if subject.endswith("]") else f"{subject}[{parameter}]"
