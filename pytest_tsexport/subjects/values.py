"""field, sizes, seed -> tensor: values that production may send, the same on every machine.

Drawn from a seeded generator and not element by element: hypothesis draws the sizes and the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from pytest_tsexport.subjects.fields import Domain, Field

MASK_PATTERNS = ("ones", "right", "left")
"""All ones, and padded on one side by a number of positions that differs from row to row."""

PATTERNS = ("uniform", "extremes", "repeats")
"""How ids, integers and floats are spread over their domain."""


def draw(field: Field, sizes: Mapping[str, int], seed: int, pattern: str = "uniform") -> torch.Tensor:
    """One input of `field`'s shape at these sizes.

    `pattern` is one of `PATTERNS`, or of `MASK_PATTERNS` where the field is a mask.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = field.shape(sizes)
    if field.domain.kind == "mask":
        return _mask(shape, generator, pattern if pattern in MASK_PATTERNS else "ones").to(field.domain.dtype)
    if field.domain.kind == "floats":
        return _floats(shape, field.domain, generator, pattern)
    return _integers(shape, field.domain, generator, pattern)


def _mask(shape: tuple[int, ...], generator: torch.Generator, pattern: str) -> torch.Tensor:
    """1 where a token is; every row keeps at least one."""
    mask = torch.ones(shape)
    if pattern == "ones" or not shape or not mask.numel():
        return mask
    kept = torch.randint(1, shape[-1] + 1, (*shape[:-1], 1), generator=generator)
    place = torch.arange(shape[-1]).expand(shape)
    return (place < kept if pattern == "right" else place >= shape[-1] - kept).to(mask.dtype)


def _integers(shape: tuple[int, ...], domain: Domain, generator: torch.Generator, pattern: str) -> torch.Tensor:
    values = _INTEGERS[pattern](shape, domain, generator)
    if domain.last is not None and shape and shape[-1]:
        other = domain.low if domain.last != domain.low else domain.low + 1
        values = torch.where(values == domain.last, other, values)
        values[..., -1] = domain.last
    return values.to(domain.dtype)


def _uniform(shape: tuple[int, ...], domain: Domain, generator: torch.Generator) -> torch.Tensor:
    return torch.randint(domain.low, max(domain.high, domain.low + 1), shape, generator=generator)


def _extremes(shape: tuple[int, ...], domain: Domain, generator: torch.Generator) -> torch.Tensor:
    """The ends of the domain, where off-by-one lookups go wrong."""
    ends = torch.tensor([domain.low, min(domain.low + 1, domain.high - 1), domain.high - 1])
    return ends[torch.randint(0, 3, shape, generator=generator)]


def _repeats(shape: tuple[int, ...], domain: Domain, generator: torch.Generator) -> torch.Tensor:
    """One value all along a row."""
    rows = _uniform((*shape[:-1], 1), domain, generator) if shape else _uniform((), domain, generator)
    return rows.expand(shape).clone()


_INTEGERS: Mapping[str, Callable[[tuple[int, ...], Domain, torch.Generator], torch.Tensor]] = {
    "uniform": _uniform,
    "extremes": _extremes,
    "repeats": _repeats,
}


def _floats(shape: tuple[int, ...], domain: Domain, generator: torch.Generator, pattern: str) -> torch.Tensor:
    values = torch.randn(shape, generator=generator, dtype=torch.float64)
    if pattern == "extremes":
        values = (
            values
            * torch.tensor([0.0, 1e-3, 10.0], dtype=torch.float64)[torch.randint(0, 3, shape, generator=generator)]
        )
    elif pattern == "repeats" and shape:
        values = values[..., :1].expand(shape).clone()
    return (values * domain.scale).to(domain.dtype)
