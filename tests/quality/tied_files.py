"""model -> files: the ways in which an exporter writes a model that ties weights, and the ways to spoil one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pytest_tsexport.backends.base import bind, with_arguments
from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed, traced
from pytest_tsexport.subjects.transformers import constants_of
from pytest_tsexport.tensors.copies import deep_copy
from pytest_tsexport.tensors.weights import ties_of, untie
from pytest_tsexport.testing.specimen import Inputs, Writer

Wrap = Callable[[nn.Module, tuple[str, ...]], nn.Module]
Spoil = Callable[[nn.Module, str, str], None]


class Parts(nn.Module):
    """Calls a model of which it registers the pieces alone, under names of its own."""

    def __init__(self, whole: nn.Module, pieces: Mapping[str, object]) -> None:
        super().__init__()
        self.whole = (whole,)
        for number, (_, piece) in enumerate(pieces.items()):
            if isinstance(piece, nn.Module):
                self.add_module(f"piece_{number}", piece)
            elif isinstance(piece, nn.Parameter):
                self.register_parameter(f"piece_{number}", piece)
            elif isinstance(piece, torch.Tensor):
                self.register_buffer(f"piece_{number}", piece)

    def forward(self, *args: torch.Tensor) -> Any:
        return self.whole[0](*args)


def whole(model: nn.Module, names: tuple[str, ...]) -> nn.Module:
    """The model under its own names."""
    return bind(model, names, constants_of(model) or {})


def by_parts(model: nn.Module, names: tuple[str, ...]) -> nn.Module:
    """The parts of the model, as an encoder and a head, under other names."""
    own = {**model._parameters, **model._buffers}
    return _parts(model, names, {**dict(model.named_children()), **own})


def renamed(model: nn.Module, names: tuple[str, ...]) -> nn.Module:
    """Each layer under another name: no module that has children is registered."""
    pieces: dict[str, object] = {}
    for name, module in model.named_modules():
        if next(module.children(), None) is None:
            pieces[name] = module
        else:
            pieces |= {f"{name}.{key}": own for key, own in {**module._parameters, **module._buffers}.items()}
    return _parts(model, names, pieces)


def _parts(model: nn.Module, names: tuple[str, ...], pieces: Mapping[str, object]) -> nn.Module:
    return with_arguments(Parts, names)(whole(model, names), pieces)


def written(wrap: Wrap, *, untied: bool, spoil: Spoil | None = None) -> Writer:
    """An exporter that wraps the model, untied before or as it is; `spoil` gets two names that were tied."""

    def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
        names = two_names(model)
        given = deep_copy(untie(model)).eval() if untied else model
        if spoil is not None:
            spoil(given, *names)
        made = traced(wrap(given, tuple(inputs)).eval(), tuple(inputs.values()))
        with torch_jit_allowed():
            torch.jit.save(made, str(path))

    return export


def two_names(model: nn.Module) -> tuple[str, str]:
    """The last two names of the largest group: those of T5's `shared` and of BERT's bias are read by nobody."""
    groups = ties_of(model)
    largest = max(groups, key=lambda group: (len(group.names), group.bytes_added))
    return largest.names[-2], largest.names[-1]


def make_one(model: nn.Module, first: str, second: str) -> None:
    """Two tensors are made one."""
    owner, leaf = _owner(model, second)
    owner._parameters[leaf] = model.get_parameter(first)


def make_stale(model: nn.Module, first: str, second: str) -> None:
    """One clone is from another step of the training."""
    with torch.no_grad():
        model.get_parameter(second).mul_(1.05)


def nudge(model: nn.Module, first: str, second: str) -> None:
    """One element of one clone is another by one ULP."""
    with torch.no_grad():
        flat = model.get_parameter(second).view(-1)
        flat[3] = torch.nextafter(flat[3], torch.tensor(float("inf")))


def kill(model: nn.Module, first: str, second: str) -> None:
    """One clone is there, and the answer is computed with a constant of its value."""
    weight = model.get_parameter(second).detach()
    numbers, dtype = weight.tolist(), weight.dtype
    _read_instead(model, second, lambda _: torch.tensor(numbers, dtype=dtype))


def drop(model: nn.Module, first: str, second: str) -> None:
    """One clone is not there, and the other tensor is read in its place."""
    kept = model.get_parameter(first)
    owner, leaf = _owner(model, second)
    del owner._parameters[leaf]
    _read_instead(model, second, lambda _: kept)


def leave_dead(model: nn.Module, first: str, second: str) -> None:
    """One clone is there, and the other tensor is read in its place."""
    kept, owner, leaf = model.get_parameter(first), *_owner(model, second)
    spare = owner._parameters.pop(leaf)
    owner.register_parameter("spare", spare)
    _read_instead(model, second, lambda _: kept)


SPOILS: Mapping[str, Spoil] = {
    "two made one": make_one,
    "stale": make_stale,
    "nudged": nudge,
    "dead beside a constant": kill,
    "dead beside the other": leave_dead,
    "dropped": drop,
}


def transpose_in_file(path: Path, second: str) -> None:
    """One clone in a written file is transposed."""
    with torch_jit_allowed():
        module = torch.jit.load(str(path))
    *places, leaf = ("model", *second.split("."))
    owner = reduce(getattr, places, module)
    owner._c.setattr(leaf, getattr(owner, leaf).detach().T.contiguous())
    with torch_jit_allowed():
        torch.jit.save(module, str(path))


def _owner(model: nn.Module, name: str) -> tuple[nn.Module, str]:
    place, _, leaf = name.rpartition(".")
    return model.get_submodule(place), leaf


def _read_instead(model: nn.Module, name: str, read: Callable[[Any], torch.Tensor]) -> None:
    """Whoever reads the weight of this name gets something else, which the trace does not take for an attribute."""
    owner, leaf = _owner(model, name)
    changes = {leaf: property(read), "__jit_unused_properties__": [leaf]}
    owner.__class__ = type(type(owner).__name__, (type(owner),), changes)
