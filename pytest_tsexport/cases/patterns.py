"""subject -> patterns: in which ways the values and the masks of its cases are drawn."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tsexport.cases.case import Case, at, drawn_fields, followers
from pytest_tsexport.subjects.domains.base import MASK_PATTERNS, MEMORY, VALUES, VARIANTS
from pytest_tsexport.subjects.domains.own_values import OWN
from pytest_tsexport.subjects.subject import Subject

MOST_INPUTS = 4
"""Of more inputs than this, only the first ones are listed with values that one input of a case has."""


def values_of(subject: Subject) -> tuple[str, ...]:
    """The patterns of values that some input is drawn in, the simplest first."""
    patterns = {VALUES[0], *(one for field in drawn_fields(subject) for one in field.domain.patterns)}
    patterns |= {*OWN} if any(field.domain.own is not None for field in drawn_fields(subject)) else set()
    patterns |= {*MEMORY} if subject.fields else set()
    return tuple(one for one in VALUES if one in patterns)


def masks_of(subject: Subject) -> tuple[str, ...]:
    """The patterns of masks that some input follows, the simplest first."""
    patterns = {MASK_PATTERNS[0], *(one for field in drawn_fields(subject) for one in field.domain.masks)}
    return tuple(one for one in MASK_PATTERNS if one in patterns)


def every_pattern(subject: Subject) -> Iterator[Case]:
    """At the traced size: each pattern of values, with one mask after the other, and every variant of it.

    A pattern comes once before any comes twice. The usual values come first, with every mask.
    """
    values, masks = values_of(subject), masks_of(subject)
    for number, mask in enumerate(masks):
        yield at(subject, {}, seed=number, values=VALUES[0], mask=mask)
    others = [one for one in values[1:] if one not in OWN]
    for one in OWN if OWN[0] in values else ():
        yield at(subject, {}, seed=0, values=one)
    for seed in range(max(VARIANTS.values()) * MOST_INPUTS):
        for place, one in enumerate(others, 1):
            if seed < _variants(subject, one):
                number = (place + seed) % len(masks)
                yield at(subject, {}, seed=seed if one in VARIANTS else number, values=one, mask=masks[number])


def _variants(subject: Subject, values: str) -> int:
    """How many seeds show every variant of a pattern in each of the inputs that follow it."""
    return VARIANTS.get(values, 1) * (min(len(followers(subject, values)), MOST_INPUTS) if values in VARIANTS else 1)
