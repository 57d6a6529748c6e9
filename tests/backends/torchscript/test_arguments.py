"""Proves that the arguments of a file are read, and nothing is invented that the file does not store."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from pytest_tsexport.backends.file_format import Argument
from pytest_tsexport.backends.torchscript.arguments import arguments_of
from pytest_tsexport.backends.torchscript.format import TorchScript
from pytest_tsexport.exporting.artifact import open_file
from pytest_tsexport.testing.files import quiet


class Adds(nn.Module):
    def forward(self, x: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        return x + steps


class Scales(nn.Module):
    def forward(self, x: torch.Tensor, by: float = 2.0) -> torch.Tensor:
        return x * by


def saved(module: nn.Module, path: Path, *, freeze: bool = False) -> Path:
    with quiet():
        traced = torch.jit.trace(module.eval(), (torch.ones(2, 3), torch.ones(3, dtype=torch.int32)))
        torch.jit.save(torch.jit.freeze(traced) if freeze else traced, str(path))
    return path


def test_a_trace_stores_what_it_was_traced_with(tmp_path: Path) -> None:
    assert open_file(saved(Adds(), tmp_path / "a.pt"), TorchScript()).takes == (
        Argument(name="x", type="Tensor", dtype=torch.float32, shape=(2, 3)),
        Argument(name="steps", type="Tensor", dtype=torch.int32, shape=(3,)),
    )


def test_a_frozen_module_stores_only_names(tmp_path: Path) -> None:
    artifact = open_file(saved(Adds(), tmp_path / "a.pt", freeze=True), TorchScript())
    assert [(one.name, one.dtype, one.shape) for one in artifact.takes] == [("x", None, None), ("steps", None, None)]
    assert artifact.sizes == {}


def test_a_scripted_module_says_which_arguments_are_optional() -> None:
    with quiet():
        scripted = torch.jit.script(Scales())
    assert arguments_of(scripted) == (
        Argument(name="x", type="Tensor"),
        Argument(name="by", type="float", optional=True),
    )
