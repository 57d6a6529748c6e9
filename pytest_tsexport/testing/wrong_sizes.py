"""nothing -> models: each is exported without an error and is silently wrong at another size."""

from __future__ import annotations

import torch
from torch import nn


class BakesBatch(nn.Module):
    """The trace keeps the batch as a number."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * int(x.shape[0])


class BakesLength(nn.Module):
    """A mean by hand, divided by the length at tracing time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sum(dim=1) / int(x.shape[1])


class BakesSharedLength(nn.Module):
    """Two inputs share a length at different places; the trace keeps it as a number."""

    def forward(self, x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return x @ weights / int(x.shape[1])


class BakesBranch(nn.Module):
    """Long inputs take another branch."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.tanh() if x.shape[1] > 10 else x


class BakesBatchOfOne(nn.Module):
    """A batch of one is centred in another way."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - x.mean(dim=0) if x.shape[0] > 1 else x


class EvenOnly(nn.Module):
    """Wrong at even lengths alone."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.shape[1] % 2 else x.flip(1)


class FirstSixteen(nn.Module):
    """Attention in a window of 16: any shorter input is attended to as a whole."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] <= 16:
            return x.cumsum(1)
        return x.cumsum(1) - torch.nn.functional.pad(x, (16, 0))[:, : x.shape[1]].cumsum(1)


class PoolsOfForty(nn.Module):
    """Means over chunks of 40, of which shorter inputs are one: a length that no attribute names."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        chunks = [x[:, start : start + 40] for start in range(0, x.shape[1], 40)]
        return torch.cat([chunk - chunk.mean(1, keepdim=True) for chunk in chunks], dim=1)


class SinksPastHundred(nn.Module):
    """A cache that keeps the first 4 positions and the last 96."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = x if x.shape[1] <= 100 else torch.cat([x[:, :4], x[:, -96:]], dim=1)
        return x * kept.mean(1, keepdim=True)


class NoiseWhenLong(nn.Module):
    """Dropout that is active in evaluation mode, for long inputs only."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(x, 0.3, training=True) if x.shape[1] > 12 else x * 2


class OnlyMultiples(nn.Module):
    """Raises at most batches, and is wrong at the multiples of the traced one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        halves = x.reshape(int(x.shape[0]), -1, 7)
        return halves.mean(dim=1)


class BroadcastsFromOne(nn.Module):
    """Raises at most lengths; a length of one broadcasts against the table made at tracing time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.arange(int(x.shape[1]))


class CutsToTracedLength(nn.Module):
    """Positions past the traced length are dropped."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, : int(x.shape[1])] * 2


class LoopsOverLength(nn.Module):
    """A loop in Python is unrolled as often as it ran at tracing time."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = x[:, 0]
        for place in range(1, x.shape[1]):
            total = total * 0.5 + x[:, place]
        return total


class MaskOfLengthOne(nn.Module):
    """The causal mask is made at tracing time; traced at length 1 it broadcasts to every other length."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = int(x.shape[1])
        scores = x[:, :, None] * x[:, None, :]
        later = torch.ones(length, length, dtype=torch.bool).triu(1)
        return scores.masked_fill(later, -1e4).softmax(-1) @ x[:, :, None]


class PadsToBlock(nn.Module):
    """Pads up to a block of 4 by an amount fixed at tracing time, then pools each block."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        padded = torch.nn.functional.pad(x, (0, -int(x.shape[1]) % 4))
        return padded.unfold(1, 4, 4).amax(-1)


class RescalesWhenLong(nn.Module):
    """Dynamic rotary embeddings in small: past 8 positions every angle is stretched, by little."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = int(x.shape[1])
        stretch = 1.0 if length <= 8 else 1.0 + (length - 8) / 64
        return x * torch.cos(torch.arange(x.shape[1]) / (9.0 * stretch))


class AnswersNumber(nn.Module):
    """One of its outputs is a number of Python's: the length."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, int]:
        return x * 2, int(x.shape[1])


class SqueezesBatch(nn.Module):
    """A batch of one loses its first dimension."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[0] * 3 if x.shape[0] == 1 else x * 3


class AddsOutputWhenLong(nn.Module):
    """Long inputs are answered with one more output."""

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        answer = {"last": x * 2}
        if x.shape[1] > 9:
            answer["pooled"] = x.mean(1)
        return answer


class LongInDouble(nn.Module):
    """Long inputs are answered in another dtype."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.double() if x.shape[1] > 8 else x


class CountsPositions(nn.Module):
    """Learnt positions looked up by a number of rows fixed at tracing time, cut where the input is shorter."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        last = self.positions[: int(x.shape[1])][-x.shape[1] :]
        return x.sum(1) + last.sum()


class JointOnly(nn.Module):
    """Right along each axis alone; wrong where batch and length both leave the traced size."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if x.shape[0] == 2 or x.shape[1] == 7 else x * 3


class LongBatch(nn.Module):
    """Works through large batches in chunks, and drops the rest."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        whole = int(x.shape[0]) // 2 * 2
        return torch.cat([x[:whole] * 2, x[whole : int(x.shape[0])] * 2])
