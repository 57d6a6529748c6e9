"""Finds weights that share memory, clones tied weights, and copies models.

Tied means that byte *ranges* overlap. Two rows of one buffer share a storage and are not tied; `w` and `w.T` are tied.
(See docs/explanation/measurements.md#tied-weights.)
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from pytest_tsexport.errors import InputsError


@dataclass(frozen=True, slots=True)
class TiedGroup:
    """The names of weights that share memory, and how many bytes are added when they are cloned."""

    names: tuple[str, ...]
    bytes_added: int


def named_weights(module: nn.Module) -> dict[str, torch.Tensor]:
    """Every parameter and buffer under *each* of its names, in the order of the module."""
    weights: dict[str, torch.Tensor] = dict(module.named_parameters(remove_duplicate=False))
    weights.update(module.named_buffers(remove_duplicate=False))
    return weights


def tied_groups(weights: Mapping[str, torch.Tensor]) -> tuple[TiedGroup, ...]:
    """The groups of two or more names whose byte ranges overlap."""
    spans = sorted(
        (*_span(tensor), name) for name, tensor in weights.items() if tensor.numel() and _has_storage(tensor)
    )
    groups: list[tuple[str, ...]] = []
    members: list[str] = []
    end = -1
    for start, stop, name in spans:
        if start >= end:
            groups.append(tuple(members))
            members, end = [], stop
        members.append(name)
        end = max(end, stop)
    groups.append(tuple(members))
    order = {name: place for place, name in enumerate(weights)}
    tied = [tuple(sorted(group, key=order.__getitem__)) for group in groups if len(group) > 1]
    return tuple(TiedGroup(group, _added(group, weights)) for group in sorted(tied, key=lambda group: order[group[0]]))


def parameter_sharing_copy(model: nn.Module) -> nn.Module:
    """A copy of the module tree that shares every parameter with `model`; its buffers and other state are copied.

    For MiniLM it costs a quarter of a deep copy. Raises `InputsError` if the model cannot be copied.
    """
    return _deep_copied(model, {id(parameter): parameter for parameter in model.parameters()})


def _deep_copied(model: nn.Module, memo: dict[int, Any]) -> nn.Module:
    """`copy.deepcopy` of the model; `memo` holds the copies that are made already, or the objects that are shared.

    `deepcopy` refuses a tensor that autograd made (`weight_norm` keeps one), so its value is copied.
    """
    for module in model.modules():
        for value in (*vars(module).values(), *module._buffers.values()):
            if isinstance(value, torch.Tensor) and value.grad_fn is not None:
                memo[id(value)] = value.detach().clone()
    try:
        copied = copy.deepcopy(model, memo)
    except (TypeError, RuntimeError, copy.Error, pickle.PicklingError) as error:
        what = f"{type(model).__name__} cannot be copied ({str(error).splitlines()[0]})"
        raise InputsError(
            f"{what}; each case is judged on a fresh copy, so keep what cannot be copied off the module"
        ) from error
    assert isinstance(copied, nn.Module)
    return copied


def deep_copy(model: nn.Module) -> nn.Module:
    """A copy that shares nothing with `model`. Tied weights are still tied in it: `deepcopy` alone would clone them.

    Raises `InputsError` if the model cannot be copied.
    """
    memo: dict[int, Any] = {}
    for parameter in model.parameters():
        if type(parameter) is nn.Parameter:
            data = copy.deepcopy(parameter.data, memo)
            memo[id(parameter)] = nn.Parameter(data, requires_grad=parameter.requires_grad)
    return _deep_copied(model, memo)


def untie(model: nn.Module) -> nn.Module:
    """A copy of `model` in which every tied weight is cloned; all other parameters are shared with `model`.

    Neither `model` nor its config is changed: `tie_word_embeddings=False` would turn T5 into a different model, and
    would give a loaded checkpoint a random head. Do not train the copy: its weights would drift apart. Do not call
    `tie_weights()` or `resize_token_embeddings()` on it: they would tie the weights.
    """
    copied = parameter_sharing_copy(model)
    _separate_modules(copied, set())
    for group in tied_groups(named_weights(copied)):
        for name in group.names[1:]:
            _clone(copied, name)
    return copied


def _separate_modules(parent: nn.Module, seen: set[int]) -> None:
    """Replaces a module's second name by a second module: a clone assigned to a shared module would still be tied."""
    for name, child in parent._modules.items():
        if child is None:
            continue
        if id(child) in seen:
            child = _twin(child)  # noqa: PLW2901 - the twin takes the place of the child
            parent._modules[name] = child
        seen.add(id(child))
        _separate_modules(child, seen)


def _twin(module: nn.Module) -> nn.Module:
    """A second module with the same weights and the same children."""
    twin = copy.copy(module)
    own = {part: dict(getattr(module, part)) for part in ("_parameters", "_buffers", "_modules")}
    twin.__dict__ = {**module.__dict__, **own}
    return twin


def _clone(model: nn.Module, name: str) -> None:
    path, _, leaf = name.rpartition(".")
    owner = model.get_submodule(path)
    if leaf in owner._parameters:
        parameter = owner._parameters[leaf]
        assert parameter is not None
        owner._parameters[leaf] = nn.Parameter(parameter.detach().clone(), requires_grad=parameter.requires_grad)
    else:
        buffer = owner._buffers[leaf]
        assert buffer is not None
        owner._buffers[leaf] = buffer.detach().clone()


def _added(group: tuple[str, ...], weights: Mapping[str, torch.Tensor]) -> int:
    """A file stores whole storages, so each clone adds its own bytes."""
    return sum(weights[name].numel() * weights[name].element_size() for name in group[1:])


def _span(tensor: torch.Tensor) -> tuple[int, int]:
    start = tensor.data_ptr()
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return start, start + (last + 1) * tensor.element_size()


def _has_storage(tensor: torch.Tensor) -> bool:
    return tensor.layout == torch.strided and tensor.device.type != "meta"


def storages(weights: Mapping[str, torch.Tensor]) -> Iterator[tuple[int, int]]:
    """Address and bytes of every storage that holds one of `weights`, once each."""
    sizes = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in weights.values() if _has_storage(t)}
    yield from sizes.items()
