"""evidence -> verdict: can shorter inputs be padded up to the traced size?

Wherever parity and shapes hold, the export answers padded inputs as eager does: the question is about the model. So it
fails only if eager is padding-invariant and the export is not. (See docs/explanation/measurements.md#padding.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from pytest_tsexport.cases.findings import Difference
from pytest_tsexport.cases.padded_cases import Short, Way, describe_ways, padded, real, shorter, ways
from pytest_tsexport.checks.base import already_wrong, too_slow, traced_at, vacuous, verdict
from pytest_tsexport.comparison.compare_case import wrong_at_traced_size
from pytest_tsexport.comparison.cost import cost
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.rounding import Emulate, allow_rounding, emulated_answer
from pytest_tsexport.comparison.settle import Settling
from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.subjects.reference import Answer, Inputs, Reference
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.verdict import Outcome, Row, Verdict


@dataclass(frozen=True, slots=True, eq=False)
class PaddedCase:
    """One padded case: whether eager is padding-invariant in it and, if it is, how the export is wrong."""

    way: Way
    short: Short
    eager_invariant: bool
    wrong: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PaddingFindings:
    """The padded cases that were judged, in order, and how many were not.

    Of those left out, `unsettled` may differ by a tie-break alone, and the time to find out was spent. Of the
    `essential` ones, `late` were left out because the time limit was over.
    """

    judged: Sequence[PaddedCase]
    left_out: int
    unsettled: int
    essential: int
    late: int

    @property
    def not_invariant(self) -> list[Way]:
        """The ways of padding that change eager's answer in some case: nobody pads like that."""
        return _ways(one for one in self.judged if not one.eager_invariant)

    @property
    def invariant(self) -> list[Way]:
        """The ways of padding that never change eager's answer."""
        return [way for way in _ways(self.judged) if way not in self.not_invariant]

    @property
    def breaches(self) -> list[PaddedCase]:
        """The cases in which eager can be padded in this way and the export cannot."""
        return [one for one in self.judged if self._is_breach(one)]

    @property
    def first_breach(self) -> int | None:
        """How many cases were judged up to the first breach, that one included; None if there is no breach."""
        return next((number for number, one in enumerate(self.judged, 1) if self._is_breach(one)), None)

    def _is_breach(self, one: PaddedCase) -> bool:
        return one.wrong is not None and one.way in self.invariant


class Padding:
    """Pad shorter inputs up to the traced size, in each way that callers do, and compare the real positions."""

    name = "padding"
    question = CHECKS["padding"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Only if something can be padded: ids, or floats with a mask, along an axis other than the batch."""
        if any(ways(evidence.subject)):
            return None
        return "no input is padded: none holds ids, or floats with a mask, along an axis longer than 1"

    def run(self, evidence: Evidence) -> Verdict:
        """Fails on a way of padding in which eager is padding-invariant and the export is not."""
        refused = vacuous(evidence)
        if refused is not None:
            return refused
        at_traced_size = wrong_at_traced_size(evidence)
        if at_traced_size is not None:
            return already_wrong(evidence, at_traced_size)
        findings = _search(evidence)
        judged, left_out = len(findings.judged), findings.left_out
        return replace(
            _verdict(evidence, findings),
            judged=judged,
            planned=judged + left_out,
            not_covered=(f"{left_out} padded cases: no time left in the budget, or eager raises",) if left_out else (),
            first_breach=findings.first_breach,
        )


def _search(evidence: Evidence) -> PaddingFindings:
    """Each length in every way; a way that was seen to change eager's answer is not tried at further lengths."""
    clock = evidence.clock()
    models = _models(evidence)
    judged: list[PaddedCase] = []
    left_out: Counter[str] = Counter()
    essential = 0
    for short in shorter(evidence.subject):
        refuted = {one.way for one in judged if not one.eager_invariant}
        left = [way for way in ways(evidence.subject) if way.axis == short.axis and way not in refuted]
        essential += len(left) * short.essential
        evidence.tie_break_time.unlimited = short.essential
        plain = _answers(models, short.inputs) if left and clock.allows(essential=short.essential) else None
        for way in left:
            if not clock.allows(essential=short.essential):
                left_out["late" if short.essential else "no time"] += 1
            elif plain is None:
                left_out["eager raises"] += 1
            else:
                evidence.progress(f"{evidence.check} {way}, from {short.length}")
                found = _judge(evidence, models, plain, way, short)
                left_out["unsettled"] += found is None
                judged += [] if found is None else [found]
    return PaddingFindings(judged, left_out.total(), left_out["unsettled"], essential, left_out["late"])


def _models(evidence: Evidence) -> list[Reference]:
    """Eager, and the exported model if it is another one: what padding does to int8 is not a fault of its export."""
    subject = evidence.subject
    if subject.model is subject.reference:
        return [evidence.reference]
    return [evidence.reference, Reference(subject.model, subject.constants)]


def _answers(models: Sequence[Reference], inputs: Inputs) -> list[Leaves] | None:
    """What each model answers; None if one of them raises."""
    found = [model.case(inputs)[0].leaves for model in models]
    answered = [leaves for leaves in found if leaves is not None]
    return answered if len(answered) == len(models) else None


def _judge(
    evidence: Evidence, models: Sequence[Reference], plain: Sequence[Leaves], way: Way, short: Short
) -> PaddedCase | None:
    """One way at one length; None if a tie-break may explain a difference and the time to find out is spent."""
    given = padded(evidence.subject, short, way)
    whole = _answers(models, given)
    if whole is None:
        return PaddedCase(way, short, eager_invariant=False)
    shared = evidence.tolerance.sharing()
    right = [real(leaves, one, short, way) for leaves, one in zip(whole, plain, strict=True)]
    if any(difference(one, other, shared) is not None for one, other in zip(plain, right, strict=True)):
        return PaddedCase(way, short, eager_invariant=False)
    answer = evidence.runner.case(given, 1)[0]
    if answer.leaves is None:
        return PaddedCase(way, short, eager_invariant=True, wrong=answer.raised)
    there = real(answer.leaves, plain[0], short, way)

    def emulate() -> Leaves | None:
        leaves = emulated_answer(evidence, given)
        return None if leaves is None else real(leaves, plain[0], short, way)

    found = [_off(evidence, one, there, emulate) for one in (plain[0], *right)]
    if None in found:
        return PaddedCase(way, short, eager_invariant=True)

    def ask(reference: Reference, converted: Callable[[Inputs], Inputs], _calls: int | None) -> list[Answer]:
        answers = reference.case(converted(given))
        return [one if one.leaves is None else Answer(leaves=real(one.leaves, plain[0], short, way)) for one in answers]

    # Equal to eager's answer to the padded inputs is right too: it may be near the tolerance, and its export just past.
    settled = Settling(evidence, ask, lambda _call: emulate()).settle(0, right[0], there)
    if settled.unsettled:
        return None
    worst = None if settled.difference is None else found[0]
    evidence.tie_break_time.refuted |= worst is not None
    return PaddedCase(way, short, eager_invariant=True, wrong=None if worst is None else worst.text)


def _off(evidence: Evidence, expected: Leaves, actual: Leaves, emulate: Emulate) -> Difference | None:
    """The difference by a share of the spread, and by what a device's rounding explains."""
    there, tolerance = allow_rounding(evidence, expected, actual, emulate)
    return difference(expected, there, tolerance.sharing())


def _verdict(evidence: Evidence, findings: PaddingFindings) -> Verdict:
    if findings.late and not findings.breaches:
        return too_slow(evidence, findings.late, findings.essential)
    if findings.unsettled and not findings.invariant:
        headline = "too slow: tie-breaks may explain what differs, and the time to find out is spent; not judged"
        return verdict(evidence, Outcome.TOO_SLOW, headline, (traced_at(evidence), ("fix", "raise --ts-budget")))
    if not findings.judged:
        headline = "eager answers no shorter input, so none was padded"
        return verdict(evidence, Outcome.NOT_APPLICABLE, headline)
    changing = findings.not_invariant
    notes = (f"eager is not padding-invariant along {describe_ways(changing)}",) if changing else ()
    if findings.breaches:
        headline, rows = "padding changes the export's answer, and not eager's", _rows(evidence, findings)
        return replace(verdict(evidence, Outcome.FAILED, headline, rows), notes=notes)
    if not findings.invariant:
        return replace(verdict(evidence, Outcome.NOT_APPLICABLE, "eager is not padding-invariant"), notes=notes)
    found = verdict(evidence, Outcome.PASSED, f"can be padded along {describe_ways(findings.invariant)}")
    first = next(one for one in findings.judged if one.way == findings.invariant[0])
    return replace(found, notes=(*notes, _cost(evidence, first)))


def _rows(evidence: Evidence, findings: PaddingFindings) -> tuple[Row, ...]:
    first = findings.breaches[0]
    wrong = _ways(findings.breaches)
    right = [way for way in findings.invariant if way not in wrong]
    size = f"from {first.short.length} to {first.way.axis.size}"
    # A mask that is passed on cannot help where no mask is sent.
    how = "pass the mask through the export, and trace" if first.way.masked else "trace"
    return (
        traced_at(evidence),
        ("counterexample", f"{first.way}, {size}        in {len(findings.breaches)} of {len(findings.judged)} cases"),
        ("differs", first.wrong or ""),
        ("wrong along", describe_ways(wrong)),
        *([("right along", describe_ways(right))] if right else []),
        ("fix", f"{how} with inputs that hold padding"),
    )


def _ways(cases: Iterable[PaddedCase]) -> list[Way]:
    return list(dict.fromkeys(one.way for one in cases))


def _cost(evidence: Evidence, one: PaddedCase) -> str:
    """What padding costs, as ratios of one run."""
    ratios = cost(evidence.reference, one.short.inputs, padded(evidence.subject, one.short, one.way))
    return f"padding {one.way.axis.name} from {one.short.length} to {one.way.axis.size} costs {ratios}"
