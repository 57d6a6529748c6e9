"""The two marked functions of `--ts-demo`: models for somebody who has installed the package and has no test yet."""

from __future__ import annotations

import pytest
import torch
from torch import nn

EXAMPLE = {"hidden": torch.linspace(-1, 1, 2 * 8 * 4).reshape(2, 8, 4)}

AXES = {"hidden": {0: "batch", 1: "sequence"}}
"""Callers give other sizes of both."""


class AveragesAll(nn.Module):
    """The mean over the whole sequence, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 3)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(hidden.mean(1))
        return answer


class AveragesWindows(AveragesAll):
    """The mean over whole windows of four. `int(...)` makes the number of windows a constant of the trace."""

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        windows = int(hidden.shape[1] / 4)
        return super().forward(hidden[:, : 4 * windows])


@pytest.mark.torchscript(inputs=EXAMPLE, dynamic_shapes=AXES)
def test_right() -> nn.Module:
    """Exported rightly."""
    return AveragesAll()


@pytest.mark.torchscript(inputs=EXAMPLE, dynamic_shapes=AXES)
def test_wrong() -> nn.Module:
    """Exported wrongly: at a longer sequence the file leaves out what comes after the last traced window."""
    return AveragesWindows()
