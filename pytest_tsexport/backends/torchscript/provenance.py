"""Finds what each output of a graph is computed from, by value: which inputs, which operators.

A compiler with fixed shapes drops an input of which only the size is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pytest_tsexport.backends.inspector import Provenance

SHAPE_ONLY = frozenset(
    f"aten::{name}"
    for name in (
        *("size", "dim", "numel", "len", "stride", "device", "is_floating_point"),
        *("zeros_like", "ones_like", "empty_like", "full_like", "rand_like"),
        *("new_zeros", "new_ones", "new_empty", "new_full"),
    )
) | {"prim::device", "prim::dtype", "prim::layout"}
"""Operators that use no value of their tensor."""

LIKE_ANOTHER = frozenset({"aten::expand_as", "aten::view_as", "aten::reshape_as", "aten::type_as"})
"""Operators that use no value of their second tensor."""

_VIEW = re.compile(r"[\w:.]+\(Tensor\((\w)(!| -> \*)?\) .*-> Tensor\(\1")
"""The schema of an operator that returns its first argument, or views of it."""

UNPACKS = frozenset({"prim::ListUnpack", "prim::TupleUnpack"})

NESTS = frozenset({"prim::TupleConstruct", "prim::ListConstruct", "prim::DictConstruct"})


def provenance(graph: Any, inputs: int) -> tuple[Provenance, ...]:
    """The provenance of every output of an inlined graph whose last `inputs` inputs are tensors, in order."""
    places = {value.unique(): place for place, value in enumerate(list(graph.inputs())[-inputs:])} if inputs else {}
    writes = [node for node in _nodes(graph) if _writes(node)]
    return tuple(_behind(leaf, places, writes) for value in graph.outputs() for leaf in _leaves(value))


def _leaves(value: Any) -> Iterator[Any]:
    node = value.node()
    if node.kind() not in NESTS:
        yield value
        return
    parts = list(node.inputs())
    for part in parts[1::2] if node.kind() == "prim::DictConstruct" else parts:
        yield from _leaves(part)


def _behind(leaf: Any, places: dict[int, int], writes: list[Any]) -> Provenance:
    seen: set[int] = set()
    operators: set[str] = set()
    inputs: set[int] = set()
    waiting = [leaf]
    while waiting:
        value = waiting.pop()
        if value.unique() in seen:
            continue
        seen.add(value.unique())
        operators.add(value.node().kind())
        if value.node().kind() == "prim::If":
            branches = _branches(value, places, writes)
            inputs |= {place for one in branches for place in one.inputs}
            operators |= frozenset.intersection(*(one.operators for one in branches)) if branches else frozenset()
        waiting += _made_from(value.node())
        waiting += [given for node in writes if _base(node).unique() in seen for given in node.inputs()]
    return Provenance(
        inputs=frozenset(inputs | {places[one] for one in seen if one in places}), operators=frozenset(operators)
    )


def _branches(value: Any, places: dict[int, int], writes: list[Any]) -> list[Provenance]:
    """The provenance of an output in each branch that returns one; only what all branches share is certain."""
    node = value.node()
    place = [one.unique() for one in node.outputs()].index(value.unique())
    ending = [block for block in node.blocks() if all(one.kind() != "prim::RaiseException" for one in block.nodes())]
    return [_behind(list(block.outputs())[place], places, writes) for block in ending]


def _made_from(node: Any) -> list[Any]:
    """The values that a node computes with, and those of its blocks."""
    if node.kind() in SHAPE_ONLY:
        return []
    if node.kind() in LIKE_ANOTHER:
        return [next(node.inputs())]
    if node.kind() == "prim::If":
        return list(node.inputs())
    inner = [value for block in node.blocks() for one in _nodes(block) for value in one.inputs()]
    return [*node.inputs(), *inner, *(value for block in node.blocks() for value in block.outputs())]


def _nodes(block: Any) -> Iterator[Any]:
    for node in block.nodes():
        yield node
        for inner in node.blocks():
            yield from _nodes(inner)


def _writes(node: Any) -> bool:
    """Whether it writes to its first argument, as `aten::copy_` does."""
    return node.kind().startswith("aten::") and node.kind().endswith("_") and not node.kind().endswith("__")


def _base(node: Any) -> Any:
    """The tensor that it writes to, whatever views of it are in between."""
    value = next(node.inputs())
    while value.node().kind() in UNPACKS or _VIEW.match(str(value.node().schema())):
        value = next(value.node().inputs())
    return value
