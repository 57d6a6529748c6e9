"""A backend with another file format, small but real: a `torch.fx` graph and its weights, in a `.fx` file.

It stands for the backends of other people. It fills in what `FileFormat` asks for, and differs from TorchScript where
another runtime may: inputs by position only, another class in memory, its own sentences.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import fx, nn

from pytest_tsexport.backends.file_format import Argument, Contents, FileFormat
from pytest_tsexport.backends.inspector import Inspector
from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.weights import untie


class Loaded(nn.Module):
    """What `FxFormat.load` returns: it takes tensors by position only."""

    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__()
        self.graph = graph

    def forward(self, *inputs: torch.Tensor) -> object:
        return self.graph(*inputs)


class FxInspector(Inspector):
    """Explains one exception, and reads the operators of a graph."""

    def explained(self, error: BaseException) -> tuple[str, str] | None:
        if "control flow" not in str(error):
            return None
        return "torch.fx cannot follow an if on values", "write it with torch.where"

    def operators(self, module: Loaded) -> frozenset[str]:
        return frozenset(str(node.target).rpartition(".")[2] for node in module.graph.graph.nodes)


class FxFormat(FileFormat):
    """Files written by `torch.save`, which hold a graph, the names of its arguments and a manifest."""

    name = "torch.fx"
    suffix = ".fx"
    exported = fx.GraphModule
    loader = 'def load(path):\n    return torch.load(path, weights_only=False)["graph"]\n'
    refusals = (RuntimeError,)
    inspector = FxInspector()

    def save(self, module: fx.GraphModule, path: Path, manifest: str) -> None:
        torch.save({"graph": module, "manifest": manifest}, path)

    def open(self, path: Path) -> Contents:
        if not zipfile.is_zipfile(path):
            raise ArtifactError(f"artifact {path} is not a torch.fx file")
        try:
            stored = self._stored(path)
            placeholders = [node.target for node in stored["graph"].graph.nodes if node.op == "placeholder"]
        except (RuntimeError, KeyError) as error:
            raise ArtifactError(f"artifact {path} cannot be loaded: {self.one_line(error)}") from error
        return Contents(tuple(Argument(name=name) for name in placeholders), stored["manifest"])

    def load(self, path: Path) -> Loaded:
        return Loaded(self._stored(path)["graph"]).eval()

    def call(self, module: nn.Module, inputs: Mapping[str, torch.Tensor]) -> object:
        return module(*inputs.values())

    def one_line(self, error: BaseException) -> str:
        return f"torch.fx: {super().one_line(error)}"

    @staticmethod
    def _stored(path: Path) -> dict[str, Any]:
        stored: dict[str, Any] = torch.load(path, weights_only=False)
        return stored


@dataclass(frozen=True)
class Fx:
    """Exports by `torch.fx.symbolic_trace`; `wrap` may change the model first."""

    name: str = "fx"
    contract: str = "dynamic"
    format: FileFormat = field(default_factory=FxFormat)
    wrap: Callable[[nn.Module], nn.Module] = lambda model: model

    def why_unavailable(self) -> str | None:
        return None

    def trace(self, subject: Subject) -> fx.GraphModule:
        return symbolic_trace(self.wrap(untie(subject.model)))


def symbolic_trace(model: nn.Module) -> fx.GraphModule:
    """The graph of a model, without the types that it names: as text they cannot be pickled."""
    traced = fx.symbolic_trace(model.eval())
    for node in traced.graph.nodes:
        node.type = None
    traced.recompile()
    return traced
