"""pattern -> zeros and ones: which part of a recording, or of a picture, is real; the rest fills the batch up."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from pytest_tsexport.subjects.domains.draw import Draw
from pytest_tsexport.subjects.domains.masks import Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class TailMask(Mask):
    """Padding at the end of each of the last `places` dimensions: of a recording (1), below and right of a picture (2).

    At least half of each dimension is real, as in a batch of inputs that were put together for their size.
    """

    odd_patterns = ()

    places: int = 1

    @property
    def masks(self) -> tuple[str, ...]:
        """Nothing padded, or padded at the end."""
        return ("ones", "right")

    def _real(self, request: Draw) -> torch.Tensor:
        shape = request.shape
        mask = torch.ones(shape, dtype=torch.bool)
        if request.pattern != "right" or not mask.numel():
            return mask
        rows = shape[: len(shape) - self.places]
        for place in range(len(rows), len(shape)):
            size = shape[place]
            kept = torch.randint(
                (size + 1) // 2, size + 1, (*rows, *(1 for _ in range(self.places))), generator=request.generator
            )
            at = torch.arange(size).view([size if one == place else 1 for one in range(len(shape))])
            mask = mask & (at < kept)
        return mask
