"""two leaves -> gaps: their distance, element by element, in the metric that users of the output care about."""

from __future__ import annotations

import torch


def distances(expected: torch.Tensor, actual: torch.Tensor) -> torch.Tensor:
    """|expected - actual| in float64, 0 where both are the same infinity or both NaN."""
    wide = torch.complex128 if expected.is_complex() or actual.is_complex() else torch.float64
    gaps = (expected.to(wide) - actual.to(wide)).abs()
    same = (expected == actual) | (expected.isnan() & actual.isnan())
    return torch.where(same, torch.zeros_like(gaps), gaps).nan_to_num(float("inf"), float("inf"))


def size_of(leaf: torch.Tensor) -> torch.Tensor:
    """The absolute value of each element in float64."""
    return leaf.to(torch.complex128 if leaf.is_complex() else torch.float64).abs()


def magnitude(leaf: torch.Tensor) -> float:
    """The largest absolute value, 0 for an empty leaf; NaN and infinities are left out."""
    return float(as_real(leaf).nan_to_num(0.0, 0.0, 0.0).abs().max()) if leaf.numel() else 0.0


def as_real(leaf: torch.Tensor) -> torch.Tensor:
    """The values in float64; those of a complex leaf as pairs."""
    return (torch.view_as_real(leaf.resolve_conj()) if leaf.is_complex() else leaf).double()


def mistakes(expected: torch.Tensor, actual: torch.Tensor) -> torch.Tensor:
    """How far apart integers or booleans are; at least 1 where they differ."""
    gaps = (expected.to(torch.float64) - actual.to(torch.float64)).abs()
    gaps[expected != actual] = gaps[expected != actual].clamp_min(1.0)
    return gaps


def regrets(expected: torch.Tensor, actual: torch.Tensor) -> torch.Tensor:
    """What `expected` loses along the last dimension by the argmax of `actual`: little where two are nearly equal.

    It is 0 for the same argmax. NaN is never chosen.
    """
    inf = float("inf")
    values, theirs = (one.double().nan_to_num(-inf, inf, -inf) for one in (expected, actual))
    chosen = values.gather(-1, theirs.argmax(-1, keepdim=True)).squeeze(-1)
    best = values.amax(-1)
    return torch.where(best == chosen, torch.zeros_like(best), best - chosen)


def angles(expected: torch.Tensor, actual: torch.Tensor) -> torch.Tensor:
    """1 - cosine similarity along the last dimension: 0 for the same direction, 1 for a right angle, 2 at most.

    A NaN or an infinity that both have is left out; one that only one of them has counts as a right angle.
    """
    one, other = expected.double(), actual.double()
    endless = ~one.isfinite() & ((one == other) | (one.isnan() & other.isnan()))
    one, other = one.masked_fill(endless, 0.0), other.masked_fill(endless, 0.0)
    cosine = (one * other).sum(-1) / (one.norm(dim=-1) * other.norm(dim=-1))
    same = (one == other).all(-1)
    return torch.where(same, torch.zeros_like(cosine), 1 - cosine).nan_to_num(1.0).clamp_min(0.0)
