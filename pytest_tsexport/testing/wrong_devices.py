"""nothing -> models and exporters: what they write runs only on the machine, or in the process, that wrote it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from pytest_tsexport.testing import exporters, files
from pytest_tsexport.testing.specimen import Inputs
from pytest_tsexport.testing.wrappers import Wrapper


class AddsPositions(nn.Module):
    """Right: positions are made where the input is. A trace writes down where that was."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.arange(x.shape[1], device=x.device)


class FillsByDevice(nn.Module):
    """Right here: a branch on the device of the input, of which a trace keeps one way."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if x.device.type == "cpu" else x * 2.0


class AnswersNowhere(Wrapper):
    """Its answer is on the meta device: a shape without values."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)
        return answer.to("meta")


class NeedsPython(nn.Module):
    """Calls an operator that only this process knows."""

    def __init__(self) -> None:
        super().__init__()
        _register_operator()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = torch.ops.tsexport_specimens.halve(x)
        return answer


def on_cuda(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Exports carefully, with `cuda:0` wherever the code names a device: as traced where there is one."""
    exporters.careful(model, inputs, path)
    files.rewrite(path, 'torch.device("cpu")', 'torch.device("cuda:0")')


_LIBRARIES: list[torch.library.Library] = []


def _register_operator() -> None:
    if not _LIBRARIES:
        library = torch.library.Library("tsexport_specimens", "DEF")
        library.define("halve(Tensor x) -> Tensor")
        library.impl("halve", lambda x: x / 2, "CPU")
        _LIBRARIES.append(library)  # an operator lives as long as its library
