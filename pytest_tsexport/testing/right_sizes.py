"""nothing -> models: right, though their sizes, branches or state look wrong."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class RaisesOffSize(nn.Module):
    """Bakes the length, and raises at any other: safe, not dynamic."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ torch.eye(int(x.shape[1])).flip(0)


class RaisesOffBatch(nn.Module):
    """Bakes the batch, and raises at any other."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.eye(int(x.shape[0])).flip(0) @ x


class TracedBranch(nn.Module):
    """The branch depends on data, and is one that a trace can follow."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.where(x.sum() > 0, x.tanh(), x * 3)


class PositionsFromShape(nn.Module):
    """Positions follow the size, which a trace keeps as an operation."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.arange(x.shape[1])


class ReshapesByShape(nn.Module):
    """Every size is asked for, none is written down."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length = x.shape
        return x.reshape(batch * length).reshape(batch, length).transpose(0, 1)


class EagerAlsoRaises(nn.Module):
    """Eager refuses what is shorter than 3, as its export does."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.unfold(1, 3, 1).mean(-1)


class EagerAloneRaises(nn.Module):
    """Eager refuses lengths above 20 in words that no trace keeps."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] > 20:
            raise ValueError("at most 20 positions")
        return x * 2


class SizeThatDoesNotMatter(nn.Module):
    """A branch on size whose two ways agree: the tracer warns, and nothing is wrong."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if bool((x.sum() * 0 == 0).all()):
            return x * 2
        return x + x


class InPlaceOnCopy(nn.Module):
    """Writes in place, on a copy."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.clone().mul_(3).add_(1)


class OverwritesInEagerToo(nn.Module):
    """Overwrites its input, in eager as in the export."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mul_(2) + 1


class SqueezesAnySize(nn.Module):
    """`squeeze` follows the size in a trace too."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x * 2).squeeze(0)


class Recurrent(nn.Module):
    """The loop over positions is inside the operator."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRU(4, 4, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, _ = self.cell(x)
        answer: torch.Tensor = states
        return answer


class Convolves(nn.Module):
    """Same padding, and a stride that drops an odd tail."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = nn.Conv1d(4, 3, 3, padding=1, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.filter(x.transpose(1, 2))
        return answer


class Attends(nn.Module):
    """Scaled dot-product attention, causal by the operator's own flag."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.scaled_dot_product_attention(x, x, x, is_causal=True)


class MasksByComparison(nn.Module):
    """The causal mask follows the size."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        place = torch.arange(x.shape[1])
        later = place[None, :] > place[:, None]
        return (x[:, :, None] * x[:, None, :]).masked_fill(later, -1e4).softmax(-1)
