"""plan, number -> inputs: the plain generator by which the truth about a mutated file is found.

It knows nothing of the search of the package, and imports nothing of it: ids are drawn uniformly over the vocabulary,
floats from the normal distribution, masks as random padding on the right. Every second input has the traced size; in
the others the batch is 1 to 4, and every other axis up to three times the traced size. One input in eight goes further:
up to the largest size that the model takes (eight times the traced one if it has no maximum), so that a row of a table
which only long inputs read is not taken for a row that nobody reads.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

Inputs = dict[str, torch.Tensor]

MOST_BATCH, FAR_BATCH = 4, 12
TIMES, FAR_TIMES = 3, 8


@dataclass(frozen=True, slots=True)
class Input:
    """One argument: its dimensions (names of axes, which vary, or numbers) and the kind of its values.

    `kind` is `floats`, `ids` (whole numbers from 0 up to `high`, which is left out) or `mask`.
    """

    name: str
    dims: tuple[str | int, ...]
    kind: str = "floats"
    high: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All arguments of a model: the size at which it is traced, and the largest sizes that it takes."""

    inputs: tuple[Input, ...]
    traced: Mapping[str, int]
    most: Mapping[str, int] = field(default_factory=dict)
    dtype: torch.dtype = torch.float32


def example(plan: Plan) -> Inputs:
    """What the model is traced with: the traced size, nothing padded."""
    generator = torch.Generator().manual_seed(11)
    drawn = {one.name: _values(one, plan, plan.traced, generator) for one in plan.inputs}
    return {
        one.name: torch.ones_like(drawn[one.name]) if one.kind == "mask" else drawn[one.name] for one in plan.inputs
    }


def draw(plan: Plan, name: str, number: int) -> tuple[dict[str, int], Inputs]:
    """The sizes and values of the input of that number, the same for every mutation of the family `name`."""
    generator = torch.Generator().manual_seed(zlib.crc32(f"{name}:{number}".encode()))
    sizes = dict(plan.traced) if number % 2 == 0 else _sizes(plan, generator, far=number % 8 == 7)
    return sizes, {one.name: _values(one, plan, sizes, generator) for one in plan.inputs}


def _sizes(plan: Plan, generator: torch.Generator, *, far: bool) -> dict[str, int]:
    sizes = {}
    for axis, traced in plan.traced.items():
        longest = (FAR_TIMES if far else TIMES) * traced
        most = min(longest, plan.most.get(axis, longest))
        if axis == "batch":
            most = FAR_BATCH if far else MOST_BATCH
        sizes[axis] = int(torch.randint(1, most + 1, (), generator=generator))
    return sizes


def _values(one: Input, plan: Plan, sizes: Mapping[str, int], generator: torch.Generator) -> torch.Tensor:
    shape = tuple(sizes[dim] if isinstance(dim, str) else dim for dim in one.dims)
    if one.kind == "ids":
        return torch.randint(0, one.high, shape, generator=generator)
    if one.kind == "mask":
        lengths = torch.randint(1, shape[-1] + 1, (*shape[:-1], 1), generator=generator)
        return (torch.arange(shape[-1]) < lengths).to(torch.int64)
    return torch.randn(shape, generator=generator).to(plan.dtype)
