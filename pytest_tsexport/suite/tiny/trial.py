"""tiny model -> whether eager runs it, on inputs that are derived as for any model; statistics of its batch norms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects import transformers
from pytest_tsexport.subjects.arguments import keywords
from pytest_tsexport.subjects.choosing import chosen

Inputs = Mapping[str, object]


def inputs_of(model: nn.Module) -> Inputs | None:
    """The arguments that eager answers; None if no inputs are derived, or if it refuses them."""
    try:
        possible = transformers.descriptions(model)
        if not possible:
            return None
        description, inquiry = chosen(model, model, possible)
    except InputsError:
        return None
    return keywords(inquiry.inputs, description.constants) if inquiry.refusal({}) is None else None


def measure_statistics(model: nn.Module, inputs: Inputs) -> None:
    """Gives each batch norm the statistics of what it gets in one call.

    Those of a new model are 0 and 1. Small weights then let the signal fade from layer to layer, until no answer
    depends on the input.
    """
    norms = [one for one in model.modules() if {"running_mean", "running_var"} <= set(dict(one.named_buffers()))]
    if norms:
        with torch.no_grad(), _measuring(norms):
            model(**inputs)


@contextmanager
def _measuring(norms: list[nn.Module]) -> Iterator[None]:
    hooks = [one.register_forward_pre_hook(_measure) for one in norms]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _measure(norm: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
    values = given[0]
    others = [place for place in range(values.dim()) if place != 1]
    variance = values.var(others)
    norm.get_buffer("running_mean").copy_(values.mean(others))
    norm.get_buffer("running_var").copy_(torch.where(variance > 0, variance, 1.0))
