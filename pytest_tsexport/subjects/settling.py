"""description, eager -> axes: how each axis varies of which nothing is known but its traced size.

Eager is asked. An axis that it takes at no other size becomes a fixed dimension, with its reason in `given_up`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise, takewhile

from pytest_tsexport.subjects.couplings import Found
from pytest_tsexport.subjects.fields import Axis, Description, Field, Rule
from pytest_tsexport.subjects.inquiry import Dimension, Inquiry
from pytest_tsexport.subjects.varying import given_up, varying


def settled(description: Description, inquiry: Inquiry) -> Description:
    """The same inputs; each unsure axis has the step, the rule and the bounds by which eager takes other sizes."""
    unsure = {
        axis.name: Dimension.of(axis, description) for axis in description.axes if axis.name in description.unsure
    }
    if not unsure:
        return description
    free = [one for one in unsure.values() if inquiry.accepts({one: one.size + 1})]
    refused = [one for one in unsure.values() if one not in free]
    stepped = _stepped(refused, description.unsure, inquiry)
    known = [one for one in refused if description.unsure[one.name]]
    found = varying(free, [one for one in refused if one not in known], inquiry)
    found = replace(
        found,
        dimensions={**found.dimensions, **stepped},
        given_up={**found.given_up, **{one.name: given_up(one, inquiry) for one in known if one not in stepped}},
    )
    how = {dimension.name: one for dimension, one in found.dimensions.items()}
    for one in refused:  # longer steps than are looked for
        if one.name not in how and inquiry.accepts({one: 2 * one.size}):
            how[one.name] = Found(step=one.size)
    fixed = {one.name: one.size for one in refused if one.name not in how}
    rules = {unsure[name]: one.rule for name, one in how.items() if one.rule is not None}

    def asked(name: str) -> _Asked:
        followers = {one: rule for one, rule in rules.items() if any(name in names for _, names in rule.terms)}
        return _Asked(unsure[name], followers, description.sizes, inquiry)

    axes = (
        _settled(axis, how.get(axis.name, Found()), asked(axis.name)) if axis.name in unsure else axis
        for axis in description.axes
        if axis.name not in fixed
    )
    fields = tuple(
        _fixed(replace(one, domain=found.domains.get(one.name, one.domain)), fixed) for one in description.fields
    )
    return replace(
        description,
        fields=fields,
        axes=tuple(axes),
        given_up={**description.given_up, **{name: found.given_up[name] for name in fixed}},
        unsure={},
    )


def _stepped(
    refused: Sequence[Dimension], steps: Mapping[str, tuple[int, ...]], inquiry: Inquiry
) -> dict[Dimension, Found]:
    """How the axes vary whose steps are known: each alone, or all of one size together, as the sides of a square do."""
    found: dict[Dimension, Found] = {}
    left = [one for one in refused if steps[one.name]]
    for one in left:
        above = next((step for step in steps[one.name] if inquiry.accepts({one: one.size + step})), None)
        below = next((step for step in steps[one.name] if above is None and inquiry.accepts({one: one.size - step})), 0)
        if above or below:
            found[one] = Found(step=above or below, high=None if above else one.size)
    left = [one for one in left if one not in found]
    for first, other in pairwise(left):
        if first.size == other.size and first not in found:
            shifts = (
                step
                for step in steps[first.name]
                if inquiry.accepts({first: first.size + step, other: other.size + step})
            )
            step = next(shifts, None)
            alike = Rule(terms=((Fraction(1), (first.name,)),))
            found |= {} if step is None else {first: Found(step=step), other: Found(rule=alike)}
    return found


def _settled(axis: Axis, found: Found, asked: _Asked) -> Axis:
    """The axis with its step or rule; a free one has the bounds between which eager takes it."""
    varied = found.on(axis)
    if axis.name == "batch" or varied.rule is not None:
        return varied
    high = _highest(varied, asked) if varied.high is None else varied.high
    return replace(varied, low=_lowest(varied, asked), high=high)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One axis of which eager is asked; `followers` are the axes that follow it, with their rules."""

    dimension: Dimension
    followers: Mapping[Dimension, Rule]
    traced: Mapping[str, int]
    inquiry: Inquiry

    def accepts(self, size: int) -> bool:
        """Whether eager takes the axis at this size, and those that follow it."""
        sizes = {**self.traced, self.dimension.name: size}
        moved = {one: rule.size(sizes) for one, rule in self.followers.items()}
        return self.inquiry.accepts({self.dimension: size, **moved})


def _lowest(axis: Axis, asked: _Asked) -> int:
    """The smallest size that eager takes, or nearly so; a call of a large model is dear, so few are asked about."""
    least = axis.fitting(1)
    if asked.accepts(least):
        return least
    halves = (axis.fitting(axis.size >> times) for times in range(1, axis.size.bit_length()))
    return _last_taken(halves, asked) or _last_taken(_near(axis, -1), asked) or axis.size


def _highest(axis: Axis, asked: _Asked) -> int | None:
    """The largest size that eager takes, or nearly so, if it takes no size that is twice the traced one."""
    if asked.accepts(axis.fitting(2 * axis.size)):
        return None
    return _last_taken(_near(axis, 1), asked) or axis.size


def _near(axis: Axis, sign: int) -> Iterator[int]:
    """Sizes ever farther from the traced one."""
    shifts = (axis.step << times for times in range(axis.size.bit_length()))
    return (axis.size + sign * shift for shift in shifts if 0 < axis.size + sign * shift < 2 * axis.size)


def _last_taken(sizes: Iterable[int], asked: _Asked) -> int | None:
    """The last of the sizes before the first that eager refuses; None if it refuses the first."""
    taken = list(takewhile(asked.accepts, sizes))
    return taken[-1] if taken else None


def _fixed(field: Field, fixed: Mapping[str, int]) -> Field:
    dims = tuple(fixed.get(dim, dim) if isinstance(dim, str) else dim for dim in field.dims)
    return replace(field, dims=dims, domain=field.domain.with_axes(fixed))
