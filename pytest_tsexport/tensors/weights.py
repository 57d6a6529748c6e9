"""Finds weights that share memory, and clones tied weights in a copy of a model.

Tied means that *elements* are shared, by whatever names. (See docs/explanation/measurements.md#tied-weights.)
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from pytest_tsexport.config.shown import first_line
from pytest_tsexport.errors import InputsError
from pytest_tsexport.tensors.copies import UNCOPYABLE, clone, parameter_sharing_copy
from pytest_tsexport.tensors.memory import blocks, joined
from pytest_tsexport.tensors.named_tensors import (
    Entry,
    distinct_tensors,
    entries,
    named_modules,
    named_weights,
    own_weight,
)
from pytest_tsexport.tensors.references import reachable, redirected, references_and_globals
from pytest_tsexport.tensors.script_modules import is_script, set_script_attribute

OF_TORCH = frozenset(vars(nn.Module()))
"""The attributes that torch gives every module."""


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
    groups = [sorted(places) for places in joined(list(tensors.values())) if len(places) > 1]
    names = list(tensors)
    tied = (tuple(names[place] for place in group) for group in sorted(groups))
    return tuple(TiedGroup(group, bytes_added(group, tensors)) for group in tied)


def ties_of(module: nn.Module) -> tuple[TiedGroup, ...]:
    """What is tied in a module: the groups of its `distinct_tensors` with at least one parameter or buffer.

    Plain attributes that share elements only with each other are no weights.
    """
    weights = named_weights(module)
    groups = tied_groups(distinct_tensors(module))
    return tuple(group for group in groups if any(name in weights for name in group.names))


def untie(model: nn.Module) -> nn.Module:
    """A copy of `model` in which each name of a tied weight has a tensor of its own; `model` is left alone.

    Copied: the modules, their buffers and their other state, as `copy.deepcopy` copies them, and each tied weight under
    all its names but the first. All other parameters are shared with `model`. A module under two names becomes two
    modules, with the same hooks; what belongs to it (`forward` bound to it, a list of its weights, the closure of a
    function) follows the copy that it belongs to. A weight that another module holds in a list or as a plain attribute
    becomes a tensor without gradient there: torch traces it as a constant.

    Do not train the copy: its weights would drift apart. Do not call `tie_weights()` or `resize_token_embeddings()` on
    it: they would tie the weights. Neither `model` nor its config is changed: `tie_word_embeddings=False` would turn T5
    into a different model, and would give a loaded checkpoint a random head.

    Raises `InputsError` if the model cannot be copied, if a part of the copy is still a part of `model` (as a
    `__deepcopy__` may return it), if a tied weight has no size before the first call, or if weights stay tied.
    """
    copied = parameter_sharing_copy(model)
    names = _second_names(model)
    if not names:
        return copied
    why = _why_not_parted(names, copied, model)
    if why is not None:
        raise InputsError(f"{type(model).__name__} cannot be untied: {why}")
    try:
        _separate_modules(copied, copied, {id(copied)})
        _separate_weights(copied)
    except UNCOPYABLE as error:
        raise InputsError(f"{type(model).__name__} cannot be untied ({first_line(error)})") from error
    why = _why_tied(copied, model)
    if why is not None:
        raise InputsError(f"{type(model).__name__} cannot be untied: {why}")
    return copied


def _separate_modules(root: nn.Module, parent: nn.Module, seen: set[int]) -> None:
    """Gives each name of a module a module of its own: a clone assigned to a shared module would still be tied."""
    if is_script(parent):  # its children are new objects at each load, and cannot be replaced
        return
    for name, child in parent._modules.items():
        if child is None:
            continue
        if id(child) in seen:
            child = _twin(root, child)  # noqa: PLW2901 - the twin takes the place of the child
            parent._modules[name] = child
        seen.add(id(child))
        _separate_modules(root, child, seen)


def _twin(root: nn.Module, module: nn.Module) -> nn.Module:
    """A second module of the same kind, with the same weights as yet; what refers to it refers to the twin in it."""
    family = [one for _, one in named_modules(module)]
    others = {id(one): one for _, one in named_modules(root)}
    twins: dict[int, Any] = {}
    for one in family:
        twins[id(one)] = copy.deepcopy(one) if is_script(one) else _bare(one)
    for one in family:
        twin = twins[id(one)]
        if not is_script(one):
            vars(twin).update(redirected(vars(one), twins, others))
    made = twins[id(module)]
    assert isinstance(made, nn.Module)
    return made


def _bare(module: nn.Module) -> nn.Module:
    """An object of the same class with the same attributes; the containers that torch gives a module are its own."""
    twin = object.__new__(type(module))
    vars(twin).update(vars(module))
    vars(twin).update({name: copy.copy(value) for name, value in vars(module).items() if name in OF_TORCH})
    return twin


def _separate_weights(model: nn.Module) -> None:
    """Gives each name of a tied weight but the first a clone, which the module's own references follow.

    If a module keeps one of two names of its own, its references stay with that one.
    """
    found = entries(model)
    names = _second_names(model)
    made = [(entry, clone(entry.tensor)) for entry in found if entry.name in names]
    kept = {(id(entry.holder), id(entry.tensor)) for entry in found if entry.is_weight and entry.name not in names}
    clones: dict[int, dict[int, torch.Tensor]] = {}
    for entry, one in made:
        if (id(entry.holder), id(entry.tensor)) not in kept:
            clones.setdefault(id(entry.holder), {}).setdefault(id(entry.tensor), one)
    for key, of_holder in clones.items():
        clones[key] = of_holder | _views_of_clones([entry for entry in found if id(entry.holder) == key], of_holder)
    for entry, one in made:
        _assign(entry, one)
    modules = {id(one): one for _, one in named_modules(model)}
    for key, holder in modules.items():
        if key in clones and not is_script(holder):
            vars(holder).update(redirected(vars(holder), clones[key], modules))


def _second_names(model: nn.Module) -> set[str]:
    """The names of tied weights but the first of each, and of one tensor without elements: torch cannot trace that."""
    names = {name for group in ties_of(model) for name in group.names[1:]}
    weights = named_weights(model)
    first = {id(weight): name for name, weight in reversed(weights.items())}
    return names | {name for name, weight in weights.items() if first[id(weight)] != name}


def _assign(entry: Entry, weight: torch.Tensor) -> None:
    if not entry.is_weight:  # the references of the module are redirected to it, as a constant of a trace
        weight.requires_grad = False
    elif is_script(entry.holder):
        set_script_attribute(entry.holder, entry.key, weight)
    elif entry.key in entry.holder._parameters:
        vars(entry.holder)["_parameters"][entry.key] = weight
    else:
        entry.holder._buffers[entry.key] = weight


def _views_of_clones(found: Iterable[Entry], clones: Mapping[int, torch.Tensor]) -> dict[int, torch.Tensor]:
    """For each plain view of a module's own weight that was cloned: the same view of the clone.

    Raises `TypeError` if the clone lies in memory in another way.
    """
    views: dict[int, torch.Tensor] = {}
    for entry in found:
        weight = None if entry.is_weight else own_weight(entry)
        if weight is not None and id(weight) in clones and id(entry.tensor) not in clones:
            views[id(entry.tensor)] = _same_view(entry, weight, clones[id(weight)])
    return views


def _same_view(entry: Entry, weight: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    view = entry.tensor
    if weight.dtype != view.dtype or weight.layout != view.layout != torch.strided or weight.stride() != made.stride():
        raise TypeError(f"{entry.name} is a view of a tied weight that cannot be repeated")
    offset = made.storage_offset() + view.storage_offset() - weight.storage_offset()
    return made.detach().as_strided(view.shape, view.stride(), offset)


def _why_not_parted(names: Iterable[str], copied: nn.Module, source: nn.Module) -> str | None:
    """Why nothing of the copy may be changed, or why these names of it cannot be given clones; None if they can."""
    originals = {id(one) for _, one in named_modules(source)}
    for name, module in named_modules(copied):
        if id(module) in originals:
            return f"copy.deepcopy returns {name or 'the model'} itself, and not a copy of it"
    weights = named_weights(source)
    lazy = sorted(name for name in names if name in weights and is_lazy(weights[name]))
    return f"{lazy[0]} has no size before the first call; call the model once" if lazy else None


def _why_tied(copied: nn.Module, source: nn.Module) -> str | None:
    """Why weights of the copy are still tied, to each other or to the source; None if they are not."""
    for group in ties_of(copied):
        return f"{' and '.join(group.names)} would still share memory"
    originals = {id(one) for _, one in named_modules(source)}
    modules = {id(one): one for _, one in named_modules(copied)}
    for name, module in named_modules(copied):
        if not is_script(module):
            found = reachable(vars(module).values(), modules, references_and_globals)
            if not originals.isdisjoint(found):
                return f"a function of {name or 'the model'} would still call the module that it was copied from"
    return None


def bytes_added(group: Sequence[str], tensors: Mapping[str, torch.Tensor]) -> int:
    """What the clones of a group add: each its own bytes, but for the first."""
    return sum(stored_bytes(tensors[name]) for name in group[1:])


def stored_bytes(tensor: torch.Tensor) -> int:
    """The bytes of a tensor's elements. A dimension that repeats them, as `expand` makes it, has them once."""
    return sum(block.bytes().numel() for block in blocks(tensor))


def storages(tensors: Mapping[str, torch.Tensor]) -> Iterator[tuple[int, int]]:
    """Address and bytes of every storage that holds one of `tensors`, once each."""
    memories = {block.memory.data_ptr(): block.memory for tensor in tensors.values() for block in blocks(tensor)}
    yield from ((address, memory.numel()) for address, memory in memories.items())
