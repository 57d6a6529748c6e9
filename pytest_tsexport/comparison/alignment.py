"""model -> the same model with its weights at even addresses: where a loaded file has its own.

A checkpoint that is mapped from a file may have all its weights some bytes off. Kernels then add in another order, so
that a right file differs from eager in the last bits, and its noise would have to be measured in every such case.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from pytest_tsexport.errors import InputsError
from pytest_tsexport.tensors.copies import converted_copy
from pytest_tsexport.tensors.memory import joined
from pytest_tsexport.tensors.named_tensors import entries

ALIGNMENT = 64
"""The bytes of a cache line, at which torch begins each tensor that it makes."""

MOST_BYTES = 2**30
"""Weights that take more than this stay where they are: a second copy would cost more than it saves."""


def aligned(model: nn.Module) -> nn.Module:
    """A copy of the model whose weights begin where torch begins them; the model itself if they do, or are too large.

    Weights that share memory with others stay where they are. A model that cannot be copied is returned.
    """
    odd = {id(one): one for one in _odd(model)}
    if not odd or sum(one.numel() * one.element_size() for one in odd.values()) > MOST_BYTES:
        return model
    try:
        return converted_copy(model, lambda one: one.clone() if id(one) in odd else one)
    except InputsError:
        return model


def _odd(model: nn.Module) -> Iterator[torch.Tensor]:
    found = {id(entry.tensor): entry.tensor for entry in entries(model) if entry.tensor.layout == torch.strided}
    tensors = list(found.values())
    odd = [place for place, one in enumerate(tensors) if isinstance(one, nn.Parameter) and _is_odd(one)]
    if odd:  # almost no model has any, and what shares memory takes longer to find
        shared = {place for places in joined(tensors) for place in places if len(places) > 1}
        yield from (tensors[place] for place in odd if place not in shared)


def _is_odd(weight: torch.Tensor) -> bool:
    if weight.device.type != "cpu" or weight.is_meta or not weight.numel() or type(weight) is not nn.Parameter:
        return False
    return weight.is_contiguous() and weight.data_ptr() % ALIGNMENT != 0
