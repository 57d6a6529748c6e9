"""range -> boxes: the corners of rectangles on a page, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from pytest_tsexport.subjects.domains.base import PATTERNS, Domain
from pytest_tsexport.subjects.domains.integers import Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes(Integers):
    """Boxes (left, top, right, bottom) along the last dimension, which is 4: left <= right and top <= bottom.

    Models look up the width and the height of a box in a table, where a negative one has no row (LayoutLM, LiLT).
    """

    open_ended: ClassVar[bool] = False
    patterns: ClassVar[tuple[str, ...]] = PATTERNS

    @property
    def lone_value(self) -> int | None:
        """The range comes from a config, not from an example."""
        return None

    def moved(self, values: torch.Tensor, sizes: Mapping[str, int]) -> torch.Tensor:
        """Other boxes, in order too."""
        return self._arranged(Integers.moved(self, values, sizes))

    def looked_up(self, rows: int, name: str) -> Domain:
        """A coordinate is a row of the table, and the box keeps its order."""
        return replace(self, low=0, high=rows)

    def _arranged(self, values: torch.Tensor) -> torch.Tensor:
        first, second = values[..., :2], values[..., 2:]
        return torch.cat([torch.minimum(first, second), torch.maximum(first, second)], dim=-1)
