"""tied name, readers -> finding: whether a copy is read where the model reads its name, and what became of one without.

A name has no copy if no living tensor of the file has its value in any form that is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from pytest_tsexport.comparison.tied.evidence import TiedEvidence
from pytest_tsexport.comparison.tied.forms import is_distinct
from pytest_tsexport.comparison.tied.readers import NEAR, Reader, unmatched
from pytest_tsexport.comparison.tied.responses import misfit, worst_slice
from pytest_tsexport.comparison.tied.value_findings import Finding, listed, value_finding
from pytest_tsexport.tensors.perturbation import numbers_of

DEAD = "a clone in the file is never read"
PARTLY = "a clone in the file is read in part only"
MISSING = "a tied weight is missing from the file"

APART = 0.5
"""The misfit of a single slice of an output from which a change counts as another one in an exact file."""

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


def partly_read(
    names: Sequence[str], live: Sequence[str], readers: Sequence[Reader], tied: TiedEvidence
) -> Finding | None:
    """A clone that is read for a part of what the model reads its name for: half of its rows, or mixed with another.

    It is asked only where the file has each name once, with its value, and answers as the model: then a change of one
    moves its answer as the model's. A file that is exact besides has to do so in each slice of an output.
    """
    sets = tied.values.own_sets(names)
    if len(sets) != 1 or sorted(one.copy.key for one in readers) != sorted(sets[0] + name for name in names):
        return None
    base = tied.responses.eager.base
    if base is None or any(one.copy.how != "equal" for one in readers) or not _answers_as_eager(tied):
        return None
    found: list[tuple[float, str, str]] = []
    for one in readers:
        name = one.copy.key.removeprefix(sets[0])
        moved = tied.responses.of_copy(one.copy)
        expected = tied.responses.of_names(one.copy.names[0], (name,))
        if name not in live or not one.is_live or moved.vector is None or expected.vector is None:
            continue
        if one.names and name not in one.names:  # it stands for another name: the two are exchanged
            continue
        if misfit(moved, expected) > NEAR or (tied.is_exact and worst_slice(moved, expected, base) > APART):
            found.append((float(moved.vector.norm() / expected.vector.norm()), one.copy.key, name))
    if not found:
        return None
    size, key, name = min(found)  # the one that is read for less; the other takes its place
    how = "only a part of what" if size < 1 else "other things than"
    text = f"{key} is read for {how} the model reads {name} for"
    return Finding(headline=PARTLY, text=text, fix=f"let forward read {key} wherever the model reads {name}")


def _answers_as_eager(tied: TiedEvidence) -> bool:
    """Whether the answers to the example inputs hold, and are of floating numbers: others jump."""
    base = tied.responses.eager.base or {}
    has_floats = any(leaf.is_floating_point() or leaf.is_complex() for leaf in base.values())
    return has_floats and tied.holds_parity and tied.equals_file(tied.responses.eager.base)


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
