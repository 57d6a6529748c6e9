"""pattern -> zeros and ones: masks of positions, and switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from pytest_tsexport.subjects.domains.base import MASK_PATTERNS, ODD_MASKS, Domain
from pytest_tsexport.subjects.domains.draw import Draw
from pytest_tsexport.subjects.domains.integers import Ids
from pytest_tsexport.subjects.domains.own_values import OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask(Domain):
    """Which positions are real and which are padded, along the last dimension.

    `padding` is the value of padded positions, 0 or 1; the real ones hold the other value. `free`: nothing says that it
    is a mask at all, so every position may hold the value of padding.
    """

    marks_padding: ClassVar[bool] = True
    odd_patterns: ClassVar[tuple[str, ...]] = ODD_MASKS
    patterns: ClassVar[tuple[str, ...]] = ()

    padding: int = 0
    free: bool = False

    @property
    def masks(self) -> tuple[str, ...]:
        """All of them, unless every position holds the value of padding only in what production never sends."""
        return MASK_PATTERNS if self.free else tuple(one for one in MASK_PATTERNS if one != "none")

    def _drawn(self, request: Draw) -> torch.Tensor:
        real = self._real(request)
        return (real if self.padding == 0 else real.logical_not()).to(self.dtype)

    def _real(self, request: Draw) -> torch.Tensor:
        """True at real positions. Every row keeps at least one, unless the pattern is `empty` or `none`."""
        shape, generator = request.shape, request.generator
        mask = torch.ones(shape, dtype=torch.bool)
        if not shape or not mask.numel():
            return mask
        length = shape[-1]
        kept = torch.randint(1, length + 1, (*shape[:-1], 1), generator=generator)
        place = torch.arange(length).expand(shape)
        masks = {
            "right": place < kept,
            "left": place >= length - kept,
            "single": place == 0,
            "holes": (place == 0) | (torch.rand(shape, generator=generator) < 0.5),
            "empty": torch.arange(mask.numel()).view(shape) >= length,
            "none": mask.logical_not() if self.free else mask,
        }
        return masks.get(request.pattern, mask)

    def pattern(self, values: str, mask: str) -> str:
        """A mask follows the pattern of the mask, and stays with its row where whole rows of the example are drawn."""
        return values if values == OWN[1] and self.own is not None else mask

    def filler(self, name: str, *, masked: bool) -> int:
        """A mask that does not mark the padded part says that every position is real."""
        return self.padding if masked else 1 - self.padding

    def looked_up(self, rows: int, name: str) -> Domain:
        """A mask stays one if its name says so. Other zeros and ones that index a table are ids of it."""
        return self if "mask" in name else Ids(dtype=self.dtype, high=rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllReal(Mask):
    """A mask of positions that are all real: how many features a picture or a recording has depends on it."""

    odd_patterns: ClassVar[tuple[str, ...]] = ()

    @property
    def masks(self) -> tuple[str, ...]:
        """Nothing padded."""
        return MASK_PATTERNS[:1]

    def _real(self, request: Draw) -> torch.Tensor:
        return torch.ones(request.shape, dtype=torch.bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Mask):
    """A mask with one value a row, which may be 0 as well as 1: it switches something on or off."""

    odd_patterns: ClassVar[tuple[str, ...]] = ()

    def _drawn(self, request: Draw) -> torch.Tensor:
        """All 1 (`ones`), all 0 (`single`), or drawn; rows of several values are drawn as a mask."""
        if request.shape[-1:] not in ((), (1,)):
            return Mask._drawn(self, request)
        if request.pattern in ("ones", "single"):
            return torch.full(request.shape, int(request.pattern == "ones")).to(self.dtype)
        return torch.randint(0, 2, request.shape, generator=request.generator).to(self.dtype)
