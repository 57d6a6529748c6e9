"""subject -> traced module: what a backend and a compiler are, and how a model is bound for them.

A backend is given a `Binding`: the model with its inputs in order and by name, its constants baked in, its
output flattened to a tuple of tensors. So every backend traces the same function, whatever the model returns.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch
from torch import nn

from pytest_tsexport.backends.casting import Casting
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import flatten

M = TypeVar("M", bound=nn.Module)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """What is asked of a compiler: its arguments, whether dimension 0 may vary, how many processes share the device."""

    args: tuple[str, ...] = ()
    dynamic_batch: bool = False
    processes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What the artifacts of a compiler run on.

    `namespace` is that of the operators that run there, `prologue` the Python that a program runs before it loads a
    file with them, `casting` what is computed in fewer bits; `remarks` are told with every green line of `trace`.
    """

    namespace: str
    prologue: str
    casting: Casting
    remarks: tuple[str, ...] = ()


@runtime_checkable
class Compiler(Backend, Protocol):
    """A backend whose artifacts run on a device of their own."""

    @property
    def isolated(self) -> bool:
        """Whether it traces in a process of its own, because it may crash or hang."""

    def device(self) -> Device:
        """What its artifacts run on; asked only of one that is available."""

    def compiling(self, wanted: Compilation) -> Compiler:
        """This backend, asked to compile like that. Raises `TsExportError` for arguments that it does not know."""

    def why_not_run(self, error: Exception) -> str | None:
        """Why no artifact can run on this machine, `error` being what one of them raised; None where others could."""


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
    return with_arguments(Binding, names)(model, names, constants)


def with_arguments(cls: type[M], names: Sequence[str]) -> type[M]:
    """The class, with these names in the signature of its `forward`, which takes any number of arguments."""

    def forward(self: M, *args: torch.Tensor) -> Any:
        return cls.forward(self, *args)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in ("self", *names)]
    forward.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    named: type[M] = type(cls.__name__, (cls,), {"forward": forward})
    return named


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode for every module, and each one's own mode again afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
