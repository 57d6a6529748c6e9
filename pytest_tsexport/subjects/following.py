"""description, eager -> how the number of placeholders follows from the sizes of pictures and recordings.

Likely rules are tried first. If eager takes none, it is asked for its number of features at a few other sizes: these
are enough to know how it grows with each side, and with both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

from torch import nn

from pytest_tsexport.subjects.fields import Axis, Description, Rule
from pytest_tsexport.subjects.inquiry import Inquiry
from pytest_tsexport.subjects.transformers.facts import Facts
from pytest_tsexport.subjects.transformers.features import (
    Counts,
    Medium,
    counted,
    followed,
    media_of,
    sides_of,
    with_placeholders,
)

Steps = Mapping[str, int]


def why_refused(reference: nn.Module, description: Description, sizes: Mapping[str, int] | None = None) -> str | None:
    """Why eager refuses inputs that are drawn at these sizes, the others being the traced ones; None if it answers."""
    return Inquiry.about(reference, description, sizes).refusal({})


def following(facts: Facts, reference: nn.Module, description: Description, counts: Counts) -> Description:
    """The description in which the number of placeholders follows from as many sizes as eager takes."""
    for medium in media_of(facts, description):
        if medium.name in counts:
            asked = _Asked(facts, reference, description, counts, medium)
            rule, steps = asked.followed() or asked.measured() or (counts[medium.name], {})
            counts = {**counts, medium.name: rule}
            description = stepped(description, steps)
    return with_placeholders(facts, description, counts)


def stepped(description: Description, steps: Steps) -> Description:
    """The description in which these axes have only every so many sizes."""
    axes = tuple(_every(axis, steps[axis.name]) if axis.name in steps else axis for axis in description.axes)
    return replace(description, axes=axes)


def _every(axis: Axis, step: int) -> Axis:
    return replace(axis, step=step, low=max(axis.low, step))


@dataclass(frozen=True, slots=True)
class _Asked:
    """One medium of which eager is asked how many features it has; `counts` holds at the traced sizes."""

    facts: Facts
    reference: nn.Module
    description: Description
    counts: Counts
    medium: Medium

    def followed(self) -> tuple[Rule, Steps] | None:
        """The first likely rule that eager takes where each of the sizes in it has grown by its step."""
        for rule, steps in followed(self.description, self.medium, self.counts[self.medium.name].offset):
            if self._takes(rule, steps, 1):
                return rule, steps
        return None

    def measured(self) -> tuple[Rule, Steps] | None:
        """The rule that gives as many features as eager counts, if eager takes it at further sizes too."""
        sides = [axis for axis in self.description.axes if axis.name in sides_of(self.description, self.medium)]
        for step in _steps(self.description, sides):
            steps = dict.fromkeys((axis.name for axis in sides), step)
            rule = grown([(axis.name, axis.size, step) for axis in sides], self._count)
            if rule is not None and self._takes(rule, steps, 2):
                return rule, steps
        return None

    def _count(self, sizes: Mapping[str, int]) -> int | None:
        """How many features one row has at these sizes, by what eager says of another number; None if it does not."""
        why = why_refused(self.reference, with_placeholders(self.facts, self.description, self.counts), sizes)
        if why is None:
            return self.counts[self.medium.name].offset
        rows = self.description.sizes.get("batch", 1)
        found = counted(why, media_of(self.facts, self.description))
        return found[1] // rows if found and found[0] is self.medium and found[1] % rows == 0 else None

    def _takes(self, rule: Rule, steps: Steps, times: int) -> bool:
        counts = {**self.counts, self.medium.name: rule}
        tried = stepped(with_placeholders(self.facts, self.description, counts), steps)
        return all(why_refused(self.reference, tried, sizes) is None for sizes in _larger(tried, rule, times))


def _steps(description: Description, sides: Sequence[Axis]) -> tuple[int, ...]:
    """By how much the sides may grow together: by their step, or by those that are likely, or to twice their size."""
    if not 1 <= len(sides) <= 2:
        return ()
    first = sides[0]
    likely = description.unsure.get(first.name) or ()
    return (first.step,) if first.step > 1 else (*likely, *([] if likely else [first.size]))


def _larger(description: Description, rule: Rule, times: int) -> Iterator[Mapping[str, int]]:
    """Each of the sizes that the rule follows, grown by so many of its steps."""
    axes = [axis for axis in description.axes if axis.name in {name for _, names in rule.terms for name in names}]
    for axis in axes:
        yield {axis.name: axis.size + times * axis.step}


def grown(sides: Sequence[tuple[str, int, int]], count: Callable[[Mapping[str, int]], int | None]) -> Rule | None:
    """How a number grows with one or two sides `(name, size, step)`: with each, with both, and what is always there.

    None if it cannot be counted at one of the sizes, if it grows with no side, or if what is always there is no whole
    number.
    """
    taken: dict[tuple[bool, ...], int] = {}
    for grows in product((False, True), repeat=len(sides)):
        found = count({name: size + step * one for (name, size, step), one in zip(sides, grows, strict=True)})
        if found is None or (len(taken) == 1 and found in taken.values()):
            return None
        taken[grows] = found
    return _interpolated(sides, taken)


def _interpolated(sides: Sequence[tuple[str, int, int]], taken: Mapping[tuple[bool, ...], int]) -> Rule | None:
    """The rule that gives these numbers."""
    if len(sides) == 1:
        (name, size, step), (least, most) = sides[0], (taken[(False,)], taken[(True,)])
        slope = Fraction(most - least, step)
        return _whole([(slope, (name,))], least - slope * size)
    (first, a, by), (other, b, step) = sides
    least, wide, high, both = (taken[(one, two)] for two in (False, True) for one in (False, True))
    product = Fraction(both - wide - high + least, by * step)
    along = Fraction(wide - least, by) - product * b
    across = Fraction(high - least, step) - product * a
    terms = [(product, (first, other)), (along, (first,)), (across, (other,))]
    return _whole(terms, least - product * a * b - along * a - across * b)


def _whole(terms: Sequence[tuple[Fraction, tuple[str, ...]]], offset: Fraction) -> Rule | None:
    if offset.denominator != 1:
        return None
    return Rule(terms=tuple(term for term in terms if term[0]), offset=int(offset))
