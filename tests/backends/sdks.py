"""The compiler and runtime behind the test packages that are named like Neuron's SDKs. It does not import pytest.

Environment variables set their fault, their version, and the file that their calls are logged in: so a forked child and
a fresh process behave in the same way.
"""

from __future__ import annotations

import inspect
import json
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pytest_tsexport.backends.base import with_arguments
from pytest_tsexport.backends.simulator import compiler
from pytest_tsexport.backends.simulator.device import OPERATOR, Program, execute

ROOT = Path(__file__).parents[2]
FOLDERS = ROOT / "tests" / "sdks"
MODULES = ("torch_neuronx", "torch_neuron", "torch.neuron")
NAMESPACE = "neuron"

FAULT, VERSION, LOG = "TSEXPORT_SDK_FAULT", "TSEXPORT_SDK_VERSION", "TSEXPORT_SDK_LOG"

Inputs = tuple[torch.Tensor, ...]
Args = Sequence[str]

NO_RUNTIME = "the runtime could not be initialized: no device is available on this machine"
"""What running raises if there is no device. (See docs/explanation/neuron-sdk.md#devices.)"""


def fault() -> str:
    """The fault that is switched on; empty for a right SDK."""
    return os.environ.get(FAULT, "")


def version(default: str) -> str:
    """The version that a package reports."""
    return os.environ.get(VERSION) or default


def note(**call: Any) -> None:
    """Log a call to the file: compilers run in another process."""
    if path := os.environ.get(LOG):
        with Path(path).open("a") as log:
            log.write(json.dumps(call) + "\n")


def as_list(compiler_args: str | Args | None) -> list[str]:
    """Compiler arguments as a list; they may be one string."""
    return shlex.split(compiler_args) if isinstance(compiler_args, str) else list(compiler_args or ())


def right(func: Callable[..., Any], inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """`func` compiled correctly; the simulation's warnings about unused inputs get the vendor's words."""
    register()
    with warnings.catch_warnings(record=True) as caught, at_work():
        warnings.simplefilter("always")
        made = compiler.trace(func, inputs, compiler_args=args, namespace=NAMESPACE)
    for one in caught:
        unused = "unused" in str(one.message)
        text = f"Received an input tensor that was unused. Tensor will be ignored. {_place(one)}" if unused else None
        warnings.warn(text or str(one.message), UserWarning if unused else one.category, stacklevel=3)
    return made


def _place(one: warnings.WarningMessage) -> str:
    return "(" + str(one.message).partition("(")[2]


@contextmanager
def at_work() -> Iterator[None]:
    """In this block the compiler calls the operator, not a user."""
    _COMPILING.append(NAMESPACE)
    try:
        yield
    finally:
        _COMPILING.pop()


_COMPILING: list[str] = []


def dynamic(module: torch.jit.ScriptModule) -> torch.jit.ScriptModule:
    """The same module, whose dimension 0 may have any size; one that was not compiled is not changed."""
    return compiler.dynamic_batch(module) if hasattr(module, "metaneff") else module


class Around(nn.Module):
    """Returns `change(model, inputs)`."""

    def __init__(self, model: nn.Module, change: Callable[..., Any]) -> None:
        super().__init__()
        self.model = model
        self.change = change

    def forward(self, *args: torch.Tensor) -> Any:
        return self.change(self.model, args)


def around(func: nn.Module, change: Callable[..., Any]) -> nn.Module:
    """A module that returns `change(func, inputs)`; its arguments have the names of those of `func`."""
    return with_arguments(Around, list(inspect.signature(func.forward).parameters))(func, change).eval()


def register() -> None:
    """Register the operator, once in each process; it reads the fault at each call."""
    if _LIBRARIES:
        return
    library = torch.library.Library(NAMESPACE, "FRAGMENT")
    library.define(f"{OPERATOR}(Tensor[] inputs, Tensor metaneff, Tensor neff) -> Tensor[]")
    library.impl(OPERATOR, _run, "CompositeImplicitAutograd")
    _LIBRARIES.append(library)


_LIBRARIES: list[Any] = []
"""An operator exists as long as its library, and cannot be registered a second time after that."""


def _run(inputs: list[torch.Tensor], metaneff: torch.Tensor, neff: torch.Tensor) -> list[torch.Tensor]:
    if _COMPILING:
        return execute(inputs, metaneff, neff)  # the compiler's own call: it needs no device
    if fault() == "no_device":
        raise RuntimeError(NO_RUNTIME)
    if fault() == "wrong_slices":
        inputs = _first_slice_again(inputs, Program.of(metaneff).batch)
    return execute(inputs, metaneff, neff)


def _first_slice_again(inputs: list[torch.Tensor], batch: int) -> list[torch.Tensor]:
    """Every slice gets the rows of the first one."""
    if not batch:
        return inputs
    return [tensor[torch.arange(len(tensor)) % batch] for tensor in inputs]


def forget() -> None:
    """Undo the import of every SDK; the operators that it registered stay."""
    for name in [one for one in sys.modules if one.partition(".")[0] in MODULES or one == "torch.neuron"]:
        del sys.modules[name]
    vars(torch).pop("neuron", None)
