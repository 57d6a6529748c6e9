"""evidence -> verdict: can shorter inputs be padded up to the traced size?

Wherever parity and shapes hold, the export answers padded inputs as eager does: the question is about the model.
So it fails only where eager does not mind padding and the export does. (facts: detection, 11.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pytest_tsexport.cases.padded_cases import Short, Way, describe_ways, padded, real, shorter, ways
from pytest_tsexport.checks.base import traced_at, vacuous, verdict, wrong_already
from pytest_tsexport.comparison.compare_case import wrong_at_home
from pytest_tsexport.comparison.cost import cost
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.rounding import excused, rounded
from pytest_tsexport.comparison.tie_breaks import is_tie
from pytest_tsexport.config.policy import CHECKS
from pytest_tsexport.subjects.reference import Inputs, Reference
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.verdict import Outcome, Row, Verdict

SHARE = 0.1
"""Part of the subject's budget."""

LEAST = 2
"""Cases that are tried whatever the time."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One padded case: whether eager minds, and, where it does not, in what the export is wrong."""

    way: Way
    short: Short
    minded: bool
    wrong: str | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """The padded cases that were tried, and how many were not."""

    tried: Sequence[Tried]
    left_out: int

    @property
    def minded(self) -> list[Way]:
        """The ways that eager minds in some case: nobody pads so."""
        return _ways(one for one in self.tried if one.minded)

    @property
    def able(self) -> list[Way]:
        """The ways that eager minds in no case."""
        return [way for way in _ways(self.tried) if way not in self.minded]

    @property
    def breaches(self) -> list[Tried]:
        """Eager can be padded in this way, and the export cannot."""
        return [one for one in self.tried if one.wrong is not None and one.way in self.able]


class Padding:
    """Pad shorter inputs up to the traced size, in each way that callers do, and compare the real positions."""

    name = "padding"
    question = CHECKS["padding"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Only where something can be padded: ids, or floats that a mask goes with, along an axis that is no batch."""
        if any(ways(evidence.subject)):
            return None
        return "no input is padded: none holds ids, or floats with a mask, along an axis longer than 1"

    def run(self, evidence: Evidence) -> Verdict:
        """Fails on a way of padding that eager does not mind and the export does."""
        refused = vacuous(evidence, self.name)
        if refused is not None:
            return refused
        at_home = wrong_at_home(evidence)
        if at_home is not None:
            return wrong_already(evidence, self.name, at_home)
        looked = _look(evidence, self.name)
        judged, left_out = len(looked.tried), looked.left_out
        return replace(
            _verdict(evidence, self.name, looked),
            judged=judged,
            planned=judged + left_out,
            not_covered=(f"{left_out} padded cases: no room in the budget, or eager raises",) if left_out else (),
            first_breach=looked.tried.index(looked.breaches[0]) + 1 if looked.breaches else None,
        )


def _look(evidence: Evidence, check: str) -> Looked:
    """Each length in every way; a way that eager was seen to mind is not tried again."""
    clock = evidence.clock(SHARE)
    models = _models(evidence)
    tried: list[Tried] = []
    left_out = 0

    def late() -> bool:
        return clock.left <= 0 and len(tried) >= LEAST

    for short in shorter(evidence.subject):
        minded = {one.way for one in tried if one.minded}
        left = [way for way in ways(evidence.subject) if way.axis == short.axis and way not in minded]
        plain = _answers(models, short.inputs) if left and not late() else None
        for way in left:
            if plain is None or late():
                left_out += 1
            else:
                evidence.tell(f"{check} {way}, from {short.length}")
                tried.append(_try(evidence, models, plain, way, short))
    return Looked(tried, left_out)


def _models(evidence: Evidence) -> list[Reference]:
    """Eager; where it is not the model that was exported, that one too: what int8 minds is no fault of its export."""
    subject = evidence.subject
    if subject.model is subject.reference:
        return [evidence.reference]
    return [evidence.reference, Reference(subject.model, subject.constants)]


def _answers(models: Sequence[Reference], inputs: Inputs) -> list[Leaves] | None:
    """What each model answers; None where one of them raises."""
    found = [model.case(inputs)[0].leaves for model in models]
    answered = [leaves for leaves in found if leaves is not None]
    return answered if len(answered) == len(models) else None


def _try(evidence: Evidence, models: Sequence[Reference], plain: Sequence[Leaves], way: Way, short: Short) -> Tried:
    given = padded(evidence.subject, short, way)
    whole = _answers(models, given)
    if whole is None:
        return Tried(way, short, minded=True)
    right = [real(leaves, one, short, way) for leaves, one in zip(whole, plain, strict=True)]
    if any(difference(one, other, evidence.tolerance) is not None for one, other in zip(plain, right, strict=True)):
        return Tried(way, short, minded=True)
    answer = evidence.runner.case(given, 1)[0]
    if answer.leaves is None:
        return Tried(way, short, minded=False, wrong=answer.raised)
    # As eager answers the padded inputs is right too: it may come near the tolerance, and its export a bit beyond.
    there = real(answer.leaves, plain[0], short, way)

    def third() -> Leaves | None:
        leaves = rounded(evidence, given)
        return None if leaves is None else real(leaves, plain[0], short, way)

    found = [difference(one, *excused(evidence, one, there, third)) for one in (plain[0], *right)]
    off = None if None in found or is_tie(evidence, given, whole[0], answer.leaves) else found[0]
    return Tried(way, short, minded=False, wrong=None if off is None else off.text)


def _verdict(evidence: Evidence, check: str, looked: Looked) -> Verdict:
    if not looked.tried:
        headline = "eager answers no shorter input, so none was padded"
        return verdict(evidence, check, Outcome.NOT_APPLICABLE, headline)
    notes = (f"eager itself cannot be padded along {describe_ways(looked.minded)}",) if looked.minded else ()
    if looked.breaches:
        headline, rows = "padding changes the answer of the export alone", _rows(evidence, looked)
        return replace(verdict(evidence, check, Outcome.FAILED, headline, rows), notes=notes)
    if not looked.able:
        return replace(verdict(evidence, check, Outcome.NOT_APPLICABLE, "eager itself cannot be padded"), notes=notes)
    found = verdict(evidence, check, Outcome.PASSED, f"can be padded along {describe_ways(looked.able)}")
    first = next(one for one in looked.tried if one.way == looked.able[0])
    return replace(found, notes=(*notes, _cost(evidence, first)))


def _rows(evidence: Evidence, looked: Looked) -> tuple[Row, ...]:
    first = looked.breaches[0]
    wrong = _ways(looked.breaches)
    right = [way for way in looked.able if way not in wrong]
    size = f"from {first.short.length} to {first.way.axis.size}"
    # A mask that is passed on cannot help where none is sent.
    how = "pass the mask through the export, and trace" if first.way.masked else "trace"
    return (
        traced_at(evidence),
        ("counterexample", f"{first.way}, {size}        in {len(looked.breaches)} of {len(looked.tried)} cases"),
        ("differs", first.wrong or ""),
        ("wrong along", describe_ways(wrong)),
        *([("right along", describe_ways(right))] if right else []),
        ("fix", f"{how} with inputs that hold padding"),
    )


def _ways(tried: Iterable[Tried]) -> list[Way]:
    return list(dict.fromkeys(one.way for one in tried))


def _cost(evidence: Evidence, one: Tried) -> str:
    """What padding costs, as ratios of one run."""
    ratios = cost(evidence.reference, one.short.inputs, padded(evidence.subject, one.short, one.way))
    return f"padding {one.way.axis.name} from {one.short.length} to {one.way.axis.size} costs {ratios}"
