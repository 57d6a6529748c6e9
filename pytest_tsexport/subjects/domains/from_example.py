"""example -> domain: the values that an input may hold, as far as one example shows."""

from __future__ import annotations

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.integers import Integers
from pytest_tsexport.subjects.domains.masks import Mask, Switch

SHUT = -1e4
"""An additive mask shuts a position with this or less; the other values of such a mask are below its opposite."""


def domain_of(example: torch.Tensor, name: str, dims: tuple[str | int, ...]) -> Domain:
    """The domain of an input of this name and these dimensions; those that vary are names of axes."""
    if example.is_floating_point() or example.is_complex():
        return Floats(dtype=example.dtype, scale=_scale(example))
    if set(example.unique().tolist()) <= {0, 1} and (example.numel() or example.dtype == torch.bool):
        return Switch(dtype=example.dtype) if _is_switch(example, name, dims) else Mask(dtype=example.dtype)
    low, high = (int(example.min()), int(example.max()) + 1) if example.numel() else (0, 2)
    return Integers(dtype=example.dtype, low=low, high=high)


def _is_switch(example: torch.Tensor, name: str, dims: tuple[str | int, ...]) -> bool:
    """Whether a row holds one value; but the mask of a sequence of length 1 is a mask, and keeps its one token."""
    is_named_mask = "mask" in name and (len(dims) > 1 or any(isinstance(dim, str) for dim in dims))
    return example.shape[-1:] in ((), (1,)) and not is_named_mask


def _scale(example: torch.Tensor) -> float:
    """The mean absolute value, without the values that an additive mask shuts positions with."""
    values = example.detach().flatten().to(torch.complex128 if example.is_complex() else torch.float64)
    values = values[values.isfinite()]
    if not values.is_complex() and values.numel() and float(values.max()) < -SHUT:
        values = values[values > SHUT] if bool((values > SHUT).any()) else values
    return float(values.abs().mean()) or 1.0 if values.numel() else 1.0
