"""module -> who shares storage: tied weights found by their bytes, and cut apart.

Tied means that byte *ranges* overlap: two rows of one buffer are independent though their storage is
one, and `w` and `w.T` are not. (facts: detection, 12.)
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
class Ties:
    """One group of weights that share memory, by name, with the bytes that cutting them apart adds."""

    names: tuple[str, ...]
    bytes_added: int


def named_weights(module: nn.Module) -> dict[str, torch.Tensor]:
    """Every parameter and buffer under *every* name that it has, in the order of the module."""
    weights: dict[str, torch.Tensor] = dict(module.named_parameters(remove_duplicate=False))
    weights.update(module.named_buffers(remove_duplicate=False))
    return weights


def tied_groups(weights: Mapping[str, torch.Tensor]) -> tuple[Ties, ...]:
    """The groups of names whose byte ranges overlap; a name alone is no group."""
    spans = sorted(
        (*_span(tensor), name) for name, tensor in weights.items() if tensor.numel() and _has_storage(tensor)
    )
    groups: list[tuple[str, ...]] = []
    members: list[str] = []
    reach = -1
    for start, stop, name in spans:
        if start >= reach:
            groups.append(tuple(members))
            members, reach = [], stop
        members.append(name)
        reach = max(reach, stop)
    groups.append(tuple(members))
    order = {name: place for place, name in enumerate(weights)}
    tied = [tuple(sorted(group, key=order.__getitem__)) for group in groups if len(group) > 1]
    return tuple(Ties(group, _added(group, weights)) for group in sorted(tied, key=lambda group: order[group[0]]))


def share(model: nn.Module) -> nn.Module:
    """A copy of the module tree that shares every parameter with `model` and owns its buffers and its state.

    For MiniLM it costs a quarter of a full copy.
    """
    return _copied(model, {id(parameter): parameter for parameter in model.parameters()})


def _copied(model: nn.Module, memo: dict[int, Any]) -> nn.Module:
    """A deep copy, `memo` holding what is not copied.

    A tensor that autograd made (`weight_norm` keeps one, a cache of weights is one) has no deep copy of its own.
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
            f"{what}; each case is judged on a fresh copy, so keep off the module what has none"
        ) from error
    assert isinstance(copied, nn.Module)
    return copied


def duplicate(model: nn.Module) -> nn.Module:
    """A copy of its own in which what shares memory still does: `deepcopy` clones every parameter apart."""
    memo: dict[int, Any] = {}
    for parameter in model.parameters():
        if type(parameter) is nn.Parameter:
            data = copy.deepcopy(parameter.data, memo)
            memo[id(parameter)] = nn.Parameter(data, requires_grad=parameter.requires_grad)
    return _copied(model, memo)


def untie(model: nn.Module) -> nn.Module:
    """A copy of `model` in which every tied weight is a clone of its own; everything else is shared.

    Neither `model` nor its config is touched: `tie_word_embeddings=False` would make another model of T5,
    and a random head of a loaded checkpoint. The copy must not be trained (its weights would drift apart),
    and `tie_weights()` or `resize_token_embeddings()` would tie it again.
    """
    copied = share(model)
    _part_modules(copied, set())
    for group in tied_groups(named_weights(copied)):
        for name in group.names[1:]:
            _clone(copied, name)
    return copied


def _part_modules(parent: nn.Module, seen: set[int]) -> None:
    """A module registered under two names is one module: a clone assigned to it would be tied again."""
    for name, child in parent._modules.items():
        if child is None:
            continue
        if id(child) in seen:
            child = _twin(child)  # noqa: PLW2901 - the twin takes the place of the child
            parent._modules[name] = child
        seen.add(id(child))
        _part_modules(child, seen)


def _twin(module: nn.Module) -> nn.Module:
    """A module of its own with the same weights and the same children."""
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
    """The archive holds whole storages: clones cost their own bytes."""
    return sum(weights[name].numel() * weights[name].element_size() for name in group[1:])


def _span(tensor: torch.Tensor) -> tuple[int, int]:
    start = tensor.data_ptr()
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return start, start + (last + 1) * tensor.element_size()


def _has_storage(tensor: torch.Tensor) -> bool:
    return tensor.layout == torch.strided and tensor.device.type != "meta"


def storages(weights: Mapping[str, torch.Tensor]) -> Iterator[tuple[int, int]]:
    """(address, bytes) of every storage that holds one of `weights`, once each."""
    sizes = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in weights.values() if _has_storage(t)}
    yield from sizes.items()
