"""Functions that the tests of the simulation compile, and ways to read its warnings and errors."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from pytest_tsexport.backends.simulator import compiler
from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed
from pytest_tsexport.subjects.reference import one_line

LEFT = torch.tensor([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])


def compiled(func: Callable[..., Any], *inputs: torch.Tensor, args: tuple[str, ...] = ()) -> Any:
    """`func` compiled for these inputs, without its warnings. `Any`, because a `ScriptModule` has no types."""
    return compiled_with_warnings(func, *inputs, args=args)[0]


def compiled_with_warnings(
    func: Callable[..., Any], *inputs: torch.Tensor, args: tuple[str, ...] = ()
) -> tuple[Any, list[str]]:
    """The program, and the warnings of the simulation."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        program = compiler.trace(func, inputs, compiler_args=args)
    return program, [str(one.message) for one in caught if str(one.message).startswith("neuron-sim: ")]


def batched(func: Callable[..., Any], *inputs: torch.Tensor) -> Any:
    """`func` compiled with dynamic batching."""
    return compiler.dynamic_batch(compiled(func, *inputs))


def saved(program: Any) -> bytes:
    """The bytes of the file of a program."""
    buffer = io.BytesIO()
    with torch_jit_allowed():
        torch.jit.save(program, buffer)
    return buffer.getvalue()


def loaded(content: bytes) -> Any:
    """The program loaded from a file."""
    with torch_jit_allowed():
        return torch.jit.load(io.BytesIO(content))


def refusal(program: Any, *inputs: torch.Tensor) -> str:
    """What the program raises, through the TorchScript interpreter; empty if it returns."""
    try:
        program(*inputs)
    except RuntimeError as error:
        return one_line(error)
    return ""


class Counts(nn.Module):
    """Counts its calls in a buffer."""

    calls: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return x * 0 + self.calls


class Looks(Counts):
    """Counts its calls, and then looks up an index that may be out of range."""

    def forward(self, x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return super().forward(x) + torch.ones(3).gather(0, index)
