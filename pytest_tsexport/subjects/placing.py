"""description, eager -> text that fits pictures and sound: how many placeholders it needs, or how long it must be.

Eager says how many features it has. What it says is tried, and then whether the number follows from the sizes of the
pictures, with inputs that are drawn anew at other sizes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from torch import nn

from pytest_tsexport.subjects.domains.grids import Grids
from pytest_tsexport.subjects.fields import Axis, Description, Rule
from pytest_tsexport.subjects.following import following, stepped, why_refused
from pytest_tsexport.subjects.transformers.facts import Facts, facts_of
from pytest_tsexport.subjects.transformers.features import (
    Counts,
    Medium,
    counted,
    guesses,
    media_of,
    with_placeholders,
)

TEXT = "sequence"

MISFIT = re.compile(r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)")
"""Two lengths that should be one."""

NO_PLACE = re.compile("indexing result of shape")
"""Features of a picture are put where a text without placeholders has no place. With some, eager may count them."""

SOME = 2
"""How many placeholders a text is tried with, so that eager counts the features."""


def placed(model: nn.Module, reference: nn.Module, description: Description, why: str) -> Description | None:
    """The description with as many placeholders as eager has features; None if it has no such text, or refuses all."""
    facts = facts_of(model)
    if facts is None:
        return None
    media = media_of(facts, description)
    if media and NO_PLACE.search(why):
        few = {media[0].name: Rule(terms=(), offset=SOME)}
        why = why_refused(reference, with_placeholders(facts, description, few)) or why
    if _counts_differ(why, description, media):
        description = _upright(description)
        why = why_refused(reference, description) or why
    counts: dict[str, Rule] = {}
    for _ in media:
        found = counted(why, media)
        if found is None or found[0].name in counts:
            return None
        medium = found[0]
        answer = _first(facts, reference, description, {**counts}, found)
        if answer is None:
            return None
        counts[medium.name], said = answer
        if said is None:
            return following(facts, reference, description, counts)
        why = said
    return None


def _counts_differ(why: str, description: Description, media: tuple[Medium, ...]) -> bool:
    """Whether the rows have not all as many features, though all pictures have as many patches."""
    found = counted(why, media)
    return found is not None and found[1] % description.sizes.get("batch", 1) != 0


def _upright(description: Description) -> Description:
    """The description with no picture on its side."""
    fields = (
        replace(one, domain=replace(one.domain, may_turn=False)) if isinstance(one.domain, Grids) else one
        for one in description.fields
    )
    return replace(description, fields=tuple(fields))


def _first(
    facts: Facts, reference: nn.Module, description: Description, counts: Counts, found: tuple[Medium, int]
) -> tuple[Rule, str | None] | None:
    """The first guess that eager takes for this medium, and what it says of another one then."""
    medium, features = found
    media = media_of(facts, description)
    for rule in guesses(facts, description, medium, features):
        why = why_refused(reference, with_placeholders(facts, description, {**counts, medium.name: rule}))
        other = None if why is None else counted(why, media)
        if why is None or (other is not None and other[0] is not medium):
            return rule, why
    return None


def as_long(reference: nn.Module, description: Description, why: str) -> Description | None:
    """The description with a text as long as a recording has features, where eager says that the two lengths differ.

    The text follows from the recording if eager takes a longer one then; else its length is fixed. None if eager says
    something else, or refuses that too.
    """
    text = next((axis for axis in description.axes if axis.name == TEXT and axis.rule is None), None)
    met = MISFIT.search(why)
    if text is None or met is None or str(text.size) not in met.groups():
        return None
    count = next((int(number) for number in met.groups() if int(number) != text.size), text.size)
    for axis in description.axes:
        if axis.name in description.unsure and axis.name != "batch" and axis.size % count == 0:
            step = axis.size // count
            rule = Rule(terms=((Fraction(1, step), (axis.name,)),))
            tried = stepped(_with_text(description, replace(text, size=count, rule=rule)), {axis.name: step})
            if all(why_refused(reference, tried, sizes) is None for sizes in ({}, {axis.name: axis.size + step})):
                return replace(tried, unsure={name: s for name, s in tried.unsure.items() if name != axis.name})
    tried = _with_text(description, replace(text, size=count))
    return tried if why_refused(reference, tried) is None else None


def _with_text(description: Description, text: Axis) -> Description:
    """The description with another axis of the text; eager is asked how it varies, unless it follows a rule."""
    axes = tuple(text if axis.name == text.name else axis for axis in description.axes)
    unsure = description.unsure if text.rule is not None else {**description.unsure, text.name: ()}
    return replace(description, axes=axes, unsure=unsure)
