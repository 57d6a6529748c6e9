"""Reads TorchScript files and the graphs of loaded ScriptModules."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import torch

from pytest_tsexport.backends.inspector import Graph, Inspector, Provenance
from pytest_tsexport.backends.torchscript import archive, graphs, messages
from pytest_tsexport.backends.torchscript.named_sizes import named_sizes, numbers_in
from pytest_tsexport.backends.torchscript.provenance import provenance
from pytest_tsexport.backends.torchscript.tracing import traced_subject
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import Leaves

OPERATOR = re.compile(r"aten::(\w+)\(")
"""An operator in the text of a graph."""


class TorchScriptInspector(Inspector):
    """What a TorchScript archive and its graph say."""

    def needed(self, error: Exception) -> str | None:
        """The operator or class that torch does not know."""
        return messages.needed(error)

    def explained(self, error: BaseException) -> tuple[str, str] | None:
        """What `torch.jit.trace` or `torch.jit.save` meant."""
        return messages.explained(error)

    def custom_operators(self, path: Path) -> frozenset[str]:
        """Those in the archive's code, which is read without loading it."""
        return archive.custom_operators(path)

    def absent_devices(self, path: Path) -> tuple[str, ...]:
        """Those that are constants of the archive's code."""
        return archive.absent_devices(path)

    def operators(self, module: torch.jit.ScriptModule) -> frozenset[str]:
        """Those of the inlined graph."""
        return frozenset(OPERATOR.findall(str(module.inlined_graph)))

    def model_operators(self, subject: Subject) -> frozenset[str]:
        """Those of a trace by `torch.jit.trace`; none if that raises."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # this trace is not the export that the user asked for
                return self.operators(traced_subject(subject))
        except Exception:  # tracing runs the model, which may raise anything; a compiler may still accept it
            return frozenset()

    def named_sizes(self, subject: Subject) -> frozenset[int]:
        """Those of a throw-away trace of the model; none if it does not trace."""
        return named_sizes(subject)

    def numbers(self, module: torch.jit.ScriptModule) -> frozenset[int]:
        """Those of the inlined graph; none if the file has no graph."""
        graph = getattr(module, "inlined_graph", None)
        return frozenset() if graph is None else numbers_in(graph)

    def constants(self, module: torch.jit.ScriptModule) -> tuple[torch.Tensor, ...]:
        """Those of the inlined graph; a file that was frozen has its weights there."""
        graph: Any = module.inlined_graph  # its nodes live no longer than it does
        nodes = graph.findAllNodes("prim::Constant", recurse=True)
        return tuple(node.t("value") for node in nodes if node.hasAttribute("value") and node.kindOf("value") == "t")

    def provenance(self, module: torch.jit.ScriptModule, inputs: int) -> tuple[Provenance, ...]:
        """Read from the inlined graph."""
        return provenance(module.inlined_graph, inputs)

    def graph(self, module: torch.jit.ScriptModule, inputs: int) -> Graph | None:
        """The lowered graph."""
        return graphs.read(module, inputs)

    def retraced(self, subject: Subject, inputs: Leaves) -> Graph | None:
        """The graph of a second trace, saved and loaded as an artifact is."""
        return graphs.retraced(subject, inputs)
