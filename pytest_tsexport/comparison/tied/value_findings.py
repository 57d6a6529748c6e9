"""tied name, tensor of the file -> finding: whether a tensor that has the name of a weight has its value too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from pytest_tsexport.comparison.tied.evidence import TiedEvidence
from pytest_tsexport.comparison.tied.file_values import Likeness
from pytest_tsexport.tensors.perturbation import numbers_of

CHANGED = "a tied weight is not the model's in the file"

NOTED: dict[Likeness, str] = {"cast": "rounded to", "cut": "cut to its first", "padded": "lengthened to"}
"""What exporters are known to do to a weight, and how a note begins to say it."""


FEW = 4
"""A line shows no more names than this: a mask of 24 layers has as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found about one group: a headline and a text if it is wrong, notes, and what was not looked at."""

    headline: str = ""
    text: str = ""
    notes: tuple[str, ...] = ()
    not_covered: tuple[str, ...] = ()


def summed(findings: Sequence[Finding], not_covered: tuple[str, ...] = ()) -> Finding:
    """The notes of findings that are not wrong, each once."""
    return Finding(
        notes=tuple(dict.fromkeys(note for one in findings for note in one.notes)),
        not_covered=(*(said for one in findings for said in one.not_covered), *not_covered),
    )


def listed(names: Sequence[str], between: str = " = ") -> str:
    """Names in one line; of many, the first ones and how many there are."""
    shown = between.join(names if len(names) <= FEW else names[: FEW - 1])
    return shown if len(names) <= FEW else f"{shown}{between}… ({len(names)} names)"


def changed_in_sets(names: Sequence[str], tied: TiedEvidence) -> Iterator[Finding]:
    """What is found under each name that the file has in a set of all of them."""
    for prefix in tied.values.own_sets(names):
        for name in names:
            yield value_finding(name, prefix + name, tied)


def value_finding(name: str, key: str, tied: TiedEvidence) -> Finding:
    """Whether a tensor that has the name of a weight has its value too, or one that the answers account for."""
    ours, theirs = tied.ours[name], tied.theirs[key]
    how = tied.values.how(name, key)
    if how == "equal":
        return Finding()
    if how in NOTED:
        said = f"{NOTED[how]} {_short(theirs.dtype) if how == 'cast' else tuple(theirs.shape)}"
        if tied.holds_parity:
            return Finding(notes=(f"{name} is {said}",))
        return Finding(headline=CHANGED, text=f"{key} is the model's {name}, {said}, and the answers differ")
    if how == "transposed":
        return Finding(headline=CHANGED, text=f"{key} is the transpose of the model's {name}")
    if how == "other values" and tied.holds_parity and _is_made_up_for(name, key, tied):
        return Finding(notes=(f"{name} has another value, and the rest of the file makes up for it",))
    return Finding(headline=CHANGED, text=f"{key} is not bit-equal to the model's {name}{_gap(ours, theirs)}")


def _is_made_up_for(name: str, key: str, tied: TiedEvidence) -> bool:
    """Whether a value was folded or merged: the file reads it, and the model with this value alone is no longer equal.

    A stale or a nudged value leaves the model with it equal to the file.
    """
    numbers = numbers_of(tied.theirs[key])
    if numbers is None or tied.responses.of_own(key).is_dead:
        return False
    return not tied.equals_file(tied.responses.eager.changed({name: numbers}))


def _gap(ours: torch.Tensor, theirs: torch.Tensor) -> str:
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return f": {tuple(theirs.shape)} {theirs.dtype}, not {tuple(ours.shape)} {ours.dtype}"
    one, other = numbers_of(ours), numbers_of(theirs)
    if one is None or other is None:
        return ""
    rows = [numbers.cpu().reshape(-1).view(torch.uint8).reshape(numbers.numel(), -1) for numbers in (one, other)]
    return f": {int((rows[0] != rows[1]).any(1).sum())} of {one.numel()} elements differ"


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
