"""nothing -> models and wrappers: exports that cannot be padded in one way in which their eager models can."""

from __future__ import annotations

import torch
from torch import nn

from pytest_tsexport.testing.right_padding import TiedMeans
from pytest_tsexport.testing.specimen import Inputs, masked_ids, rows
from pytest_tsexport.testing.wrappers import Wrapper
from pytest_tsexport.testing.wrong_values import MaskedMean


class ManyIds(MaskedMean):
    """Right: so many ids that a drawn text hardly holds the one for padding. Wrappers below spoil it."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(4999, 4)


class MasksByPadId(Wrapper):
    """Makes the mask of the ids, whatever mask it is given: wrong where another id fills."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(ids, (ids != 0).to(mask.dtype))
        return answer


class MasksSingleTokens(Wrapper):
    """Uses the mask only where it leaves one token: wrong at every other length, so not in the first padded case."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        single = mask.sum(1, keepdim=True) == 1
        answer: torch.Tensor = self.model(ids, torch.where(single, mask, torch.ones_like(mask)))
        return answer


class AssumesRightSide(Wrapper):
    """Reads the mask as a length: wrong on the left."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        place = torch.arange(ids.shape[1], device=ids.device)
        answer: torch.Tensor = self.model(ids, (place < mask.sum(1, keepdim=True)).to(mask.dtype))
        return answer


class MaskedByBoth(ManyIds):
    """Right: a position is ignored if the mask or the pad id says that it is padding. `LiftsPadId` spoils it."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return super().forward(ids, mask * (ids != 0))


class LiftsPadId(Wrapper):
    """Has no row for the pad id and asks for the next one: wrong where no mask says what is padding."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(ids.clamp_min(1), mask)
        return answer


class FrozenTextLengths(nn.Module):
    """Takes no mask; the lengths that it counts by the pad id are constants."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(4999, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        real = ids != 0
        states: torch.Tensor = self.embed(ids) * real[:, :, None]
        return states.sum(1) / torch.tensor(real.sum(1).tolist()).clamp_min(1)[:, None]


class BakesBatchBesideTies(TiedMeans):
    """Keeps the batch as a number; it can be padded, though its choice between two equal means is a tie-break.

    What `shapes` finds about it says nothing about `padding`.
    """

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]
        mean, first = super().forward(ids, mask)
        return mean * int(ids.shape[0]), first


class TwoTexts(nn.Module):
    """Right: the sum of two masked means, the second of another length. `IgnoresSecondMask` spoils it."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = MaskedMean()

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, decoder_ids: torch.Tensor, decoder_mask: torch.Tensor
    ) -> torch.Tensor:
        answer: torch.Tensor = self.mean(ids, mask) + 2 * self.mean(decoder_ids, decoder_mask)
        return answer


class IgnoresSecondMask(Wrapper):
    """Passes ones instead of the decoder's mask."""

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, decoder_ids: torch.Tensor, decoder_mask: torch.Tensor
    ) -> torch.Tensor:
        answer: torch.Tensor = self.model(ids, mask, decoder_ids, torch.ones_like(decoder_mask))
        return answer


class MaskedFrames(nn.Module):
    """Right: the mean over the real frames of a sound. `IgnoresFramesMask` spoils it."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(4, 3)

    def forward(self, frames: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        real = mask[:, :, None].to(frames.dtype)
        answer: torch.Tensor = (self.project(frames) * real).sum(1) / real.sum(1)
        return answer


class IgnoresFramesMask(Wrapper):
    """Passes ones instead of the mask of the frames."""

    def forward(self, frames: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(frames, torch.ones_like(mask))
        return answer


def two_texts() -> Inputs:
    """A text of 7 and one of 5, each with a mask of ones."""
    second = masked_ids(2, 5)()
    return {**masked_ids()(), "decoder_ids": second["ids"], "decoder_mask": second["mask"]}


def frames() -> Inputs:
    """7 frames of 4 numbers, and a mask of ones."""
    return {"frames": rows(2, 7, 4)()["x"], "mask": torch.ones(2, 7, dtype=torch.int64)}
