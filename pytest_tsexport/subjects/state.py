"""module -> snapshot: whether a call changed any state of the module.

It compares identities of attributes, and identities and versions of tensors. That is cheap enough for every case: 3 ms
for MiniLM, and less than 1 ms where a quick look shows that nothing moved. A copy takes 63 ms. Take the snapshot before
the first call, because BigBird switches its attention at the first short input and never back. An object that can be
copied but not inspected counts as changed.
"""

from __future__ import annotations

import copy
import logging
import math
import sys
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import compress, starmap
from numbers import Number
from operator import is_not
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import nn

from pytest_tsexport.subjects.stillness import Stillness
from pytest_tsexport.tensors.memory import why_unreadable
from pytest_tsexport.tensors.named_tensors import attributes

Mark = Any
Names = tuple[tuple[str, ...], ...]
"""For each script module, its attributes that are neither modules nor weights."""

DEPTH = 6
"""Levels of containers and plain objects that are inspected: a cache has layers, and a layer has fields."""

PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device)
"""What is compared by value."""

BUILTIN = frozenset({dict, OrderedDict, list, tuple, set, frozenset, deque})
"""Containers that are mostly empty: a module has a dozen dicts of hooks."""

FIXED = (type, FunctionType, ModuleType, logging.Logger, Number, str, bytes)
"""What is compared by identity, although it may have attributes."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The state of a module at one moment. It keeps the objects alive, so that no identity is used twice.

    `stillness` shows in most cases that nothing changed, without all the marks; None if it could not.
    """

    marks: tuple[Mark, ...]
    names: Names
    stillness: Stillness | None

    @classmethod
    def of(cls, module: nn.Module) -> Snapshot:
        """The state of `module` now."""
        names, walk = _names(module), _Walk()
        marks = _marks(module, names, walk)
        is_known = not walk.opaque and (not _scripted(module) or _keeps_its_tensors(module, names))
        return cls(marks, names, Stillness.of(walk.met.values(), walk.tensors) if is_known else None)

    def differs(self, module: nn.Module) -> bool:
        """Whether `module` has changed since."""
        if self.stillness is not None and self.stillness.lasts():
            return False
        return not _same(_marks(module, self.names, _Walk()), self.marks)


@dataclass(frozen=True, slots=True, eq=False)
class _Identity:
    """An object that is compared by identity alone."""

    thing: object


@dataclass(frozen=True, slots=True, eq=False)
class _Version:
    """A tensor that is compared by identity, address and number of writes."""

    tensor: torch.Tensor
    address: int
    version: int


@dataclass(slots=True, eq=False)
class _Walk:
    """What one walk through a module met: modules, containers and objects by identity, and tensors.

    `opaque`: something was among them that always counts as changed. Mutable: it grows while the walk goes on.
    """

    met: dict[int, object] = field(default_factory=dict)
    tensors: list[tuple[torch.Tensor, int, int]] = field(default_factory=list)
    opaque: bool = False


def _marks(module: nn.Module, names: Names, walk: _Walk) -> tuple[Mark, ...]:
    tree, scripted = _mark_tree(module, walk), zip(_scripted(module), names, strict=False)
    return (tree, *(_mark_scripted(one, given, walk) for one, given in scripted))


def _mark_tree(module: nn.Module, walk: _Walk) -> Mark:
    """The module and those below it, each of them once."""
    family = [child for child in module.modules() if id(child) not in walk.met]
    walk.met.update((id(child), child) for child in family)
    own = (vars(child) for child in family if not isinstance(child, torch.jit.ScriptModule))
    return tuple((*given, *[_attribute(value, walk) for value in given.values()]) for given in own)


def _attribute(value: Any, walk: _Walk) -> Mark:
    """The mark of an attribute of a module; most of them are plain values or empty dicts of hooks."""
    kind = type(value)
    return value if kind in PLAIN else () if kind in BUILTIN and not value else _mark(value, walk, DEPTH)


def _mark(value: Any, walk: _Walk, depth: int) -> Mark:
    if type(value) in PLAIN:
        return value
    if type(value) in BUILTIN and not value:
        return ()
    if isinstance(value, torch.Tensor):
        return _version(value, walk)
    if id(value) in walk.met or (depth == 0 and not isinstance(value, nn.Module)):
        return _Identity(value)
    return _Identity(value), _inside(value, walk, depth - 1)


def _version(tensor: torch.Tensor, walk: _Walk) -> _Version:
    address, writes = _address_and_writes(tensor)
    walk.tensors.append((tensor, address, writes))
    return _Version(tensor, address, writes)


def _address_and_writes(tensor: torch.Tensor) -> tuple[int, int]:
    """Zero for an address that torch does not show. An inference tensor counts no writes, and takes none from us."""
    is_shown = tensor.layout == torch.strided and why_unreadable(tensor) is None
    return tensor.data_ptr() if is_shown else 0, 0 if tensor.is_inference() else tensor._version


def _inside(value: Any, walk: _Walk, depth: int) -> Mark:
    """The contents of a container or a plain object (a config, a cache); an opaque value always compares unequal."""
    if isinstance(value, nn.Module):  # in a list, for example, where `modules()` does not see it
        return _mark_tree(value, walk)
    if isinstance(value, FIXED):
        return ()
    walk.met[id(value)] = value
    if isinstance(value, Mapping):
        return tuple((key, _mark(child, walk, depth)) for key, child in value.items())
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return tuple(_mark(child, walk, depth) for child in value)
    found = tuple((name, _mark(child, walk, depth)) for name, child in attributes(value))
    if found or not _is_opaque(value):
        return found
    walk.opaque = True
    return object()


def _is_opaque(value: object) -> bool:
    """Whether it may hold state that a copy of the model would start anew: an iterator, a random number generator."""
    home = type(value).__module__.partition(".")[0]
    if hasattr(value, "__dict__") or type(value).__basicsize__ == object.__basicsize__:
        return False
    if home != "numpy" and home not in sys.stdlib_module_names:
        return False
    try:
        return copy.deepcopy(value) is not value
    except Exception:  # an object may raise anything when it is copied; then the model cannot be copied either
        return False


def _scripted(module: nn.Module) -> list[torch.jit.ScriptModule]:
    return [child for child in module.modules() if isinstance(child, torch.jit.ScriptModule)]


def _names(module: nn.Module) -> Names:
    scripted = _scripted(module)
    inner = {id(child) for one in scripted for child in one.children()}
    reads = {name for one in scripted if id(one) not in inner for name in _reads(one)}
    return tuple(tuple(sorted(name for name in reads if _is_data(one, name))) for one in scripted)


def _reads(module: torch.jit.ScriptModule) -> set[str]:
    """The attributes that `forward` and what it calls read or write; empty if torch cannot say."""
    try:
        find = module.inlined_graph.findAllNodes  # type: ignore[attr-defined]
        return {node.s("name") for kind in ("Get", "Set") for node in find(f"prim::{kind}Attr", recurse=True)}
    except (AttributeError, RuntimeError):
        return set()


def _is_data(module: torch.jit.ScriptModule, name: str) -> bool:
    if name in module._parameters or name in module._buffers or not module._c.hasattr(name):
        return False
    return isinstance(getattr(module, name), (torch.Tensor, list, tuple, dict, *PLAIN))


def _keeps_its_tensors(module: nn.Module, names: Names) -> bool:
    """Whether all code that can reach into the script modules is shown, and gives none of them another tensor."""
    if not isinstance(module, torch.jit.ScriptModule) or any(names):
        return False
    try:
        find = module.inlined_graph.findAllNodes  # type: ignore[attr-defined]
        return not any(find(kind, recurse=True) for kind in ("prim::SetAttr", "prim::CallMethod"))
    except (AttributeError, RuntimeError):
        return False


def _mark_scripted(module: torch.jit.ScriptModule, names: tuple[str, ...], walk: _Walk) -> Mark:
    """Its containers live in C++, and are a new Python object at every access."""
    tensors = [*module.named_buffers(recurse=False), *module.named_parameters(recurse=False)]
    versions = [(name, _version(tensor, walk)) for name, tensor in tensors]
    weights = tuple((name, one.address, one.version) for name, one in versions)
    return weights, tuple((name, _copied(getattr(module, name))) for name in names)


def _copied(value: object) -> Mark:
    if isinstance(value, dict):
        return tuple((key, _copied(child)) for key, child in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(map(_copied, value))
    return _mark(value, _Walk(), 0)


def _same(one: Mark, other: Mark) -> bool:
    if one is other:
        return True
    if isinstance(one, tuple) and isinstance(other, tuple):
        # Almost all members are one object in both, which `compress` finds out without Python.
        others = compress(zip(one, other, strict=False), map(is_not, one, other))
        return len(one) == len(other) and all(starmap(_same, others))
    if isinstance(one, _Identity) and isinstance(other, _Identity):
        return one.thing is other.thing
    if isinstance(one, _Version) and isinstance(other, _Version):
        return one.tensor is other.tensor and (one.address, one.version) == (other.address, other.version)
    if type(one) is not type(other) or isinstance(one, torch.Tensor):
        return False  # a tensor is here as the key of a dict, where it equals only itself
    return bool(one == other) or (isinstance(one, float) and math.isnan(one) and math.isnan(other))
