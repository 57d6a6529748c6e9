"""values -> values: puts one value among others, or all along one column."""

from __future__ import annotations

import torch

from pytest_tsexport.subjects.domains.draw import Draw

EXACT = (0, 1, -1)
"""Numbers that often mean something else than their size: no step yet, the whole, missing."""


def sprinkled(values: torch.Tensor, value: torch.Tensor, request: Draw) -> torch.Tensor:
    """`values` with `value` at some places. The first of several rows stays, so that not all answers become NaN.

    The number of places depends on the seed: one, or about a third.
    """
    if not values.numel():
        return values
    rank = torch.rand(values.shape, generator=request.generator)
    if values.dim() and values.shape[0] > 1:
        rank[0] = 2.0
    chosen = rank <= rank.min() if request.seed % 2 == 0 else rank <= max(float(rank.min()), 0.35)
    return torch.where(chosen, value, values)


def one_column(values: torch.Tensor, request: Draw) -> torch.Tensor:
    """`values` with one value all along one column, which is a place along the last or the second dimension."""
    if not values.numel() or not values.dim():
        return values
    place = values.dim() - 1 if request.seed % 2 == 0 else min(1, values.dim() - 1)
    column = int(torch.randint(0, values.shape[place], (), generator=request.generator))
    changed = values.clone()
    dead = changed.select(place, column)
    dead.copy_(dead.flatten()[0].clone().expand(dead.shape))
    return changed
