"""tied name, readers -> finding: whether a copy is read where the model reads its name, and what became of one without.

A name has no copy if no living tensor of the file has its value in any form that is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from pytest_tsexport.comparison.tied.evidence import TiedEvidence
from pytest_tsexport.comparison.tied.forms import is_distinct
from pytest_tsexport.comparison.tied.readers import Reader, unmatched
from pytest_tsexport.comparison.tied.value_findings import Finding, listed, value_finding
from pytest_tsexport.tensors.perturbation import numbers_of

DEAD = "a clone in the file is never read"
MISSING = "a tied weight is missing from the file"

STALE = 0.5
"""A tensor with another name is a weight that went stale if it equals it in at least this share of its elements."""

COMPUTED = 1e-4
"""A tensor that differs from a weight by no more than this share was computed from it again, and is not stale."""

FEW = 4
"""So many different numbers have to be among the equal ones: a mask equals any other in half of its elements."""


def dead(key: str, name: str) -> Finding:
    """A copy that no answer depends on."""
    text = f"changing {key} moves no answer of the file; changing {name} moves the model's"
    return Finding(headline=DEAD, text=text, fix=f"let forward read {key} where the model reads {name}")


def uncovered(names: Sequence[str], live: Sequence[str], readers: Sequence[Reader], tied: TiedEvidence) -> Finding:
    """What became of the names that no living copy in the file stands for."""
    fitting = {prefix + name for prefix in tied.values.own_sets(names) for name in names}
    usable = [
        one
        for one in readers
        if one.names or one.copy.key in fitting or not tied.values.is_ambiguous(one.copy.names[0], names)
    ]
    found: list[Finding] = []
    for name in unmatched(live, usable):
        found.append(_gone(name, names, live, usable, tied))
        if found[-1].headline:
            return found[-1]
    absent = tuple(name for one in found for name in one.absent)
    hidden = tuple(one for one in absent if tied.values.value_of(one) not in tied.constants)
    if len(hidden) < 2:
        return Finding(notes=tuple(note for one in found for note in one.notes), absent=absent)
    every = "both" if len(hidden) == 2 else "all"
    said = f"{listed(hidden)}: folded or packed, so that it cannot be seen whether one tensor stands for {every}"
    notes = tuple(note for one in found for note in one.notes if not set(one.absent) & set(hidden))
    return Finding(notes=notes, not_covered=(said,), absent=absent)


def _gone(
    name: str, names: Sequence[str], live: Sequence[str], readers: Sequence[Reader], tied: TiedEvidence
) -> Finding:
    idle = [one.copy.key for one in readers if not one.is_live and name in one.copy.names]
    if len(idle) > len(names) - len(live):
        key = next((key for key in idle if key.endswith(name)), idle[-1])
        if any(one.is_live for one in readers) or not tied.holds_parity or len(idle) < len(names):
            return dead(key, next((one for one in live if key.endswith(one)), name))
        return Finding(notes=(f"{key} is not read: its values are constants of the graph",))
    if tied.holds_parity and tied.values.value_of(name) in tied.constants:
        return Finding(notes=(f"{name} is a constant of the graph",), absent=(name,))
    known = {one.copy.key for one in readers}
    called = list(tied.values.by_name(name))
    for key in (*_read(name, called, known, tied), *_stale(name, known | set(called), tied)):
        return value_finding(name, key, tied)
    there = f"{called[0]} is not its value" if called else "it is not in the file by name or by value"
    if tied.holds_parity:
        return Finding(notes=(f"{name} is folded or packed: {there}",), absent=(name,))
    return Finding(headline=MISSING, text=f"{name} is gone: {there}, and the answers differ")


def _read(name: str, called: Sequence[str], known: set[str], tied: TiedEvidence) -> Iterator[str]:
    """The tensors that are called as a weight and have another value, if an answer of the file depends on them."""
    for key in called:
        if key not in known and not tied.responses.of_own(key).is_dead and tied.values.how(name, key) != "other shape":
            yield key


def _stale(name: str, known: set[str], tied: TiedEvidence) -> Iterator[str]:
    """The tensors of the file, whatever they are called, that equal a weight in most places but not in all."""
    ours = tied.ours[name]
    if not is_distinct(ours):
        return
    numbers = numbers_of(ours)
    for key, theirs in tied.theirs.items():
        if key in known or theirs.shape != ours.shape or theirs.dtype != ours.dtype or numbers is None:
            continue
        other = numbers_of(theirs)
        if other is None or other.shape != numbers.shape or torch.allclose(numbers, other, rtol=COMPUTED, atol=0.0):
            continue
        same = numbers[(numbers == other) & (numbers != 0)]
        if same.numel() >= STALE * ours.numel() and len(same.unique()) >= FEW:
            yield key
