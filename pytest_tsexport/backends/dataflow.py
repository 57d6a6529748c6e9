"""graph -> reach: what each of its answers is made from, by value: which inputs, which operators.

A compiler that fixes shapes sees no more of an input whose size alone is asked for, and drops it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SHAPE_ONLY = frozenset(
    f"aten::{name}"
    for name in (
        *("size", "dim", "numel", "len", "stride", "device", "is_floating_point"),
        *("zeros_like", "ones_like", "empty_like", "full_like", "rand_like"),
        *("new_zeros", "new_ones", "new_empty", "new_full"),
    )
) | {"prim::device", "prim::dtype", "prim::layout"}
"""Operators that look at no value of their tensor."""

LIKE_ANOTHER = frozenset({"aten::expand_as", "aten::view_as", "aten::reshape_as", "aten::type_as"})
"""Operators that look at no value of their second tensor."""

_VIEW = re.compile(r"[\w:.]+\(Tensor\((\w)(!| -> \*)?\) .*-> Tensor\(\1")
"""The schema of an operator whose answer is its first argument, or views of it."""

UNPACKS = frozenset({"prim::ListUnpack", "prim::TupleUnpack"})

NESTS = frozenset({"prim::TupleConstruct", "prim::ListConstruct", "prim::DictConstruct"})


@dataclass(frozen=True, slots=True)
class Reach:
    """What stands behind one answer: inputs by their place, operators by their name."""

    inputs: frozenset[int]
    kinds: frozenset[str]


def reaches(graph: Any, inputs: int) -> tuple[Reach, ...]:
    """The reach of every answer of an inlined graph whose last `inputs` inputs are tensors, in order."""
    places = {value.unique(): place for place, value in enumerate(list(graph.inputs())[-inputs:])} if inputs else {}
    writes = [node for node in _nodes(graph) if _writes(node)]
    return tuple(_reach(leaf, places, writes) for value in graph.outputs() for leaf in _leaves(value))


def _leaves(value: Any) -> Iterator[Any]:
    node = value.node()
    if node.kind() not in NESTS:
        yield value
        return
    parts = list(node.inputs())
    for part in parts[1::2] if node.kind() == "prim::DictConstruct" else parts:
        yield from _leaves(part)


def _reach(leaf: Any, places: dict[int, int], writes: list[Any]) -> Reach:
    seen: set[int] = set()
    kinds: set[str] = set()
    inputs: set[int] = set()
    waiting = [leaf]
    while waiting:
        value = waiting.pop()
        if value.unique() in seen:
            continue
        seen.add(value.unique())
        kinds.add(value.node().kind())
        if value.node().kind() == "prim::If":
            branches = _branches(value, places, writes)
            inputs |= {place for one in branches for place in one.inputs}
            kinds |= frozenset.intersection(*(one.kinds for one in branches)) if branches else frozenset()
        waiting += _made_from(value.node())
        waiting += [given for node in writes if _base(node).unique() in seen for given in node.inputs()]
    return Reach(inputs=frozenset(inputs | {places[one] for one in seen if one in places}), kinds=frozenset(kinds))


def _branches(value: Any, places: dict[int, int], writes: list[Any]) -> list[Reach]:
    """What stands behind an answer in each branch that ends with one: what all of them have, it has for sure."""
    node = value.node()
    place = [one.unique() for one in node.outputs()].index(value.unique())
    ending = [block for block in node.blocks() if all(one.kind() != "prim::RaiseException" for one in block.nodes())]
    return [_reach(list(block.outputs())[place], places, writes) for block in ending]


def _made_from(node: Any) -> list[Any]:
    """The values that a node computes with, those of its blocks among them."""
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
    """Whether it writes into its first argument: `aten::copy_`."""
    return node.kind().startswith("aten::") and node.kind().endswith("_") and not node.kind().endswith("__")


def _base(node: Any) -> Any:
    """What it writes into, behind the views of it."""
    value = next(node.inputs())
    while value.node().kind() in UNPACKS or _VIEW.match(str(value.node().schema())):
        value = next(value.node().inputs())
    return value
