"""module -> the tensors that it holds, each under every one of its names.

The walk reads `_parameters`, `_buffers`, `_modules` and `__dict__` themselves, and the attributes of a script module
from its type: a model may override `named_parameters`, and its properties may compute anything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from types import BuiltinFunctionType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

import torch
from torch import nn

from pytest_tsexport.tensors.memory import share_elements
from pytest_tsexport.tensors.script_modules import is_script, script_attributes

Tensors = dict[str, torch.Tensor]
Named = Iterator[tuple[str, torch.Tensor]]
Objects = dict[int, object]
"""By identity; the objects are kept alive, so that no identity is used twice."""

DEPTH = 6
"""Levels of containers and plain objects in which tensors are looked for: a cache has layers, a layer has fields."""

KINDS = ("_parameters", "_buffers")
"""The attributes of a module in which torch keeps its weights."""

REGISTERED = frozenset({*KINDS, "_modules"})
"""The attributes of a module in which torch keeps its weights and its children."""

VALUES = frozenset({str, int, float, bool, type(None)})
"""The classes of most of what a model holds; they are passed over first, because that is quick."""

ATOMS = (type, ModuleType, BuiltinFunctionType, str, bytes, int, float, complex, type(None), torch.dtype, torch.device)
"""What refers to nothing that could be replaced, and is not copied."""

OPAQUE = (*ATOMS, FunctionType, MethodType)
"""What has no tensors in attributes of its own; what a function has in its closure has no name."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One name of a tensor: `key` is its name within the module that holds it; a weight is a parameter or a buffer."""

    name: str
    holder: nn.Module
    key: str
    tensor: torch.Tensor
    is_weight: bool


def named_modules(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The module and each one registered below it, under *each* of its names; the module itself is named `""`.

    A module that is registered below itself ends the walk there.
    """
    yield from _modules_below("", module, ())


def named_weights(module: nn.Module) -> Tensors:
    """Every parameter and buffer under *each* of its names: the parameters in the order of the module, then buffers."""
    return {entry.name: entry.tensor for entry in _weights(module)}


def named_tensors(module: nn.Module) -> Tensors:
    """`named_weights`, and then every other tensor that a module of the tree holds, under each of its names.

    These are tensors among the attributes of a module, in lists, tuples, sets, dicts and plain objects there
    (`head.table.0`), in script modules too, and the weights of a module that is only in such a container. A module
    that is registered as well has no second name there. A script module shows no tensors of objects of its classes.
    """
    return {entry.name: entry.tensor for entry in entries(module)}


def distinct_tensors(module: nn.Module) -> Tensors:
    """`named_tensors`, without a module's own plain references to its own weights.

    `nn.LSTM._flat_weights` is such a reference, and a cached list of weights: it is the same weight once more and no
    second name. A plain attribute of *another* module is a second name.
    """
    return {entry.name: entry.tensor for entry in entries(module) if entry.is_weight or own_weight(entry) is None}


def entries(module: nn.Module) -> list[Entry]:
    """Every name of every tensor of a module: those of `named_tensors`, in the same order."""
    found = list(_weights(module))
    names = {entry.name for entry in found}
    known: Objects = {id(one): one for _, one in named_modules(module)}
    for name, holder in named_modules(module):
        for key, tensor in _plain(holder, known):
            if _join(name, key) not in names:
                names.add(_join(name, key))
                found.append(Entry(_join(name, key), holder, key, tensor, is_weight=False))
    return found


def own_weight(entry: Entry) -> torch.Tensor | None:
    """The weight of its own module that a plain attribute refers to; None if it shares no element with one."""
    own = [tensor for kind in KINDS for _, tensor in getattr(entry.holder, kind).items() if tensor is not None]
    same = [weight for weight in own if weight is entry.tensor]
    return next((weight for weight in same or own if same or share_elements(weight, entry.tensor)), None)


def _modules_below(name: str, module: nn.Module, above: tuple[int, ...]) -> Iterator[tuple[str, nn.Module]]:
    yield name, module
    for child_name, child in module._modules.items():
        if child is not None and id(child) not in above:
            yield from _modules_below(_join(name, child_name), child, (*above, id(module)))


def _weights(module: nn.Module) -> Iterator[Entry]:
    for kind in KINDS:
        for name, holder in named_modules(module):
            for key, tensor in getattr(holder, kind).items():
                if tensor is not None:
                    yield Entry(_join(name, key), holder, key, tensor, is_weight=True)


def _plain(module: nn.Module, known: Objects) -> Named:
    """The tensors that a module holds besides its parameters, its buffers and its children."""
    for name, value in _module_attributes(module):
        if type(value) not in VALUES and not (isinstance(value, dict) and not len(value)):  # most are dicts of hooks
            yield from _tensors_in(name, value, known, ())


def _tensors_in(name: str, value: object, known: Objects, above: tuple[int, ...]) -> Named:
    """The tensors in a container or a plain object of this name; `known` gains each one that holds none."""
    if isinstance(value, torch.Tensor):
        yield name, value
    elif len(above) < DEPTH and not isinstance(value, OPAQUE) and id(value) not in known and id(value) not in above:
        is_empty = True
        for key, child in _children(value):
            if type(child) not in VALUES:
                for found in _tensors_in(_join(name, str(key)), child, known, (*above, id(value))):
                    is_empty = False
                    yield found
        if is_empty and not above:
            known[id(value)] = value


def _children(value: object) -> Iterable[tuple[object, object]]:
    if isinstance(value, dict):
        return dict.items(value)
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return enumerate(value)
    return _weights_and_attributes(value) if isinstance(value, nn.Module) else attributes(value)


def _module_attributes(module: nn.Module) -> Iterator[tuple[str, object]]:
    if is_script(module):
        yield from _script_tensors(module)
    else:
        yield from ((name, value) for name, value in vars(module).items() if name not in REGISTERED)


def _script_tensors(module: nn.Module) -> Iterator[tuple[str, object]]:
    """Those whose type speaks of tensors."""
    weights = {name for kind in KINDS for name, _ in getattr(module, kind).items()}
    for name, kind, value in script_attributes(module):
        if name not in weights and "Tensor" in kind:
            yield name, value


def _weights_and_attributes(module: nn.Module) -> Iterator[tuple[str, object]]:
    """All that a module holds which is in a container and registered nowhere."""
    for kind in (*KINDS, "_modules"):
        yield from getattr(module, kind).items()
    yield from _module_attributes(module)


def attributes(value: object) -> Iterator[tuple[str, object]]:
    """What an object holds in its `__dict__`, in its `__slots__`, and in the members of a C type, as a partial has."""
    yield from getattr(value, "__dict__", {}).items()
    for slot in _slots(type(value)):  # type: ignore[arg-type]  # a type is hashable, which mypy does not see
        with suppress(AttributeError):  # the slot is still empty
            yield slot.__name__, slot.__get__(value)


@cache
def _slots(kind: Any) -> tuple[MemberDescriptorType, ...]:
    """The members that `__slots__` makes, and those of C types: the object of a method, the arguments of a partial."""
    members = (one for base in kind.__mro__ for one in vars(base).values() if isinstance(one, MemberDescriptorType))
    return tuple(one for one in members if one.__name__ != "__dict__")


def _join(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key
