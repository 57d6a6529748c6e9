"""nothing -> models: reported to be silently wrong at another size than the traced one."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class CountsRows(nn.Module):
    """pytorch/pytorch#58225: a loop over the rows runs as often as it did while tracing."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        count = torch.zeros(())
        for _ in x:
            count = count + 1
        return x.sum(0) / count


class Viterbi(nn.Module):
    """kmkurn/pytorch-crf#79: the forward pass of a CRF is a loop in Python over the positions."""

    def __init__(self) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.randn(4, 4))

    def forward(self, emissions: torch.Tensor) -> torch.Tensor:
        score = emissions[:, 0]
        for place in range(1, emissions.shape[1]):
            score = (score[:, :, None] + self.transitions + emissions[:, place, None, :]).amax(1)
        return score


class AddsItsLength(nn.Module):
    """pytorch/pytorch#55194: `len` of a tensor is a number of Python, so the trace keeps it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + len(x)


class ReversesWindows(nn.Module):
    """microsoft/Swin-Transformer#257, huggingface/pytorch-image-models#1673: the batch is computed by `int`."""

    def windows(self, image: torch.Tensor) -> torch.Tensor:
        batch, height, width, channels = image.shape
        parts = image.view(batch, height // 2, 2, width // 2, 2, channels).permute(0, 1, 3, 2, 4, 5)
        windows = parts.reshape(-1, 2, 2, channels)
        return windows - windows.mean((1, 2), keepdim=True)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        windows = self.windows(image)
        batch = int(windows.shape[0] / (4 * 4 / 2 / 2))
        parts = windows.view(batch, 2, 2, 2, 2, -1).permute(0, 1, 3, 2, 4, 5)
        return parts.contiguous().view(batch, 4, 4, -1)


class PoolsReversedWindows(ReversesWindows):
    """huggingface/transformers#18806: the same in Swin with its pooling; traced with one image, called with two."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return super().forward(image).mean((1, 2))


class CellInLoop(nn.Module):
    """pytorch/pytorch#59530: an LSTM cell in a loop over the positions."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(3, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        state = cell = torch.zeros(x.shape[0], 4)
        for place in range(x.shape[1]):
            state, cell = self.cell(x[:, place], (state, cell))
        return state


class FlattensByBatch(nn.Module):
    """pytorch/pytorch#38472: a convolution whose result is flattened to the batch of the trace."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = nn.Conv2d(1, 2, 3)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.filter(image)
        return states.view(int(states.size(0)), -1)


class CausalUnlessOne(nn.Module):
    """pytorch/pytorch#115262: whether attention is causal is a flag of Python; traced at length 1 it is off."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.scaled_dot_product_attention(x, x, x, is_causal=bool(x.shape[1] > 1))


class DecodesGreedily(nn.Module):
    """huggingface/transformers#15109: the loop of the decoder is flattened to a fixed number of steps."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(9, 4)
        self.head = nn.Linear(4, 9)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        state, tokens = self.embed(ids).mean(1), []
        for _ in range(ids.shape[1]):
            tokens.append(self.head(state).argmax(-1))
            state = (state + self.embed(tokens[-1])).sin()
        return torch.stack(tokens, 1)


class SplitsInHalves(nn.Module):
    """pytorch/pytorch#27584: the workaround of that issue, a size of the parts that is made a number by `int`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = torch.split(x, int(x.size(1) // 2), dim=1)
        return torch.cat([second, first], 1)


class ScalesByOtherSize(nn.Module):
    """pytorch/pytorch#36596: an image is enlarged by a factor that is the size of another input."""

    def forward(self, image: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return functional.interpolate(image, mode="nearest", scale_factor=float(other.shape[0]))
