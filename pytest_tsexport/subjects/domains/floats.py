"""scale -> floats: real and complex numbers around 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from pytest_tsexport.subjects.domains.base import Domain, Draw, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Floats(Domain):
    """Floats of the size `scale`, which is the mean absolute value of the example."""

    pads_with_zeros: ClassVar[bool] = True

    scale: float = 1.0

    def draw(self, request: Draw) -> torch.Tensor:
        """Normally distributed; both parts of a complex number are drawn."""
        values = _spread(request.shape, request.generator, request.pattern)
        if self.dtype.is_complex:
            values = torch.complex(values, _spread(request.shape, request.generator, request.pattern))
        return (values * self.scale).to(self.dtype)

    def moved(self, values: torch.Tensor, sizes: Mapping[str, int]) -> torch.Tensor | None:
        """Another number of another sign and size."""
        return values * -2 + 1


def _spread(shape: Shape, generator: torch.Generator, pattern: str) -> torch.Tensor:
    """Floats of about the size 1."""
    values = torch.randn(shape, generator=generator, dtype=torch.float64)
    if pattern == "extremes":
        values = values * _chosen((0.0, 1e-3, 10.0), shape, generator)
    elif pattern == "repeats" and shape:
        values = values[..., :1].expand(shape).clone()
    elif pattern == "special":
        values = -values.abs() * _chosen((0.0, 1.0, 1.0), shape, generator)
    elif pattern == "sweep":
        values = values * _chosen((1e-2, 1.0, 10.0), (*shape[:1], *(1 for _ in shape[1:])), generator)
    return values


def _chosen(values: tuple[float, ...], shape: Shape, generator: torch.Generator) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)[torch.randint(0, len(values), shape, generator=generator)]
