"""subject -> traced module: what a backend is, and how a model is bound for it.

A backend is given a `Binding`: the model with its inputs in order and by name, its constants baked in, its
output flattened to a tuple of tensors. So every backend traces the same function, whatever the model returns.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import flatten


@runtime_checkable
class Backend(Protocol):
    """Turns a subject into a `ScriptModule` that can be saved."""

    @property
    def name(self) -> str:
        """The word after `--ts-backend=`."""

    @property
    def contract(self) -> str:
        """What holds for derived axes where the user says nothing: `safe` or `fixed`."""

    def why_unavailable(self) -> str | None:
        """Why this backend cannot work on this machine, in one sentence; None where it can."""

    def trace(self, subject: Subject) -> torch.jit.ScriptModule:
        """The traced module. Must leave `subject.model` as it was; may raise anything."""


class Binding(nn.Module):
    """A model whose arguments are tensors in a fixed order and whose answer is a tuple of tensors.

    Made by `bind`, which gives each one a class of its own: the names of `forward`'s arguments become the names in
    the signature of the export.
    """

    def __init__(self, model: nn.Module, names: Sequence[str], constants: Mapping[str, Any]) -> None:
        super().__init__()
        self.model = model
        self._names = tuple(names)
        self._constants = dict(constants)

    def forward(self, *args: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The leaves of the model's output, in eager's order."""
        inputs = dict(zip(self._names, args, strict=True))
        return tuple(flatten(self.model(**inputs, **self._constants)).values())


def bind(model: nn.Module, names: Sequence[str], constants: Mapping[str, Any]) -> Binding:
    """`model` bound to these arguments; `torch.jit` reads their names from the signature given here."""

    def forward(self: Binding, *args: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return Binding.forward(self, *args)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in ("self", *names)]
    forward.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    bound: type[Binding] = type("Binding", (Binding,), {"forward": forward})
    return bound(model, names, constants)
