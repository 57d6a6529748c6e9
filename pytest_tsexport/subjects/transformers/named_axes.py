"""Transformers model, inputs -> names: what the rules call the dimensions of inputs that the user gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import nn

from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.transformers.facts import Facts, facts_of
from pytest_tsexport.subjects.transformers.rules import BY_NAME


def axis_names(model: nn.Module, inputs: Mapping[str, torch.Tensor]) -> dict[tuple[str, int], str]:
    """The axis of each dimension that the rule of its input names, by input and place: `height` of `pixel_values`.

    The likeliest layout with as many dimensions says it, if the numbers in it are those of the input. Empty for a
    module that is no Transformers model and wraps none.
    """
    try:
        facts = facts_of(model)
    except InputsError:  # it names no argument, so no rule knows any
        return {}
    if facts is None:
        return {}
    return {(name, at): dim for name, one in inputs.items() for at, dim in _named(facts, name, tuple(one.shape))}


def _named(facts: Facts, name: str, shape: tuple[int, ...]) -> Iterator[tuple[int, str]]:
    laid_out = BY_NAME[name].laid_out(facts) if name in BY_NAME else ()
    dims = next((one.field.dims for one in laid_out if _fits(one.field.dims, shape)), ())
    yield from ((at, dim) for at, dim in enumerate(dims) if isinstance(dim, str))


def _fits(dims: tuple[str | int, ...], shape: tuple[int, ...]) -> bool:
    return len(dims) == len(shape) and all(
        isinstance(dim, str) or dim == size for dim, size in zip(dims, shape, strict=True)
    )
