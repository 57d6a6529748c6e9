"""case -> result: calls eager and the artifact several times with the inputs of a case, and compares the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from math import prod

from pytest_tsexport.cases.calls import calls_between, equal_calls
from pytest_tsexport.cases.case import Case, at, tensors
from pytest_tsexport.cases.findings import CaseResult, Difference, Status
from pytest_tsexport.cases.listed import traced_cases
from pytest_tsexport.cases.stand_ins import OUTSIDE, is_added, is_silent, stand_ins
from pytest_tsexport.comparison.call_faults import elsewhere, overwrites, reuses
from pytest_tsexport.comparison.difference import difference, distance
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.non_finite import is_undefined
from pytest_tsexport.comparison.rounding import emulated_answer
from pytest_tsexport.comparison.settle import Settled, Settling
from pytest_tsexport.subjects.domains.base import ODD_MASKS, VARIANTS
from pytest_tsexport.subjects.operator_limit import OperatorLimit
from pytest_tsexport.subjects.reference import Answer, Inputs, same_bits
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import Leaves

BAD_EXAMPLES = {
    "stale": (
        "neither the file nor eager gives the outputs that are stored with an example",
        "store new outputs with it, or give the model that the stored ones came from",
    ),
    "refused": ("eager refuses an example", "give examples= that the model takes"),
}
"""Headline and fix if the user's example is wrong and not the file, by the kind of the difference."""

TRACED_SIZE_SEED = 3
"""Seed of a case at the traced size. If that case is wrong, a check of other sizes would say nothing new."""

OTHER_VALUES = 40
"""Cases at the traced size that are looked at before a size is blamed."""

Given = tuple[Case, Inputs]
"""A case and its inputs."""

LONG = 16
"""A case of more than this many times the traced volume is called only once."""


def compare_case(evidence: Evidence, case: Case) -> CaseResult:
    """Compare the answers of eager and the artifact to a case. The first call that is not equal decides.

    If eager has no answer to drawn values, the example's own values are compared instead. `breach` stays False: the
    check sets it, by its contract.
    """
    found = _result(evidence, case)
    evidence.tie_break_time.refuted |= found.status == "wrong" and case.mask not in ODD_MASKS
    return found


def _result(evidence: Evidence, case: Case) -> CaseResult:
    given, eager = _asked(evidence, case)
    silent = is_silent(eager[0]) or (case.values in OUTSIDE and not evidence.is_exact)
    found = left_out(case, eager[0]) if silent and is_added(case) else _compared(evidence, given, eager)
    if is_undefined(evidence, case, found):
        silent, found = True, left_out(case, eager[0])
    if not silent or found.status in ("wrong", "raises"):
        return found
    for other in stand_ins(case, evidence.subject):
        given, eager = _asked(evidence, other)
        if not is_silent(eager[0]):
            return replace(_compared(evidence, given, eager), instead_of=case)
    return found


def left_out(case: Case, eager: Answer) -> CaseResult:
    """The result of a case with added values to which eager has no answer, or none that is defined."""
    return CaseResult(case=case, status="left out", breach=False, text=eager.raised or "its answer says nothing")


def _asked(evidence: Evidence, case: Case) -> tuple[list[Given], list[Answer]]:
    """What is given, one call after the other, and what eager answers.

    If eager has no answer to the values in between, the calls are equal: nothing says what such a call leaves behind.
    """
    given: list[Given] = [(case, tensors(case, evidence.subject))]
    between = () if is_long(case, evidence.subject) else calls_between(case)
    if between:
        made = {**{one: tensors(one, evidence.subject) for one in {*between} - {case}}, **dict(given)}
        eager = evidence.reference.sequence([made[one] for one in between])
        if not any(is_silent(answer) for answer in eager):
            return [(one, made[one]) for one in between], eager
    given *= 1 if is_long(case, evidence.subject) else len(equal_calls(case))
    # Silence, NaN and infinite values may keep a loop on values running for ever.
    with OperatorLimit() if case.values in VARIANTS and case.example is None else nullcontext():
        return given, evidence.reference.sequence([inputs for _, inputs in given])


def _compared(evidence: Evidence, given: Sequence[Given], eager: Sequence[Answer]) -> CaseResult:
    case, _ = given[0]
    artifact = evidence.runner.sequence([inputs for _, inputs in given])
    if case.example is not None:
        failed = _example(evidence, case, eager[0], artifact[0])
        if failed is not None:
            return failed
    settling = Settling(
        evidence,
        lambda reference, converted, calls: reference.sequence(_converted(given[:calls], converted)),
        lambda call: emulated_answer(evidence, given[call][1]),
    )
    first = _call(settling, case, 0, eager[0], artifact[0])
    if first.status != "equal":
        return first
    for number in range(1, len(given)):
        later = _call(settling, case, number, eager[number], artifact[number])
        if later.status != "equal":
            asked = [one for one, _ in given]
            alone = None if asked[number] == case else _result(evidence, asked[number])
            if alone is not None and alone.status != "equal":  # wrong for those values, whatever was called before
                return alone
            return replace(later, text=f"on call {number + 1} {_before(asked, number)}: {later.text}")
    found = reuses(eager, artifact)
    return first if found is None else _wrong(case, found)


def _converted(given: Sequence[Given], converted: Callable[[Inputs], Inputs]) -> list[Inputs]:
    """The inputs converted, each once: a reference knows equal calls by the identity of their inputs."""
    made = {id(inputs): converted(inputs) for inputs in {id(inputs): inputs for _, inputs in given}.values()}
    return [made[id(inputs)] for _, inputs in given]


def _before(cases: Sequence[Case], number: int) -> str:
    """What the calls before that number were given, in words."""
    same = all(one == cases[number] for one in cases[:number])
    return "with the same inputs" if same else "after a call with other values"


def bad_example(found: CaseResult) -> tuple[str, str] | None:
    """Headline and fix if the example is wrong, and not the file; else None."""
    return None if found.difference is None else BAD_EXAMPLES.get(found.difference.kind)


def wrong_at_traced_size(evidence: Evidence, like: Case | None = None) -> CaseResult | None:
    """The result of a case at the traced size if it is wrong or raises; None if it is right.

    With `like`, the case has the values and the mask of that case: a mask that the trace has frozen is wrong at the
    traced size too, and is not a fault of the size.
    """
    case = at(evidence.subject, {}, seed=TRACED_SIZE_SEED)
    one = compare_case(evidence, case if like is None else replace(like, sizes=case.sizes, example=None))
    return one if one.status in ("wrong", "raises") else None


def wrong_for_other_values(evidence: Evidence) -> CaseResult | None:
    """The first of some cases at the traced size that is wrong or raises; None if all of them are right.

    A branch on values is wrong at every size, for the values that take the other way.
    """
    cases = islice(traced_cases(evidence.subject), OTHER_VALUES)
    results = (compare_case(evidence, case) for case in cases)
    return next((one for one in results if one.status in ("wrong", "raises")), None)


def is_long(case: Case, subject: Subject) -> bool:
    """Whether a case is so much larger than the traced one that it is called only once."""
    return case.volume > LONG * prod(max(size, 1) for size in subject.sizes.values())


def _call(settling: Settling, case: Case, number: int, eager: Answer, artifact: Answer) -> CaseResult:
    evidence = settling.evidence
    if eager.leaves is None:
        status: Status = "both raise" if artifact.leaves is None else "eager raises"
        return CaseResult(case=case, status=status, breach=False, text=eager.raised or "")
    if artifact.leaves is None:
        return _raises(evidence, case, artifact)
    settled = settling.settle(number, eager.leaves, artifact.leaves)
    if settled.unsettled:
        text = "it may be a tie-break, and the time to find out is spent"
        return CaseResult(case=case, status="unsettled", breach=False, text=text)
    found = settled.difference or overwrites(eager, artifact) or elsewhere(eager, artifact)
    if found is not None:
        return _wrong(case, found)
    return _equal(case, settled)


def _equal(case: Case, settled: Settled) -> CaseResult:
    eager, actual, tolerance = settled.compared.eager, settled.compared.actual, settled.compared.tolerance
    hidden = {name: tolerance.of(name).hides(leaf) for name, leaf in eager.items() if not same_bits(leaf, actual[name])}
    if settled.tie_break:
        return CaseResult(case=case, status="equal", breach=False, tie_break=True, hidden=hidden)
    nearest = distance(eager, actual, tolerance)
    return CaseResult(case=case, status="equal", breach=False, nearest=nearest, hidden=hidden)


def _example(evidence: Evidence, case: Case, eager: Answer, artifact: Answer) -> CaseResult | None:
    """The result if a real input fails: eager must not raise, and the artifact must give the outputs stored with it."""
    assert case.example is not None
    if eager.leaves is None:
        text = f"eager raises on it: {eager.raised}"
        return _wrong(case, Difference(kind="refused", leaf="", text=text, value=float("inf"), allowed=0.0))
    expected = evidence.subject.examples[case.example].expected
    if not expected or artifact.leaves is None:
        return None
    found = _off_stored(evidence, expected, artifact.leaves)
    if found is None:
        return None
    stale = _off_stored(evidence, expected, eager.leaves) is not None
    text = f"from the outputs stored with it: {found.text}" + ("; eager differs from them too" if stale else "")
    return _wrong(case, replace(found, kind="stale" if stale else found.kind, text=text))


def _wrong(case: Case, found: Difference) -> CaseResult:
    return CaseResult(case=case, status="wrong", breach=False, difference=found, text=found.text)


def _off_stored(evidence: Evidence, expected: Leaves, answered: Leaves) -> Difference | None:
    there = {name: answered[name] for name in expected if name in answered}
    found = difference(expected, there, evidence.tolerance.sharing())
    return None if found is None else replace(found, text=found.text.replace("eager's", "the stored one"))


def _raises(evidence: Evidence, case: Case, artifact: Answer) -> CaseResult:
    """The result if only the artifact raises. On a device, an exception class that no caller expects is wrong.

    The message does not matter: no caller relies on it.
    """
    if evidence.device is None or isinstance(artifact.error, evidence.artifact.format.refusals):
        return CaseResult(case=case, status="raises", breach=False, text=artifact.raised or "")
    text = f"raises {artifact.raised}, where callers expect a RuntimeError or a ValueError"
    return _wrong(case, Difference(kind="raise", leaf="", text=text, value=float("inf"), allowed=0.0))
