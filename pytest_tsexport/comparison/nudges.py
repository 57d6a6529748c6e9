"""tensor -> nudged tensor: the same values, each moved by at most a few ULP, as another order of additions moves them.

Exact values are not moved where that is asked for (a threshold of 1.0, a mask, a count): no kernel computes them, so
none rounds them.
"""

from __future__ import annotations

import math
from functools import cache

import torch

from pytest_tsexport.tensors.tree import CPU

FIRST, FIRST_IN_HALF = 2, 1
"""ULP by which a value is moved at most, in wide types and in half precision; multiples of it are used too."""

DECIMALS, WHOLE = 3, 10**5
"""Places after the point, and the largest number, of what is taken for a decimal number that somebody wrote down.

One float32 of the size 1 in eight thousand is such a number by chance, and one of the size 100 in eighty.
"""

LARGE = 2**18
"""Larger tensors get no noise of single values: to draw it would cost more than the model."""

NUMBERS = 2**19
"""Noise is cut from so many random numbers, each time at another place: to draw it anew would cost more than a step."""


def times_of(dtype: torch.dtype) -> int:
    """How many times the first nudge of float32 is half a ULP of another type."""
    return round(torch.finfo(dtype).eps / torch.finfo(torch.float32).eps / FIRST / 2)


def is_movable(tensor: torch.Tensor) -> bool:
    """Whether a tensor holds numbers that are rounded, in a type that torch computes in."""
    return (tensor.is_floating_point() or tensor.is_complex()) and torch.finfo(tensor.dtype).bits >= 16


def nudged(tensor: torch.Tensor, times: int, generator: torch.Generator, *, exact: bool) -> torch.Tensor:
    """A tensor whose values are moved by at most `times` the first nudge; a tensor that is not movable is returned.

    Noise of each value, of each slice along each dimension, and of the whole tensor is added: noise of single values
    averages out in sums. With `exact`, values of few digits stay what they are. The lowest number of a type, as in
    masks, is not moved to infinity.
    """
    if not is_movable(tensor) or not tensor.numel():
        return tensor
    if tensor.is_complex():
        return torch.view_as_complex(nudged(_pairs(tensor), times, generator, exact=exact))
    moved = _moved(tensor, times, _noise(tensor.shape, _computed(tensor), generator))
    return torch.where(is_exact(tensor), tensor, moved) if exact else moved


def nudged_alike(tensor: torch.Tensor, times: int, generator: torch.Generator, *, exact: bool) -> torch.Tensor:
    """A tensor whose values are moved like those of `nudged`, and equal values alike.

    A column that holds one value holds one value afterwards, so its variance is still 0.
    """
    if not is_movable(tensor) or not tensor.numel():
        return tensor
    if tensor.is_complex():
        return torch.view_as_complex(nudged_alike(_pairs(tensor), times, generator, exact=exact))
    noise = _noise(torch.Size(()), _computed(tensor), generator).expand(tensor.shape)
    if tensor.numel() <= LARGE:
        values, places = tensor.unique(return_inverse=True)
        noise = (noise + _noise(values.shape, _computed(tensor), generator)[places]) / 2
    moved = _moved(tensor, times, noise)
    return torch.where(is_exact(tensor), tensor, moved) if exact else moved


def _computed(tensor: torch.Tensor) -> torch.dtype:
    return torch.float64 if tensor.dtype == torch.float64 else torch.float32


def _moved(tensor: torch.Tensor, times: int, noise: torch.Tensor) -> torch.Tensor:
    finfo = torch.finfo(tensor.dtype)
    most = times * (FIRST_IN_HALF if finfo.bits == 16 else FIRST)
    factor = torch.add(torch.ones((), dtype=noise.dtype, device=CPU), noise, alpha=most * finfo.eps)
    moved = (tensor.to(_computed(tensor)) * factor.to(tensor.device)).to(tensor.dtype)
    if bool(moved.sum().isfinite()):  # so is each value then, and a sum is read several times faster
        return moved
    return torch.where(moved.isfinite(), moved, tensor)


def _pairs(tensor: torch.Tensor) -> torch.Tensor:
    return torch.view_as_real(tensor.resolve_conj()).contiguous()


def _noise(shape: torch.Size, dtype: torch.dtype, generator: torch.Generator) -> torch.Tensor:
    """Numbers between -1 and 1 that broadcast to the shape."""
    ones = (1,) * len(shape)
    slices = [(*ones[:dim], size, *ones[dim + 1 :]) for dim, size in enumerate(shape)] if len(shape) > 1 else []
    levels = [ones, *slices, *([tuple(shape)] if shape.numel() <= LARGE or not slices else [])]
    noise = torch.zeros(ones, dtype=dtype, device=CPU)
    starts = torch.randint(NUMBERS - LARGE, (len(levels),), generator=generator, device=CPU).tolist()
    for level, start in zip(levels, starts, strict=True):
        noise = torch.add(noise, _cut(level, dtype, start), alpha=1 / len(levels))
    return noise


def _cut(shape: tuple[int, ...], dtype: torch.dtype, start: int) -> torch.Tensor:
    size = math.prod(shape)
    if size > LARGE:
        return _drawn(size, dtype, seed=start).view(shape)
    return _numbers(dtype)[start : start + size].view(shape)


@cache
def _numbers(dtype: torch.dtype) -> torch.Tensor:
    return _drawn(NUMBERS, dtype, seed=0)


def _drawn(size: int, dtype: torch.dtype, seed: int) -> torch.Tensor:
    """On the CPU, whatever the default device is: it is kept for the process."""
    return torch.rand(size, generator=torch.Generator().manual_seed(seed), dtype=dtype, device=CPU) * 2 - 1


def is_exact(tensor: torch.Tensor) -> torch.Tensor:
    """Where a value needs at most half of its digits, as 1, 0.5, 0.3 and 12345 do and computed values hardly ever do.

    Half of the binary digits, or so few decimal ones that callers may have written the number down. Half precision has
    too few digits for the latter.
    """
    mantissa, _ = torch.frexp(tensor.double())
    half = -int(math.log2(torch.finfo(tensor.dtype).eps)) // 2
    digits: torch.Tensor = mantissa * 2**half
    exact = digits == digits.round()
    return exact if torch.finfo(tensor.dtype).bits == 16 else exact | _is_decimal(tensor)


def _is_decimal(tensor: torch.Tensor) -> torch.Tensor:
    """Where a value is the nearest number of its type to one of at most `DECIMALS` places after the point."""
    scaled = tensor.double() * 10**DECIMALS
    is_decimal: torch.Tensor = (scaled.round() / 10**DECIMALS).to(tensor.dtype) == tensor
    is_decimal &= scaled.abs() < 10**DECIMALS * WHOLE
    return is_decimal
