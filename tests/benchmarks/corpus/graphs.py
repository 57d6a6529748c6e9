"""file -> graph: the one list of nodes of a saved TorchScript module, and the values that its sizes had while tracing.

The functions of torch that are used here have no public twin. The package keeps its own use of them in one module; this
is the one of the benchmarks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed


@dataclass(frozen=True, slots=True)
class Opened:
    """A loaded module whose submodules are inlined into the graph of `forward`, which `nodes` lists in order."""

    module: Any
    graph: Any
    nodes: tuple[Any, ...]


def opened(path: Path) -> Opened:
    """The module in a file, loaded anew and never run: what is changed in its graph is saved with it."""
    module = loaded(path)
    graph = module.graph
    torch._C._jit_pass_inline(graph)
    return Opened(module, graph, tuple(_nodes(graph)))


def loaded(path: Path) -> Any:
    """The module in a file."""
    with torch_jit_allowed():
        return torch.jit.load(str(path), map_location="cpu")


def save(module: Any, path: Path) -> None:
    """Write the module to a file. Raises what torch raises."""
    with torch_jit_allowed():
        torch.jit.save(module, str(path))


def constant(value: Any) -> Any:
    """What a value of a graph is, if it is written down in it; None if it is computed."""
    return value.toIValue() if value.node().kind() == "prim::Constant" else None


@cache
def _arguments(schema: str) -> tuple[str, ...]:
    return tuple(one.name for one in torch._C.parse_schema(schema).arguments)


def arguments(node: Any) -> tuple[str, ...]:
    """The names of a node's arguments; the kind of the node for each element of a list."""
    if node.kind() == "prim::ListConstruct":
        return tuple("element" for _ in node.inputs())
    schema = node.schema()
    return _arguments(schema) if re.match(r"aten::", schema) else ()


def whole_numbers(path: Path, inputs: Sequence[torch.Tensor]) -> Mapping[int, int]:
    """The value of each node that makes a whole number, by its place in `nodes`, for these inputs."""
    file = opened(path)
    lowered, weights = torch._C._jit_pass_lower_graph(file.graph, file.module._c)
    places = [place for place, node in enumerate(file.nodes) if node.kind() != "prim::GetAttr"]
    kept = [node for node in _nodes(lowered) if node.kind() != "prim::GetAttr"]
    if [file.nodes[place].kind() for place in places] != [node.kind() for node in kept]:
        return {}
    asked = [(place, node) for place, node in zip(places, kept, strict=True) if _makes_whole_number(node)]
    if not asked:
        return {}
    while list(lowered.outputs()):
        lowered.eraseOutput(0)
    numbers = lowered.create("prim::TupleConstruct", [node.output() for _, node in asked], 1)
    numbers.output().setType(torch._C.TupleType([node.output().type() for _, node in asked]))
    lowered.registerOutput(lowered.insertNode(numbers).output())
    # Not by `_jit_interpret_graph`, for which a number of Python's beside whole numbers is float64.
    with torch.no_grad():
        made = torch._C._create_function_from_graph("numbers", lowered)(*(one.clone() for one in inputs), *weights)
    return {place: int(value) for (place, _), value in zip(asked, made, strict=True)}


def _makes_whole_number(node: Any) -> bool:
    outputs = list(node.outputs())
    return node.kind() != "prim::Constant" and len(outputs) == 1 and str(outputs[0].type()) == "int"


def _nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _nodes(inner)
