"""module -> snapshot: whether a call left anything behind in it.

Cheap enough to ask after every case (0.4 ms for MiniLM, against 63 ms for a copy): identities of attributes,
identities and versions of tensors. Take it before the first call: BigBird flips its attention on the first short
input, and never back (facts: detection, 6).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch import nn

Mark = Any

DEPTH = 6
"""Levels of containers and plain objects looked into: a cache has layers, and a layer has fields."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a module at one moment; holds what it saw alive, so that identities stay true."""

    marks: tuple[Mark, ...]

    @classmethod
    def of(cls, module: nn.Module) -> Snapshot:
        """The state of `module` now."""
        seen: dict[int, Mark] = {}
        return cls(tuple(_mark_module(child, seen) for child in module.modules()))

    def differs(self, module: nn.Module) -> bool:
        """Whether `module` has changed since."""
        return not _same(Snapshot.of(module).marks, self.marks)


@dataclass(frozen=True, slots=True)
class _Held:
    """An object known by identity alone."""

    thing: object


@dataclass(frozen=True, slots=True)
class _Version:
    """A tensor known by identity, address and how often it was written to."""

    tensor: torch.Tensor
    address: int
    version: int


def _mark_module(module: nn.Module, seen: dict[int, Mark]) -> Mark:
    if isinstance(module, torch.jit.ScriptModule):
        tensors = [*module.named_buffers(recurse=False), *module.named_parameters(recurse=False)]
        return tuple((name, tensor.data_ptr(), tensor._version) for name, tensor in tensors)
    return tuple((name, _mark(value, seen, depth=DEPTH)) for name, value in vars(module).items())


def _mark(value: object, seen: dict[int, Mark], depth: int) -> Mark:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, torch.Tensor):
        return _Version(value, value.data_ptr() if value.layout == torch.strided else 0, value._version)
    if depth == 0 or isinstance(value, (type, nn.Module, FunctionType, MethodType, ModuleType)):
        return _Held(value)
    if id(value) not in seen:
        seen[id(value)] = (_Held(value), _inside(value, seen, depth - 1))
    return seen[id(value)]


def _inside(value: object, seen: dict[int, Mark], depth: int) -> Mark:
    """What a container or a plain object (a config, a cache) holds."""
    if isinstance(value, Mapping):
        return tuple((key, _mark(child, seen, depth)) for key, child in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return tuple(_mark(child, seen, depth) for child in value)
    attributes = getattr(value, "__dict__", {})
    return tuple((name, _mark(child, seen, depth)) for name, child in attributes.items())


def _same(one: Mark, other: Mark) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, _Held) and isinstance(other, _Held):
        return one.thing is other.thing
    if isinstance(one, _Version) and isinstance(other, _Version):
        return one.tensor is other.tensor and (one.address, one.version) == (other.address, other.version)
    if type(one) is not type(other):
        return False
    return bool(one == other) or (isinstance(one, float) and math.isnan(one) and math.isnan(other))
