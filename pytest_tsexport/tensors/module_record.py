"""module -> record: reads what a module tree holds, without calling anything of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from pytest_tsexport.tensors.contents import VALUES, contents
from pytest_tsexport.tensors.memory import digest
from pytest_tsexport.tensors.named_tensors import named_modules
from pytest_tsexport.tensors.record import (
    HOOKS,
    TENSOR_HOOKS,
    ClassRecord,
    Function,
    ModuleRecord,
    Opened,
    Record,
    TensorRecord,
    Value,
)
from pytest_tsexport.tensors.script_modules import SCRIPT_MODULE, is_script, script_attributes, script_code

DEPTH = 6
"""Levels of containers and plain objects that are recorded: a cache has layers, and a layer has fields."""

MOST = 100_000
"""Objects whose contents are recorded: a model may hold its training data."""

CLOSED = (ModuleType, logging.Logger, RemovableHandle)
"""What is recorded by its name alone: it belongs to the process, and not to the model.

A hook has a number that says nothing.
"""

WITH_FLAGS = ("_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks_with_kwargs")
"""Dicts that say of some hooks, by the same number, how they are called."""

BOOKKEEPING = {"training", "_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", *HOOKS, *WITH_FLAGS}
BOOKKEEPING |= {"_is_full_backward_hook", "_is_hf_initialized", "_is_torch_compile"}
BOOKKEEPING |= {"_flat_weights", "_flat_weight_refs"}
"""Attributes of a module that are recorded in another way, or that torch and Transformers set for themselves."""


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """One reading of a module tree.

    `places` has a name of each of its modules, by identity. `known` are the records made so far, by the identity of the
    object; it keeps the object alive, so that no identity is used twice.
    """

    places: Mapping[int, str]
    known: dict[int, tuple[object, Record]] = field(default_factory=dict)


def record(module: nn.Module) -> ModuleRecord:
    """The record of a module and of all that it holds, now.

    An object that is met twice, such as a config that every layer has, has one record.
    """
    return _module(module, _Walk({id(child): name for name, child in named_modules(module)}))


def _module(module: nn.Module, walk: _Walk) -> ModuleRecord:
    if id(module) in walk.known:
        found = walk.known[id(module)][1]
        assert isinstance(found, ModuleRecord)
        return found
    made = ModuleRecord(
        cls=SCRIPT_MODULE if is_script(module) else type(module),
        parts={},
        training=getattr(module, "training", False),  # a frozen script module has no mode
        unsaved=frozenset(vars(module).get("_non_persistent_buffers_set", ())),
        hooks={},
        classes=tuple(_class(cls, walk) for cls in _own_classes(module)),
    )
    walk.known[id(module)] = (module, made)
    for name, value, role in _parts_of(module):
        if isinstance(value, torch.Tensor):
            made.parts[name] = _tensor(value, role, walk)
        else:
            made.parts[name] = _any(value, walk, DEPTH)
    for kind in HOOKS:
        hooks = vars(module).get(kind)
        if hooks:
            made.hooks[kind] = tuple(_hook(module, key, hook, walk) for key, hook in hooks.items())
    return made


def _parts_of(module: nn.Module) -> Iterator[tuple[str, object, str]]:
    """(name, value, role) of all that a module holds, its submodules last."""
    yield from ((name, tensor, "parameter") for name, tensor in module._parameters.items())
    yield from ((name, tensor, "buffer") for name, tensor in module._buffers.items())
    for name, value in _script_parts(module) if is_script(module) else vars(module).items():
        if name not in BOOKKEEPING and not name.startswith("__") and not _is_own_method(module, name, value):
            yield name, value, "tensor"
    yield from ((name, child, "module") for name, child in module._modules.items())


def _script_parts(module: nn.Module) -> Iterator[tuple[str, object]]:
    """Its code, and its attributes that are of no compiled class; they are new objects at every access."""
    yield "code", script_code(module)
    yield from ((name, value) for name, kind, value in script_attributes(module) if "__torch__" not in kind)


def _is_own_method(module: nn.Module, name: str, value: object) -> bool:
    """Whether it is the method of the class: `model.forward = old` puts that back after a patch."""
    if not isinstance(value, MethodType) or value.__self__ is not module:
        return False
    return value.__func__ is getattr(type(module), name, None)


def _any(value: Any, walk: _Walk, depth: int) -> Record:
    if isinstance(value, VALUES):
        return Value.of(value)
    if isinstance(value, CLOSED):
        return Value(type(value), getattr(value, "__name__", getattr(value, "name", "")))
    if isinstance(value, torch.Tensor):
        return _tensor(value, "tensor", walk)
    if isinstance(value, nn.Module):
        return _module(value, walk)
    if isinstance(value, (FunctionType, BuiltinFunctionType, MethodType)):
        return _function(value, walk, depth)
    return _opened(value, walk, depth)


def _tensor(tensor: torch.Tensor, role: str, walk: _Walk) -> TensorRecord:
    found = walk.known.get(id(tensor), (None, None))[1]
    grad = None if role == "tensor" else tensor.requires_grad
    cls = torch.Tensor if role == "tensor" else type(tensor)  # a script module shows its parameters as tensors
    if isinstance(found, TensorRecord):  # its values are hashed once
        return found if found.role == role else replace(found, role=role, requires_grad=grad, cls=cls)
    shape = () if tensor.is_nested else tuple(tensor.shape)
    hooks = {kind: tuple(_hooks_of(tensor, kind, walk)) for kind in TENSOR_HOOKS}
    parts = {name: _any(value, walk, DEPTH) for name, value in vars(tensor).items() if name not in BOOKKEEPING}
    if tensor.is_leaf and tensor.grad is not None:
        parts["grad"] = _tensor(tensor.grad, "tensor", walk)
    made = TensorRecord(
        role=role,
        shape=shape,
        dtype=tensor.dtype,
        device=str(tensor.device),
        requires_grad=grad,
        digest=digest(tensor),
        cls=cls,
        is_inference=tensor.is_inference(),
        parts=parts,
        hooks=hooks,
    )
    walk.known[id(tensor)] = (tensor, made)
    return made


def _hooks_of(tensor: torch.Tensor, kind: str, walk: _Walk) -> Iterator[Record]:
    yield from (_any(hook, walk, DEPTH) for hook in (getattr(tensor, kind, None) or {}).values())


def _own_classes(module: nn.Module) -> Iterator[type]:
    """The classes whose code a module runs, without `nn.Module` and its bases; a script module has code of its own."""
    if not is_script(module):
        yield from (base for base in type(module).__mro__ if base not in nn.Module.__mro__)


def _class(cls: type, walk: _Walk) -> ClassRecord:
    """A class by its own functions and plain values; its containers may be caches, which any model may fill."""
    found = walk.known.get(id(cls), (None, None))[1]
    if isinstance(found, ClassRecord):
        return found
    made = ClassRecord(cls, {})
    walk.known[id(cls)] = (cls, made)
    for name, value in vars(cls).items():
        inner = getattr(value, "__func__", getattr(value, "fget", value))
        if isinstance(inner, FunctionType):
            made.parts[name] = Function(inner, inner.__code__)
        elif isinstance(inner, VALUES) and not name.startswith("__"):
            made.parts[name] = Value.of(inner)
    return made


def _hook(module: nn.Module, key: object, hook: object, walk: _Walk) -> Record:
    """A hook and how it is called."""
    flags = tuple(name for name in WITH_FLAGS if key in vars(module).get(name, ()))
    parts = {"hook": _any(hook, walk, DEPTH), "flags": Value(tuple, flags)}
    return Opened(tuple, parts)


def _function(value: Any, walk: _Walk, depth: int) -> Function:
    owner = getattr(value, "__self__", None) if isinstance(value, MethodType) else None
    bound_to = None if owner is None else walk.places.get(id(owner), type(owner).__qualname__)
    inner = getattr(value, "__func__", value)
    found = walk.known.get(id(value), (None, None))[1]
    if isinstance(found, Function):
        return found
    if not isinstance(inner, FunctionType) or depth == 0:
        return Function(inner, bound_to=bound_to)
    parts: dict[str, Record] = {}
    made = Function(inner, inner.__code__, bound_to, parts)
    walk.known[id(value)] = (value, made)
    for name, cell in zip(inner.__code__.co_freevars, inner.__closure__ or (), strict=True):
        parts[name] = _enclosed(cell, walk, depth - 1)
    for place, default in enumerate(inner.__defaults__ or ()):
        parts[f"default {place}"] = _referred(default, walk, depth - 1)
    return made


def _enclosed(cell: Any, walk: _Walk, depth: int) -> Record:
    try:
        return _referred(cell.cell_contents, walk, depth)
    except ValueError:  # the variable has no value yet
        return Value(type(cell), "empty")


def _referred(value: Any, walk: _Walk, depth: int) -> Record:
    """What a function refers to. A module is named by its place: its own record says whether it changed."""
    if isinstance(value, nn.Module):
        return Value(type(value), walk.places.get(id(value), ""))
    return _any(value, walk, depth)


def _opened(value: Any, walk: _Walk, depth: int) -> Record:
    """A container or a plain object. At the last level, it is recorded by its class alone."""
    found = walk.known.get(id(value))
    if found is not None:
        return found[1]
    if depth == 0 or len(walk.known) > MOST:
        return Opened(type(value), {}, cut=True)
    parts: dict[str, Record] = {}
    made = Opened(type(value), parts)
    walk.known[id(value)] = (value, made)
    for name, child in contents(value):
        parts[name] = _any(child, walk, depth - 1)
    return made
