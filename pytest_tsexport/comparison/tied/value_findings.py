"""tied name, tensor of the file -> finding: whether a tensor that has the name of a weight has its value too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from pytest_tsexport.comparison.tied.evidence import TiedEvidence
from pytest_tsexport.comparison.tied.forms import REMADE, Likeness
from pytest_tsexport.tensors.perturbation import numbers_of

CHANGED = "a tied weight is not the model's in the file"

NOTED: dict[Likeness, str] = {"cast": "rounded to", "cut": "cut to its first", "padded": "lengthened to"}
"""What exporters are known to do to a weight, and how a note begins to say it."""


FEW = 4
"""A line shows no more names than this: a mask of 24 layers has as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found about one group: a headline and a text if it is wrong, notes, and what was not looked at.

    `absent` are the names of which the file has no copy, and `fix` is what to do, if it is not the same for all.
    """

    headline: str = ""
    text: str = ""
    fix: str = ""
    absent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_covered: tuple[str, ...] = ()


def summed(findings: Sequence[Finding], not_covered: tuple[str, ...] = ()) -> Finding:
    """The notes of findings that are not wrong, each once."""
    return Finding(
        notes=tuple(dict.fromkeys(note for one in findings for note in one.notes)),
        not_covered=(*(said for one in findings for said in one.not_covered), *not_covered),
        absent=tuple(name for one in findings for name in one.absent),
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
    how = tied.values.how(name, key)
    if how == "equal":
        return Finding()
    said = _said(name, key, tied)
    if tied.holds_parity and _is_accounted_for(name, key, tied):
        return Finding(notes=(f"{name} {said}",))
    if how in NOTED:
        return Finding(
            headline=CHANGED, text=f"{key} is the model's {name}, {said.removeprefix('is ')}, and the answers differ"
        )
    if how == "transposed":
        return Finding(headline=CHANGED, text=f"{key} is the transpose of the model's {name}")
    gap = _gap(tied.ours[name], tied.theirs[key])
    return Finding(headline=CHANGED, text=f"{key} is not bit-equal to the model's {name}{gap}")


def _said(name: str, key: str, tied: TiedEvidence) -> str:
    """What an exporter did to a weight, as a note says it."""
    how, form = tied.values.form(name, key)
    shape = tuple(tied.theirs[key].shape)
    if how == "cast":
        return f"is {NOTED[how]} {_short(tied.theirs[key].dtype)}"
    if how == "multiplied":
        return f"is multiplied by {form.factor:.3g}"
    if how in NOTED or how in REMADE:
        return f"is {NOTED.get(how, f'{how} to')} {shape}"
    return "has another value, and the rest of the file makes up for it"


def _is_accounted_for(name: str, key: str, tied: TiedEvidence) -> bool:
    """Whether the answers, which are the model's, show that another value is what the file needs there."""
    how = tied.values.how(name, key)
    if how in REMADE:
        return tied.reads_as_the_model(name, key)
    return how in NOTED or (how == "other values" and _is_made_up_for(name, key, tied))


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
