"""Defines what a backend is, what a compiler is, and how a model is bound before it is traced.

A backend traces a `Binding`: the model with its inputs in a fixed order, its constants baked in, and its output
flattened to a tuple of tensors. So every backend traces the same function, whatever the model returns.
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
from pytest_tsexport.subjects.arguments import Item, Leaf, identifiers, keywords, unpacked
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import flatten

M = TypeVar("M", bound=nn.Module)


@runtime_checkable
class Backend(Protocol):
    """Turns a subject into what its file format can save.

    A backend may also have an attribute `format`, a `FileFormat`, which knows everything about its files. A backend
    without one returns a `ScriptModule`, and its files are TorchScript.
    """

    @property
    def name(self) -> str:
        """The name that `--ts-backend=` takes."""

    @property
    def contract(self) -> str:
        """The contract of axes that the user did not declare: `safe` or `fixed`. The marker can override it."""

    def why_unavailable(self) -> str | None:
        """Why this backend cannot work on this machine, in one sentence; None if it can."""

    def trace(self, subject: Subject) -> Any:
        """The traced module, in the form that the format saves: a `ScriptModule` for TorchScript.

        Must not change `subject.model`. May raise anything.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """What a compiler is asked to do: its arguments, whether dimension 0 may vary, and how many processes share the
    device.
    """

    args: tuple[str, ...] = ()
    dynamic_batch: bool = False
    processes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What the artifacts of a compiler run on.

    `namespace` is the namespace of the operators that run there. `prologue` is the Python code that registers them
    before a file is loaded. `casting` says what is computed in fewer bits. `remarks` become notes of a passed `trace`.
    `dynamic_batch` says that a batch is computed in slices; `why_batch_is_fixed` why it is not, where a test asks for
    it.
    """

    namespace: str
    prologue: str
    casting: Casting
    remarks: tuple[str, ...] = ()
    dynamic_batch: bool = False
    why_batch_is_fixed: str | None = None


@runtime_checkable
class Compiler(Backend, Protocol):
    """A backend whose artifacts run on another device than eager."""

    @property
    def isolated(self) -> bool:
        """Whether it must trace in an isolated process, because it may crash or hang."""

    def device(self) -> Device:
        """What its artifacts run on; called only if the backend is available."""

    def compiling(self, wanted: Compilation) -> Compiler:
        """A copy of this backend for that request. Raises `TsExportError` for arguments that it does not know."""

    def why_not_run(self, error: Exception) -> str | None:
        """Why no artifact can run on this machine, judged by the `error` that one raised; None if others may."""


class Binding(nn.Module):
    """A model whose arguments have a fixed order and whose output is a tuple of tensors.

    Made by `bind`, which makes a new class for each model: the names of `forward`'s arguments become the names in the
    signature of the export.
    """

    def __init__(self, model: nn.Module, takes: Sequence[Item], constants: Mapping[str, Item]) -> None:
        super().__init__()
        self.model = model
        self._takes = tuple(takes)
        self._constants = dict(constants)

    def forward(self, *args: Any) -> tuple[torch.Tensor, ...]:
        """The leaves of the model's output, in the order of eager."""
        each = zip(self._takes, args, strict=True)
        inputs = {name: tensor for item, value in each for name, tensor in unpacked(item, value)}
        return tuple(flatten(self.model(**keywords(inputs, self._constants))).values())


def bind(model: nn.Module, names: Sequence[str], constants: Mapping[str, Item]) -> Binding:
    """`model` bound to one argument for each tensor; tracers read their names from the signature that is set here."""
    return bind_arguments(model, dict(zip(identifiers(names), map(Leaf, names), strict=True)), constants)


def bind_arguments(model: nn.Module, takes: Mapping[str, Item], constants: Mapping[str, Item]) -> Binding:
    """`model` bound to these arguments, of which some may be dicts, lists or tuples of tensors."""
    return with_arguments(Binding, tuple(takes))(model, tuple(takes.values()), constants)


def with_arguments(cls: type[M], names: Sequence[str]) -> type[M]:
    """A subclass of `cls` whose `forward` has these argument names in its signature."""

    def forward(self: M, *args: torch.Tensor) -> Any:
        return cls.forward(self, *args)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in ("self", *names)]
    forward.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    named: type[M] = type(cls.__name__, (cls,), {"forward": forward})
    return named


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Puts every module in evaluation mode, and restores the mode of each one afterwards.

    A frozen script module has no mode.
    """
    modes = [(module, module.training) for module in model.modules() if hasattr(module, "training")]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
