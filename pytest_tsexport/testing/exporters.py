"""model, inputs, path -> file: exporters as users write them, each with one fault or none."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from pytest_tsexport.tensors.named_tensors import named_weights
from pytest_tsexport.tensors.weights import tied_groups, untie
from pytest_tsexport.testing.specimen import Inputs, Writer


def plain(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Traces and saves; tied weights stay tied. Right for a model without tied weights."""
    traced = torch.jit.trace(model, tuple(inputs.values()), check_trace=False)
    torch.jit.save(traced, str(path))


def careful(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Right: tied weights are cloned on a copy first."""
    plain(untie(model).eval(), inputs, path)


def frozen(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Right: freezing turns weights into constants, so the file has no weights by name."""
    traced = torch.jit.trace(model, tuple(inputs.values()), check_trace=False)
    torch.jit.save(torch.jit.freeze(traced.eval()), str(path))


def after(harm: Callable[[nn.Module], object]) -> Writer:
    """Exports correctly, then changes the source model by `harm`."""

    def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
        careful(model, inputs, path)
        harm(model)

    return export


def instead(wrap: Callable[[nn.Module], nn.Module]) -> Writer:
    """Exports what `wrap` makes of a copy of the model."""

    def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
        plain(wrap(copy.deepcopy(model)).eval(), inputs, path)

    return export


def scripted(wrap: Callable[[nn.Module], nn.Module]) -> Writer:
    """Compiles what `wrap` makes of a copy of the model, so that its branches are kept."""

    def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
        torch.jit.save(torch.jit.script(wrap(copy.deepcopy(model)).eval()), str(path))

    return export


def spoilt(spoil: Callable[[nn.Module], object]) -> Writer:
    """Unties a copy, damages it and exports it."""

    def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
        copied = copy.deepcopy(untie(model)).eval()
        with torch.no_grad():
            spoil(copied)
        plain(copied, inputs, path)

    return export


def writes_nothing(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Faulty: returns without a file."""


def writes_text(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Faulty: what it writes is not an archive."""
    path.write_text("traced", encoding="utf-8")


def gives_up(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Faulty: raises."""
    raise RuntimeError("no compiler for this one")


def untie_in_place(model: nn.Module) -> None:
    """What `untie` does on a copy, done to the model itself."""
    for group in tied_groups(named_weights(model)):
        for name in group.names[1:]:
            path, _, leaf = name.rpartition(".")
            owner = model.get_submodule(path)
            setattr(owner, leaf, nn.Parameter(getattr(owner, leaf).detach().clone()))


def nudge_one_element(model: nn.Module) -> None:
    """Changes one element of the last matrix by one ULP: no output shows it."""
    last = [parameter for parameter in model.parameters() if parameter.dim() > 1][-1].view(-1)
    last[0] = torch.nextafter(last[0], torch.tensor(float("inf")))


def store_twice_the_bytes(model: nn.Module) -> None:
    """Every parameter becomes the front half of a storage twice as long."""
    for module in model.modules():
        for name, parameter in list(module._parameters.items()):
            if parameter is not None:
                both = torch.cat([parameter.detach(), parameter.detach()])
                module._parameters[name] = nn.Parameter(both[: len(parameter)])


def add_to_weights(model: nn.Module) -> None:
    """Every parameter grows by a tenth: the weights of a later training step."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.1).add_(0.01)
