"""pattern -> zeros and ones: masks of positions, and switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from pytest_tsexport.subjects.domains.base import ODD_MASKS, Domain, Draw
from pytest_tsexport.subjects.domains.integers import Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask(Domain):
    """1 at real positions, 0 at padded ones, along the last dimension."""

    marks_padding: ClassVar[bool] = True
    odd_patterns: ClassVar[tuple[str, ...]] = ODD_MASKS

    def draw(self, request: Draw) -> torch.Tensor:
        """Every row keeps at least one position, unless the pattern is `empty`."""
        shape, generator = request.shape, request.generator
        mask = torch.ones(shape)
        if not shape or not mask.numel():
            return mask.to(self.dtype)
        length = shape[-1]
        kept = torch.randint(1, length + 1, (*shape[:-1], 1), generator=generator)
        place = torch.arange(length).expand(shape)
        masks = {
            "right": place < kept,
            "left": place >= length - kept,
            "single": place == 0,
            "holes": (place == 0) | (torch.rand(shape, generator=generator) < 0.5),
            "empty": torch.arange(mask.numel()).view(shape) >= length,
        }
        return masks.get(request.pattern, mask).to(self.dtype)

    def pattern(self, values: str, mask: str) -> str:
        """A mask follows the pattern of the mask."""
        return mask

    def filler(self, name: str, *, masked: bool) -> int:
        """0 marks padding. A mask that does not mark it says that every position is real."""
        return 0 if masked else 1

    def looked_up(self, rows: int, name: str) -> Domain:
        """A mask stays one if its name says so. Other zeros and ones that index a table are ids of it."""
        return self if "mask" in name else Ids(dtype=self.dtype, high=rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Mask):
    """A mask with one value a row, which may be 0 as well as 1: it switches something on or off."""

    odd_patterns: ClassVar[tuple[str, ...]] = ()

    def draw(self, request: Draw) -> torch.Tensor:
        """All 1 (`ones`), all 0 (`single`), or drawn; rows of several values are drawn as a mask."""
        if request.shape[-1:] not in ((), (1,)):
            return Mask.draw(self, request)
        if request.pattern in ("ones", "single"):
            return torch.full(request.shape, int(request.pattern == "ones")).to(self.dtype)
        return torch.randint(0, 2, request.shape, generator=request.generator).to(self.dtype)
