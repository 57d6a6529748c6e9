"""graph -> mutations: what can be changed at a node, as data that a seed draws.

Each mutation is what a compiler or an exporter gets wrong: a constant changed, an operator swapped, a branch dropped, a
size frozen at what it was while tracing, a weight changed, two arguments swapped. A node is drawn uniformly from those
at which anything can be changed, then the kind of the change, then the change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import torch

from tests.benchmarks.corpus.graphs import Opened, arguments, constant
from tests.benchmarks.corpus.swaps import DROPS, ORDERED, SWAPS, TAKES

KINDS = ("constant", "operator", "branch", "frozen size", "weight", "arguments")

LEFT_ALONE = {"dtype", "layout", "device", "pin_memory", "memory_format", "non_blocking", "copy", "training", "train"}
"""Arguments that say where and how numbers are kept, and not which ones."""

FACTORS = (0.5, 0.9, 0.99, 1.01, 1.1, 2.0)
WEIGHT_CHANGES = ("row negated", "rows swapped", "element moved", "scaled by 1.01")


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change: the place of its node in the graph, its kind, the argument that is changed, and the new value."""

    node: int
    kind: str
    operator: str
    argument: int = -1
    before: str = ""
    after: str = ""
    value: Any = None

    @property
    def text(self) -> str:
        """`constant at node 12, aten::add argument 2: 1 -> 2`."""
        where = f" argument {self.argument}" if self.argument >= 0 else ""
        return f"{self.kind} at node {self.node}, {self.operator}{where}: {self.before} -> {self.after}"


def drawn(file: Opened, numbers: Mapping[int, int], random: Random) -> Mutation:
    """A node, a kind and a change, each drawn uniformly."""
    place = random.choice(sites(file, numbers))
    kinds: dict[str, list[Mutation]] = {}
    for one in changes(file, place, numbers, random):
        kinds.setdefault(one.kind, []).append(one)
    return random.choice(kinds[random.choice(sorted(kinds))])


def sites(file: Opened, numbers: Mapping[int, int]) -> list[int]:
    """The places of the nodes at which anything can be changed."""
    return [place for place in range(len(file.nodes)) if next(changes(file, place, numbers, Random(0)), None)]


def changes(file: Opened, place: int, numbers: Mapping[int, int], random: Random) -> Iterator[Mutation]:
    """Everything that can be changed at a node."""
    node = file.nodes[place]
    kind = node.kind()
    if kind == "prim::GetAttr":
        yield from _weights(file, place, random)
        return
    if not kind.startswith("aten::") and kind != "prim::ListConstruct":
        return
    yield from _constants(place, node, random)
    yield from _frozen(file, place, numbers)
    yield from _operators(place, node)


def _constants(place: int, node: Any, random: Random) -> Iterator[Mutation]:
    for at, (name, value) in enumerate(zip(arguments(node), node.inputs(), strict=False)):
        old = constant(value)
        if name in LEFT_ALONE or old is None:
            continue
        new = _other(old, random)
        if new is not None:
            yield Mutation(place, "constant", node.kind(), at, _short(old), _short(new), new)


def _other(old: Any, random: Random) -> Any:
    """Another value of the same type; None for what is no number."""
    if isinstance(old, bool):
        return not old
    if isinstance(old, int):
        return old + random.choice((-1, 1))
    if isinstance(old, float):
        return old * random.choice(FACTORS) if old else 0.1
    if isinstance(old, torch.Tensor) and old.numel() == 1 and old.is_floating_point():
        return old * random.choice(FACTORS)
    return None


def _frozen(file: Opened, place: int, numbers: Mapping[int, int]) -> Iterator[Mutation]:
    """A size that the node takes becomes the number that it was while tracing."""
    node = file.nodes[place]
    made = {value.debugName(): at for at in numbers for value in file.nodes[at].outputs()}
    for at, value in enumerate(node.inputs()):
        if value.debugName() in made:
            number = numbers[made[value.debugName()]]
            yield Mutation(place, "frozen size", node.kind(), at, "a size", str(number), number)


def _operators(place: int, node: Any) -> Iterator[Mutation]:
    kind, names = node.kind(), arguments(node)
    tensors = [at for at, value in enumerate(node.inputs()) if _is_tensor(value)]
    for other in SWAPS.get(kind, ()):
        yield Mutation(place, "operator", kind, before=kind, after=other, value=other)
    for at in DROPS.get(kind, ()):
        if at in tensors:
            yield Mutation(place, "branch", kind, at, "its result", f"its argument {at}", at)
    for optional in ("bias", "attn_mask"):
        if optional in names and names.index(optional) in tensors:
            yield Mutation(place, "branch", kind, names.index(optional), optional, "None", None)
    if kind in ORDERED and len(tensors) >= 2:
        first, second = tensors[-2:] if kind == "aten::where" else tensors[:2]
        yield Mutation(place, "arguments", kind, first, f"{first}, {second}", f"{second}, {first}", second)


def _weights(file: Opened, place: int, random: Random) -> Iterator[Mutation]:
    node = file.nodes[place]
    if not _is_tensor(node.output()):
        return
    whole = not _attribute(file, node).is_floating_point()
    for change in ("element moved",) if whole else WEIGHT_CHANGES:
        seed = random.randrange(1_000_000)
        yield Mutation(place, "weight", "prim::GetAttr", before=node.s("name"), after=change, value=seed)


def apply(file: Opened, mutation: Mutation) -> None:
    """Change the graph, or a weight, of a freshly opened file. Raises whatever torch raises if that cannot be done."""
    node = file.nodes[mutation.node]
    if mutation.kind == "weight":
        _change_weight(file, node, mutation)
    elif mutation.kind == "operator":
        _replace(file, node, mutation.value)
    elif mutation.kind == "branch" and mutation.after != "None":
        node.output().replaceAllUsesWith(node.inputsAt(mutation.value))
    elif mutation.kind == "arguments":
        first, second = node.inputsAt(mutation.argument), node.inputsAt(mutation.value)
        node.replaceInput(mutation.argument, second)
        node.replaceInput(mutation.value, first)
    else:
        file.graph.setInsertPoint(node)
        node.replaceInput(mutation.argument, file.graph.insertConstant(mutation.value))
    file.graph.lint()


def _replace(file: Opened, node: Any, kind: str) -> None:
    """The same arguments, as far as the other operator takes them, given to another operator."""
    given = list(node.inputs())[: TAKES.get(kind)]
    if kind == "aten::gelu":
        file.graph.setInsertPoint(node)
        given.append(file.graph.insertConstant("none"))
    other = file.graph.create(kind, given, 1)
    other.insertBefore(node)
    other.output().setType(node.output().type())
    node.output().replaceAllUsesWith(other.output())
    node.destroy()


def _change_weight(file: Opened, node: Any, mutation: Mutation) -> None:
    weight = _attribute(file, node)
    random = torch.Generator().manual_seed(mutation.value)
    rows = weight.view(-1, weight.shape[-1]) if weight.dim() > 1 else weight.view(-1, 1)
    order = torch.randperm(len(rows), generator=random).tolist()
    first, second = order[0], order[-1]
    if mutation.after == "rows swapped" and first == second:
        raise ValueError("there is one row only")
    with torch.no_grad():
        if mutation.after == "rows swapped":
            rows[[first, second]] = rows[[second, first]]
        elif mutation.after == "row negated":
            rows[first] = -rows[first]
        elif mutation.after == "scaled by 1.01":
            weight.mul_(1.01)
        else:
            column = int(torch.randint(0, rows.shape[1], (), generator=random))
            rows[first, column] += (
                max(weight.float().std(correction=0).item(), 0.1) if weight.is_floating_point() else 1
            )


def _attribute(file: Opened, node: Any) -> torch.Tensor:
    """The tensor that a chain of attributes names."""
    names = [node.s("name")]
    owner = node.inputsAt(0).node()
    while owner.kind() == "prim::GetAttr":
        names.append(owner.s("name"))
        owner = owner.inputsAt(0).node()
    found: Any = file.module
    for name in reversed(names):
        found = getattr(found, name)
    assert isinstance(found, torch.Tensor)
    return found.data


def _is_tensor(value: Any) -> bool:
    return isinstance(value.type(), torch._C.TensorType)


def _short(value: Any) -> str:
    return f"tensor({value.item():.6g})" if isinstance(value, torch.Tensor) else f"{value!r}"
