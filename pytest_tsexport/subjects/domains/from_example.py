"""example -> domain: the values that an input may hold, as far as one example shows."""

from __future__ import annotations

import re

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.integers import Integers
from pytest_tsexport.subjects.domains.masks import Mask, Switch
from pytest_tsexport.subjects.domains.own_values import widened

SHUT = -1e4
"""An additive mask shuts a position with this or less; the other values of such a mask are below its opposite."""


MASKS = re.compile(
    r"mask|pad|valid|keep|kept|present|observed|visible|real|attend|ignore|exclude|drop|absent|missing", re.IGNORECASE
)
"""Names of inputs that mark positions; other zeros and ones may be no mask at all."""

MARKS_PADDING = re.compile(r"^(?!.*(non|not|un|valid|keep)).*(pad|ignore|exclude|drop|absent|missing)", re.IGNORECASE)
"""Names of masks that hold 1 where a position is padded, unless the example shows something else."""


def domain_of(example: torch.Tensor, name: str, dims: tuple[str | int, ...]) -> Domain:
    """The domain of an input of this name and these dimensions; those that vary are names of axes."""
    if example.is_floating_point() or example.is_complex():
        return Floats(dtype=example.dtype, scale=_scale(example))
    values = widened(example)  # torch has no operators for unsigned numbers of 16 bits and more
    if set(values.unique().tolist()) <= {0, 1} and (example.numel() or example.dtype == torch.bool):
        if _is_switch(example, name, dims):
            return Switch(dtype=example.dtype)
        return Mask(dtype=example.dtype, padding=_padding(values, name), free=not MASKS.search(name))
    low, high = (int(values.min()), int(values.max()) + 1) if example.numel() else (0, 2)
    return Integers(dtype=example.dtype, low=low, high=high)


def _padding(values: torch.Tensor, name: str) -> int:
    """Which value marks padding. No row is padded from end to end, so a row of one value holds the other one.

    If no row shows it, or rows show both, the name says it.
    """
    rows = values.reshape(-1, values.shape[-1]) if values.dim() and values.numel() else values.reshape(-1, 1)
    whole = rows[(rows == rows[:, :1]).all(dim=1)] if rows.shape[1] > 1 else rows[:0]
    real = set(whole[:, 0].tolist())
    if len(real) == 1:
        return 1 - int(real.pop())
    return int(MARKS_PADDING.search(name) is not None)


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
