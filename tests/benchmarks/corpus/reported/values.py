"""nothing -> models: reported to be silently wrong for other values, or for the very inputs of the trace."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class WidensInPlace(nn.Module):
    """pytorch/pytorch#56162: a size is a number in eager and a tensor in a trace; `+=` changes both names of it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = x.shape[1]
        padded = length
        padded += 2
        return functional.pad(x, (0, padded - length))


class MasksByItems(nn.Module):
    """SeanNaren/deepspeech.pytorch#600: each length is read by `.item()`, and its padding is filled row by row."""

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        mask = torch.zeros(x.shape, dtype=torch.bool)
        for row, length in enumerate(lengths):
            real = int(length.item())
            if mask[row].size(1) - real > 0:
                mask[row].narrow(1, real, mask[row].size(1) - real).fill_(1)
        return x.masked_fill(mask, 0)


class MaskOfLongest(nn.Module):
    """ray-project/ray#30684: the width of the mask is the largest length, as it was while tracing."""

    def forward(self, lengths: torch.Tensor) -> torch.Tensor:
        longest = int(lengths.max())
        return torch.ones(len(lengths), longest).cumsum(1) <= lengths[:, None]


class SplitsByLengths(nn.Module):
    """meta-pytorch/torchrec#750: values are split by a list of lengths, which a trace keeps as numbers."""

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        first = min(int(lengths[0]), x.shape[0])
        head, tail = torch.split(x, [first, x.shape[0] - first])
        return torch.stack([head.sum(), tail.sum()])


class RegulatesLength(nn.Module):
    """ming024/FastSpeech2#35: each state is repeated as often as its duration says."""

    def forward(self, x: torch.Tensor, durations: torch.Tensor) -> torch.Tensor:
        return torch.cat([x[at : at + 1].expand(int(times), -1) for at, times in enumerate(durations)])


class TruncatedQuotient(nn.Module):
    """pytorch/pytorch#59174: a tensor of no dimensions, divided by a number: the saved file answers in float64."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.div(x, 3.14, rounding_mode="trunc")
