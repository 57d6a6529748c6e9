"""sizes -> grids: of how many patches each picture is made, in time, in height and in width."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.draw import Draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Grids(Domain):
    """One grid a row: `(1, height, width)`, or `(height, width)` without `in_time`.

    The rows have as many patches each; some pictures lie on their side if they `may_turn`.
    """

    patterns: ClassVar[tuple[str, ...]] = ()
    noun: ClassVar[str] = "grids"

    height: str | int = "grid_height"
    width: str | int = "grid_width"
    in_time: bool = True
    may_turn: bool = True

    def _drawn(self, request: Draw) -> torch.Tensor:
        height, width = self._sides(request.sizes)
        upright = torch.tensor([*([1] if self.in_time else []), height, width])
        lying = torch.tensor([*([1] if self.in_time else []), width, height])
        turned = torch.rand(request.shape[:-1], generator=request.generator) < (1 / 3 if self.may_turn else 0)
        return torch.where(turned[..., None], lying, upright).to(self.dtype)

    def fits(self, dtype: torch.dtype) -> bool:
        """Grids are whole numbers."""
        return not (dtype.is_floating_point or dtype.is_complex)

    def moved(self, values: torch.Tensor, sizes: Mapping[str, int]) -> torch.Tensor:
        """Each picture turned on its side."""
        return (
            values if not self.may_turn else torch.cat([values[..., :-2], values[..., -1:], values[..., -2:-1]], dim=-1)
        )

    def with_axes(self, dims: Mapping[str, str | int]) -> Domain:
        """Follows its axes."""
        height, width = (dims.get(one, one) if isinstance(one, str) else one for one in (self.height, self.width))
        return replace(self, height=height, width=width)

    def _sides(self, sizes: Mapping[str, int]) -> tuple[int, int]:
        height, width = (sizes[one] if isinstance(one, str) else one for one in (self.height, self.width))
        return height, width


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchPlaces(Grids):
    """The column and the row of each patch, row by row."""

    noun: ClassVar[str] = "places"

    may_turn: bool = False

    def _drawn(self, request: Draw) -> torch.Tensor:
        height, width = self._sides(request.sizes)
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        places = torch.stack([columns.flatten(), rows.flatten()], dim=-1)
        return places.expand(request.shape).to(self.dtype).clone()
