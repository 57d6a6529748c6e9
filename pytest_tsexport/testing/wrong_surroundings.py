"""nothing -> models whose answers depend on what surrounds them in the process, and exporters that leave it changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

VARIABLE = "TSEXPORT_SCALE"


class ReadsVariable(nn.Module):
    """Right: its answers are scaled by a number in the environment."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * float(os.environ.get(VARIABLE, "1"))


class ReadsDirectory(nn.Module):
    """Right: its answers depend on where a relative path leads, as if it read a table from there."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (2 if Path("..").resolve() == Path().resolve() else 1)


SURROUNDING_HARMS: Mapping[str, tuple[Callable[[], nn.Module], Callable[[Any], object]]] = {
    "LeavesVariableSet": (ReadsVariable, lambda _: os.environ.update({VARIABLE: "2"})),
    "LeavesDirectory": (ReadsDirectory, lambda _: os.chdir(Path.cwd().anchor)),
}
"""A model, and what an exporter does after it has exported it: the file is right, and the model answers differently."""
