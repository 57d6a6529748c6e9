"""descriptions, eager -> the one that runs: where inputs may be laid out in two ways, the model is asked.

What eager answers says that a layout is possible. The likeliest comes first, so what runs first is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects import transformers
from pytest_tsexport.subjects.fields import Description
from pytest_tsexport.subjects.inquiry import Inquiry

EXAMPLE_SEED = 20

MOST_NAMED = 3
"""How often the arguments that eager asks for by name are added."""

TOLD = 3
"""Layouts whose refusal a message tells; the others are counted."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A description with the line in which eager refuses its inputs."""

    description: Description
    why: str

    def __str__(self) -> str:
        return f"{shapes_of(self.description)}: {self.why}"


def example(description: Description) -> dict[str, torch.Tensor]:
    """The inputs at which the model is traced."""
    return {one.name: one.draw(description.sizes, EXAMPLE_SEED) for one in description.fields}


def chosen(model: nn.Module, reference: nn.Module, possible: Sequence[Description]) -> Description:
    """The first description that eager runs, with a line in `given_up` if it refused the likeliest.

    One alone is taken unasked: the call that observes the model says why it does not run. If eager asks for an argument
    by name, that one is added. Raises `InputsError`, one sentence, if none runs.
    """
    if len(possible) == 1 and not possible[0].unsure:
        return possible[0]
    refused: list[Refused] = []
    added: set[str] = set()
    for _ in range(MOST_NAMED + 1):
        for one in possible:
            why = Inquiry.of(reference, example(one), one.constants).refusal({})
            if why is None:
                return replace(one, given_up={**one.given_up, **_told(one, refused)})
            refused.append(Refused(one, why))
        named = {name for one in refused for name in transformers.named_in(model, one.why)} - added
        named -= {field.name for field in refused[0].description.fields}
        if not named:
            break
        added |= named
        possible = transformers.descriptions(model, also=added)
    raise InputsError(_refusal(model, refused))


def shapes_of(description: Description) -> str:
    """`pixel_values (2, 3, 64, 96), pixel_mask (2, 64, 96)`."""
    return ", ".join(f"{one.name} {one.shape(description.sizes)}" for one in description.fields)


def _told(taken: Description, refused: Sequence[Refused]) -> dict[str, str]:
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
    unique = {one.why: one for one in refused}
    told = "; ".join(str(one) for one in list(unique.values())[:TOLD])
    more = f"; and {len(refused) - TOLD} more" if len(refused) > TOLD else ""
    inputs = ", ".join(f"{one.name!r}: tensor" for one in refused[0].description.fields)
    return (
        f"inputs cannot be derived for {type(model).__name__}: eager refuses {told}{more}; "
        f"give inputs={{{inputs}}} to the marker"
    )
