"""two leaves -> gaps: how far apart they are, element by element, by what users of the output look at."""

from __future__ import annotations

import torch


def distances(expected: torch.Tensor, actual: torch.Tensor) -> torch.Tensor:
    """|expected - actual| in float64, 0 where both are the same infinity or both NaN."""
    wide = torch.complex128 if expected.is_complex() or actual.is_complex() else torch.float64
    gaps = (expected.to(wide) - actual.to(wide)).abs()
    same = (expected == actual) | (expected.isnan() & actual.isnan())
    return torch.where(same, torch.zeros_like(gaps), gaps).nan_to_num(float("inf"), float("inf"))


def mistakes(expected: torch.Tensor, actual: torch.Tensor) -> torch.Tensor:
    """0 or 1 for each element of integer or boolean leaves, and more where integers lie further apart."""
    gaps = (expected.to(torch.float64) - actual.to(torch.float64)).abs()
    gaps[expected != actual] = gaps[expected != actual].clamp_min(1.0)
    return gaps


def regrets(expected: torch.Tensor, actual: torch.Tensor) -> torch.Tensor:
    """What `expected` loses along the last dimension by choosing as `actual` does: 0 for the same, little for a tie.

    A NaN is never chosen.
    """
    inf = float("inf")
    values, theirs = (one.double().nan_to_num(-inf, inf, -inf) for one in (expected, actual))
    chosen = values.gather(-1, theirs.argmax(-1, keepdim=True)).squeeze(-1)
    best = values.amax(-1)
    return torch.where(best == chosen, torch.zeros_like(best), best - chosen)


def angles(expected: torch.Tensor, actual: torch.Tensor) -> torch.Tensor:
    """1 - cosine similarity along the last dimension: 0 for the same direction, 1 for a right angle, 2 at most.

    A NaN or an infinity that both have points nowhere; one that only one has is a right angle to all.
    """
    one, other = expected.double(), actual.double()
    endless = ~one.isfinite() & ((one == other) | (one.isnan() & other.isnan()))
    one, other = one.masked_fill(endless, 0.0), other.masked_fill(endless, 0.0)
    cosine = (one * other).sum(-1) / (one.norm(dim=-1) * other.norm(dim=-1))
    same = (one == other).all(-1)
    return torch.where(same, torch.zeros_like(cosine), 1 - cosine).nan_to_num(1.0).clamp_min(0.0)
