"""descriptions, eager -> the one that runs: where inputs may be laid out in two ways, the model is asked.

What eager answers says that a layout is possible. The likeliest comes first, so what runs first is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import prod

import torch
from torch import nn

from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects import transformers
from pytest_tsexport.subjects.domains.tail_masks import TailMask
from pytest_tsexport.subjects.fields import Description
from pytest_tsexport.subjects.inquiry import Inquiry
from pytest_tsexport.subjects.placing import as_long, placed

MOST_NAMED = 3
"""How often the arguments that eager asks for by name are added."""

MOST_HINTS = 12
"""How many sizes that messages of eager name are tried."""

RANK = re.compile(r"values to unpack|[Dd]imension out of range|D tensor|\dD \(")
"""Messages whose numbers count dimensions."""

LARGEST = 2**22
"""No input is tried with more values because a message names a number."""

LEAST_HINT = 4
"""Smaller numbers in a message count dimensions."""

SIDES = ("height", "width")
"""Axes that are tried at one size together."""

TOLD = 3
"""Layouts whose refusal a message tells; the others are counted."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A description with the line in which eager refuses its inputs."""

    description: Description
    why: str

    def __str__(self) -> str:
        return f"{shapes_of(self.description)}: {self.why}"


def chosen(model: nn.Module, reference: nn.Module, possible: Sequence[Description]) -> tuple[Description, Inquiry]:
    """The first description that eager runs, and the inquiry that showed it.

    Its `given_up` has a line if eager refused the likeliest one. Text alone is taken unasked: the call that observes
    the model says why it does not run. If eager asks for an argument by name, or names a number, that is tried.
    Raises `InputsError`, one sentence, if none runs.
    """
    if len(possible) == 1 and _is_text(possible[0]):
        return possible[0], Inquiry.about(reference, possible[0])
    refused: list[Refused] = []
    for one in _tried(model, possible, refused):
        inquiry = Inquiry.about(reference, one)
        why = inquiry.refusal({}) or inquiry.refusal({}, _padded(one, inquiry.inputs))
        if why is None:
            return _with_reason(one, refused), inquiry
        refused.append(Refused(one, why))
        with_text = placed(model, reference, one, why) or as_long(reference, one, why)
        if with_text is not None:
            return _with_reason(with_text, refused), Inquiry.about(reference, with_text)
    raise InputsError(_refusal(model, refused))


def _padded(description: Description, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The masks of recordings and pictures, with the last third padded.

    Of a mask without padding, eager may not look at the size, and tracing does.
    """
    masks = {one.name: one.domain for one in description.fields if isinstance(one.domain, TailMask)}
    found = {name: inputs[name].clone() for name in masks}
    for name, mask in found.items():
        size = mask.shape[-1]
        mask.narrow(-1, size - size // 3, size // 3).fill_(masks[name].padding)
    return found


def _tried(model: nn.Module, possible: Sequence[Description], refused: Sequence[Refused]) -> Iterator[Description]:
    """The descriptions in the order in which eager is asked; `refused` grows meanwhile.

    First come those with pictures or sound, then what the messages about these name, then one row of each, and text
    alone comes last.
    """
    added: set[str] = set()
    plain = [one for one in possible if _is_text(one)]
    asked = [one for one in possible if one not in plain] or plain
    for _ in range(MOST_NAMED + 1):
        yield from _with_hints(asked, refused)
        named = set(transformers.named_in(model, " ".join(one.why for one in refused))) - added
        named -= {field.name for field in refused[0].description.fields}
        if not named:
            break
        added |= named
        asked = [one for one in transformers.descriptions(model, also=added) if asked is plain or not _is_text(one)]
    if asked is not plain:
        yield from _of_one_row(refused)
        yield from plain


def _of_one_row(refused: Sequence[Refused]) -> Iterator[Description]:
    """The refused descriptions with a batch of one: some models put the rows of a larger batch together wrongly."""
    whole = [one.description for one in refused if "batch" in one.description.unsure and not RANK.search(one.why)]
    for one in islice(whole, MOST_HINTS):
        axes = tuple(replace(axis, size=1) if axis.name == "batch" else axis for axis in one.axes)
        yield replace(one, axes=axes)


def _is_text(description: Description) -> bool:
    """Whether ids say it all."""
    follows = any(axis.rule is not None for axis in description.axes)
    return not description.unsure and not follows and "input_ids" in [one.name for one in description.fields]


def _with_hints(possible: Sequence[Description], refused: Sequence[Refused]) -> Iterator[Description]:
    """The descriptions, and then those of which eager has named another size: `must be a multiple of 1920`."""
    before = len(refused)
    yield from possible
    tried = {(one.description.fields, one.description.axes) for one in refused}
    resized = (other for one in refused[before:] if not RANK.search(one.why) for other in _resized(one))
    new = (one for one in resized if (one.fields, one.axes) not in tried)
    yield from islice({(one.fields, one.axes): one for one in new}.values(), MOST_HINTS)


def _resized(one: Refused) -> Iterator[Description]:
    """The refused description with its axes at each number in the message, the sides of a picture together."""
    description, sizes = one.description, one.description.sizes
    numbers = [int(number) for number in re.findall(r"(?<![\w.])\d{1,6}(?![\w.]*\d)", one.why)]
    names = [name for name in description.unsure if name != "batch"]
    groups = [[name for name in names if name in SIDES], *([name] for name in names if name not in SIDES)]
    for number in dict.fromkeys(reversed(numbers)):
        for group in groups if number >= LEAST_HINT else ():
            if any(sizes[name] != number for name in group):
                axes = (replace(axis, size=number) if axis.name in group else axis for axis in description.axes)
                resized = replace(description, axes=tuple(axes))
                if all(prod(field.shape(resized.sizes)) <= LARGEST for field in resized.fields):
                    yield resized


def shapes_of(description: Description) -> str:
    """`pixel_values (2, 3, 64, 96), pixel_mask (2, 64, 96)`."""
    return ", ".join(f"{one.name} {one.shape(description.sizes)}" for one in description.fields)


def _with_reason(taken: Description, refused: Sequence[Refused]) -> Description:
    return replace(taken, given_up={**taken.given_up, **_first_change(taken, refused)})


def _first_change(taken: Description, refused: Sequence[Refused]) -> dict[str, str]:
    """The first input that the likeliest description has in other dimensions than the taken one, and why.

    A size that eager refuses is not told here: how its axis varies is asked next.
    """
    dims = {one.name: one.dims for one in taken.fields}
    for one in refused[:1]:
        for field in one.description.fields:
            if dims.get(field.name) != field.dims:
                how = f"given as {_listed(dims[field.name])}" if field.name in dims else "not given"
                line = f"{field.name} {how}: eager refuses {one}"
                return {field.name: line}
    return {}


def _listed(dims: Sequence[str | int]) -> str:
    return f"({', '.join(map(str, dims))})"


def _refusal(model: nn.Module, refused: Sequence[Refused]) -> str:
    """One sentence: the layouts that were tried, and what eager said about each."""
    unique = {one.why: one for one in reversed(refused)}
    first = [one for one in refused if unique[one.why] is one]
    lines = "; ".join(str(one) for one in first[:TOLD])
    more = f"; and {len(first) - TOLD} other reasons" if len(first) > TOLD else ""
    inputs = ", ".join(f"{one.name!r}: tensor" for one in refused[0].description.fields)
    return f"inputs cannot be derived for {type(model).__name__}: eager refuses {lines}{more}; give inputs={{{inputs}}}"
