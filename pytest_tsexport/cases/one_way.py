"""judged cases -> sentences: the lines at which the model's Python went the same way in every case.

Eager is called once more for that, in a copy of its own: torch computes a few things differently while its functions
are watched, so the answers that are compared are never watched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod
from pathlib import Path

from pytest_tsexport.cases.case import Case, tensors
from pytest_tsexport.subjects.branches import Branches, Site
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject

MOST_WATCHED = 40
"""Cases that are watched, spread over those that were judged."""

FIRST = 6
"""If every line that reads a tensor went two ways in the first few of them, no more are watched: so do most models."""

LARGEST = 4
"""A case of more than this many times the traced volume is not watched."""

MOST_LINES = 3


def one_way(subject: Subject, judged: Iterable[Case]) -> tuple[str, ...]:
    """`modeling_x.py:313 went one way in all 40 cases watched`, and how many lines more there are."""
    outcomes: dict[Site, set[str]] = {}
    counts: dict[Site, int] = {}
    reference = Reference(subject.reference, subject.constants)
    for number, case in enumerate(_watched(subject, list(judged))):
        if number >= FIRST and all(len(values) > 1 for values in outcomes.values()):
            break
        watch = Branches()
        with watch:
            reference.case(tensors(case, subject))
        for site, values in watch.seen.items():
            outcomes.setdefault(site, set()).update(values)
            counts[site] = counts.get(site, 0) + 1
    lines = list(_lines({site: counts[site] for site in outcomes if len(outcomes[site]) == 1}))
    more = len(lines) - MOST_LINES
    return (*lines[:MOST_LINES], *([f"{more} more lines that went one way"] if more > 0 else []))


def _watched(subject: Subject, judged: Sequence[Case]) -> list[Case]:
    """A part of the cases that is the same in each run, and whose first ones are as different as the rest."""
    traced = prod(max(size, 1) for size in subject.sizes.values())
    small = [case for case in judged if case.volume <= LARGEST * traced]
    count = min(len(small), MOST_WATCHED)
    order = sorted(range(count), key=lambda place: place * FIRST % count)
    return [small[place * len(small) // count] for place in order]


def _lines(counts: dict[Site, int]) -> Iterator[str]:
    for (file, line), count in sorted(counts.items()):
        yield f"{Path(file).name}:{line} went one way in all {count} cases watched"
