"""model, inputs -> noise: how far eager itself moves, element by element, where nothing but rounding changes.

Written for the benchmark alone, so that the truth does not come from the rule of the package that it measures. Eager is
asked 16 times with weights and inputs moved by up to 2 ULP (in half precision by one ULP, half of them), and once in
the wider type.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

Leaves = list[torch.Tensor]
Inputs = Mapping[str, torch.Tensor]
Call = Callable[[nn.Module, Inputs], Leaves]

NUDGES = 16
FEW = 2
"""Nudges that settle most differences: more of them can only make the noise larger."""

HALVES = (torch.float16, torch.bfloat16)
FACTOR = {torch.float32: 32.0, torch.float64: 32.0, torch.float16: 8.0, torch.bfloat16: 8.0}
"""A difference above so many times the noise is an error."""


class Noise:
    """Nudged copies of one model, kept so that every input is asked of the same ones."""

    def __init__(self, model: nn.Module, call: Call) -> None:
        self._call = call
        self._dtype = next((one.dtype for one in model.parameters() if one.is_floating_point()), torch.float32)
        self._copies = [_nudged_copy(model, seed) for seed in range(NUDGES)]
        self._wider = copy.deepcopy(model).to(self._wide)

    @property
    def factor(self) -> float:
        """How many times the noise an honest difference may be."""
        return FACTOR[self._dtype]

    @property
    def _wide(self) -> torch.dtype:
        return torch.float32 if self._dtype in HALVES else torch.float64

    def at(self, inputs: Inputs, answer: Leaves, nudges: int = NUDGES) -> Leaves:
        """For each leaf of eager's `answer` the noise at each element, in float64; NaN where eager may be NaN."""
        noise = [_spacing(leaf) for leaf in answer]
        for seed, model in enumerate(self._copies[:nudges]):
            generator = torch.Generator().manual_seed(7919 + seed)
            given = {name: nudged(tensor, generator) for name, tensor in inputs.items()}
            noise = _largest(noise, answer, self._call(model, given))
        try:
            wide = self._call(self._wider, {name: _widened(tensor, self._wide) for name, tensor in inputs.items()})
        except (RuntimeError, TypeError):  # a model that casts by itself refuses another dtype
            return self._settled(noise)
        return self._settled(_largest(noise, answer, wide))

    def _settled(self, noise: Leaves) -> Leaves:
        """In half precision an element may stand still by luck, so the median of its leaf is added."""
        if self._dtype not in HALVES:
            return noise
        return [one + one.nan_to_num().median() if one.numel() else one for one in noise]


def nudged(tensor: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Every element moved by -2 to 2 ULP; in half precision half of them, by one."""
    if not tensor.is_floating_point():
        return tensor
    moves = torch.tensor([-1, 0, 0, 1] if tensor.dtype in HALVES else [-2, -1, 0, 1, 2])
    steps = moves[torch.randint(0, len(moves), tensor.shape, generator=generator)]
    return (tensor.double() + steps * _spacing(tensor)).to(tensor.dtype)


def _nudged_copy(model: nn.Module, seed: int) -> nn.Module:
    copied: Any = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(104729 + seed)
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.copy_(nudged(parameter, generator))
    assert isinstance(copied, nn.Module)
    return copied


def _spacing(leaf: torch.Tensor) -> torch.Tensor:
    """One ULP of each element: the smallest noise that there is. 0 for whole numbers."""
    if not leaf.is_floating_point():
        return torch.zeros(leaf.shape, dtype=torch.float64)
    limits = torch.finfo(leaf.dtype)
    size = leaf.double().abs().nan_to_num(posinf=float(limits.max)).clamp_min(limits.tiny)
    return torch.exp2(size.log2().floor()) * limits.eps


def _largest(noise: Leaves, answer: Leaves, other: Leaves) -> Leaves:
    """The noise so far, or how far the other answer is; infinite where its shape differs."""
    moved = []
    for seen, leaf, again in zip(noise, answer, other, strict=True):
        if leaf.shape != again.shape:
            moved.append(torch.full_like(seen, float("inf")))
            continue
        distance = torch.where(leaf == again, 0.0, (leaf.double() - again.double()).abs())
        moved.append(torch.maximum(seen, distance))
    return moved


def _widened(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor
