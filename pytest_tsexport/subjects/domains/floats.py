"""scale -> floats: real and complex numbers around 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from pytest_tsexport.subjects.domains.base import ADDED, PATTERNS, Domain
from pytest_tsexport.subjects.domains.draw import Draw, Shape
from pytest_tsexport.subjects.domains.own_values import widened
from pytest_tsexport.subjects.domains.placing import EXACT, one_column, sprinkled


@dataclass(frozen=True, slots=True, kw_only=True)
class Floats(Domain):
    """Floats of the size `scale`, which is the mean absolute value of the example."""

    pads_with_zeros: ClassVar[bool] = True

    patterns: ClassVar[tuple[str, ...]] = (*(one for one in PATTERNS if one != "adjacent"), *ADDED)

    scale: float = 1.0

    def _drawn(self, request: Draw) -> torch.Tensor:
        """Normally distributed, or usual values with others among them; both parts of a complex number are drawn."""
        if request.pattern in _CHANGES:
            return _CHANGES[request.pattern](self._default_values(request), request).to(self.dtype)
        values = _spread(request.shape, request.generator, request.pattern)
        if self.dtype.is_complex:
            values = torch.complex(values, _spread(request.shape, request.generator, request.pattern))
        return (values * self.scale).to(self.dtype)

    def _default_values(self, request: Draw) -> torch.Tensor:
        """Usual values in a wide dtype: torch has few operators for those of 8 bits."""
        return widened(self.draw(replace(request, pattern=self.default_pattern)))

    def moved(self, values: torch.Tensor, sizes: Mapping[str, int]) -> torch.Tensor | None:
        """Another number of another sign and size."""
        return (widened(values) * -2 + 1).to(self.dtype)


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


def _constant(values: torch.Tensor, request: Draw) -> torch.Tensor:
    """Silence, or the first value everywhere."""
    if request.seed % 2 == 0 or not values.numel():
        return torch.zeros_like(values)
    return values.flatten()[0].expand(values.shape).clone()


def _exact(values: torch.Tensor, request: Draw) -> torch.Tensor:
    return sprinkled(values, torch.tensor(EXACT[request.seed % len(EXACT)], dtype=values.dtype), request)


def _nan(values: torch.Tensor, request: Draw) -> torch.Tensor:
    return sprinkled(values, torch.tensor(float("nan"), dtype=values.dtype), request)


def _infinite(values: torch.Tensor, request: Draw) -> torch.Tensor:
    """Infinite ones of both signs in turn."""
    sign = -1.0 if request.seed % 2 else 1.0
    return sprinkled(values, torch.tensor(sign * float("inf"), dtype=values.dtype), request)


def _beyond(values: torch.Tensor, request: Draw) -> torch.Tensor:
    """Readings past what a sensor measures: a thousand or a hundred times larger."""
    return values * (1000.0 if request.seed % 2 == 0 else 100.0)


_CHANGES = {
    "dead": one_column,
    "constant": _constant,
    "exact": _exact,
    "nan": _nan,
    "infinite": _infinite,
    "beyond": _beyond,
}
"""Patterns that change usual values."""


def _chosen(values: tuple[float, ...], shape: Shape, generator: torch.Generator) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)[torch.randint(0, len(values), shape, generator=generator)]
