"""Finds weights that share memory, clones tied weights, and copies models.

Tied means that *elements* are shared, by whatever names. (See docs/explanation/measurements.md#tied-weights.)
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from pytest_tsexport.errors import InputsError
from pytest_tsexport.tensors.memory import blocks, share_elements
from pytest_tsexport.tensors.named_tensors import distinct_tensors, named_weights


@dataclass(frozen=True, slots=True)
class TiedGroup:
    """The names of weights that share memory, and how many bytes are added when they are cloned."""

    names: tuple[str, ...]
    bytes_added: int


def tied_groups(tensors: Mapping[str, torch.Tensor]) -> tuple[TiedGroup, ...]:
    """The groups of two or more names that are joined by shared elements, in the order of their first names.

    Two rows of one buffer share no element, nor do interleaved columns of one matrix; `w` and `w.T` share all of them.
    A tensor that has no elements, or whose memory torch does not show, is tied to none.
    """
    groups = [sorted(places) for places in _joined(list(tensors.values())) if len(places) > 1]
    names = list(tensors)
    tied = (tuple(names[place] for place in group) for group in sorted(groups))
    return tuple(TiedGroup(group, _added(group, tensors)) for group in tied)


def ties_of(module: nn.Module) -> tuple[TiedGroup, ...]:
    """What is tied in a module: the groups of its `distinct_tensors` with at least one parameter or buffer.

    Plain attributes that share elements only with each other are no weights.
    """
    weights = named_weights(module)
    groups = tied_groups(distinct_tensors(module))
    return tuple(group for group in groups if any(name in weights for name in group.names))


def _joined(tensors: Sequence[torch.Tensor]) -> list[list[int]]:
    """The connected components of tensors that share elements, as their places.

    Only those are compared whose ranges overlap, and that are not joined already.
    """
    parts = sorted(
        ((str(block.device), *block.span, place) for place, tensor in enumerate(tensors) for block in blocks(tensor))
    )
    component = {place: [place] for place in range(len(tensors))}
    open_parts: list[tuple[str, int, int, int]] = []
    for part in parts:
        device, start, _, place = part
        open_parts = [one for one in open_parts if one[0] == device and one[2] > start]
        for *_, other in open_parts:
            if component[other] is not component[place] and share_elements(tensors[other], tensors[place]):
                joined = component[other] + component[place]
                component.update(dict.fromkeys(joined, joined))
        open_parts.append(part)
    return list({id(places): places for places in component.values()}.values())


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


def _added(group: tuple[str, ...], tensors: Mapping[str, torch.Tensor]) -> int:
    """A file stores whole storages, so each clone adds its own bytes."""
    return sum(tensors[name].numel() * tensors[name].element_size() for name in group[1:])


def storages(tensors: Mapping[str, torch.Tensor]) -> Iterator[tuple[int, int]]:
    """Address and bytes of every storage that holds one of `tensors`, once each."""
    memories = {block.memory.data_ptr(): block.memory for tensor in tensors.values() for block in blocks(tensor)}
    yield from ((address, memory.numel()) for address, memory in memories.items())
