"""A SIMULATION of the Neuron compiler: a function and its example inputs become a ScriptModule of one operator.

`trace` and `dynamic_batch` follow the documented rules of `torch_neuronx`. (See
docs/explanation/neuron-sdk.md#inf2-front-end and docs/explanation/neuron-sdk.md#emulation-on-a-cpu.)
"""

from __future__ import annotations

import hashlib
import inspect
import io
import shlex
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from pytest_tsexport.backends.base import with_arguments
from pytest_tsexport.backends.casting import FLAGS, Casting, casting_of
from pytest_tsexport.backends.simulator.device import NAMESPACE, OPERATOR, Program, register, signature, with_batch
from pytest_tsexport.backends.simulator.freezing import Frozen
from pytest_tsexport.backends.torchscript.provenance import provenance
from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed, traced
from pytest_tsexport.errors import ExportError
from pytest_tsexport.tensors.tree import flatten
from pytest_tsexport.tensors.weights import untie

Inputs = tuple[torch.Tensor, ...]


def trace(
    func: Callable[..., Any],
    example_inputs: object,
    *,
    compiler_args: str | Sequence[str] = (),
    namespace: str = NAMESPACE,
) -> torch.jit.ScriptModule:
    """`func` compiled for exactly these inputs: a tuple of tensors, or one tensor.

    Raises `RuntimeError` if it cannot be compiled, and whatever `func` raises.
    """
    register(namespace)
    inputs = _positional(example_inputs)
    cast = casting(shlex.split(compiler_args) if isinstance(compiler_args, str) else compiler_args)
    whole = _traced(_module(func), inputs)
    _warn_of_unused(whole, inputs)
    neff = _bytes(whole)
    with torch.no_grad():
        example = whole(*(tensor.clone() for tensor in inputs))
    program = Program(
        inputs=tuple(map(signature, inputs)),
        outputs=tuple(map(signature, flatten(example).values())),
        scope=cast.scope,
        type=cast.type,
        digest=hashlib.sha256(neff).hexdigest(),
    )
    shell = with_arguments(_Shell, _names(func, len(inputs)))
    return traced(shell(program, neff, example, namespace), inputs, strict=False)


def dynamic_batch(module: torch.jit.ScriptModule) -> torch.jit.ScriptModule:
    """The same module, changed so that dimension 0 may have any size. Raises `ValueError` if it cannot."""
    module.metaneff = with_batch(Program.of(module.metaneff)).to_tensor()  # type: ignore[operator, unused-ignore]
    return module


def casting(compiler_args: Sequence[str]) -> Casting:
    """The requested casting. Raises `ExportError`, one sentence, for one that is not simulated."""
    cast = casting_of(compiler_args, Casting())
    if cast.scope != "none" and cast.dtype is None:
        raise ExportError(f"neuron-sim does not simulate --auto-cast-type {cast.type}; use bf16 or fp16")
    return cast


def ignored(compiler_args: Sequence[str]) -> tuple[str, ...]:
    """The arguments that are not simulated, as one remark."""
    flags = [arg.partition("=")[0] for arg in compiler_args if arg.startswith("-")]
    others = [flag for flag in flags if flag not in FLAGS]
    return (f"neuron-sim ignores {', '.join(others)}",) if others else ()


def _positional(example_inputs: object) -> Inputs:
    inputs = example_inputs if isinstance(example_inputs, tuple) else (example_inputs,)
    for place, value in enumerate(inputs):
        if not isinstance(value, torch.Tensor):
            raise RuntimeError(f"input {place} is a {type(value).__name__}; give a tensor, or a tuple of tensors")
    return tuple(value.detach().clone() for value in inputs)


def _names(func: Callable[..., Any], inputs: int) -> list[str]:
    """The names of the first arguments of `func`."""
    parameters = inspect.signature(func.forward if isinstance(func, nn.Module) else func).parameters.values()
    names = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return (names if len(names) >= inputs else [f"input_{place}" for place in range(inputs)])[:inputs]


class _Function(nn.Module):
    """A plain function as a module without weights."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self._function = function

    def forward(self, *args: torch.Tensor) -> Any:
        return self._function(*args)


def _module(func: Callable[..., Any]) -> nn.Module:
    """A copy with untied weights."""
    return untie(func) if isinstance(func, nn.Module) else _Function(func)


def _traced(module: nn.Module, inputs: Inputs) -> torch.jit.ScriptModule:
    """The trace; buffers that tracing changed are restored."""
    before = {name: buffer.clone() for name, buffer in module.named_buffers()}
    with Frozen():
        whole = traced(module, inputs, strict=False)
    with torch.no_grad():
        for name, buffer in module.named_buffers():
            buffer.copy_(before[name])
    return whole


def _warn_of_unused(module: torch.jit.ScriptModule, inputs: Inputs) -> None:
    """A warning for each input that no output is computed from: the program does not take it."""
    used = {place for one in provenance(module.inlined_graph, len(inputs)) for place in one.inputs}
    for place, tensor in enumerate(inputs):
        if place not in used:
            what = f"index={place}, shape={tuple(tensor.shape)}, dtype={tensor.dtype}"
            warnings.warn(f"neuron-sim: an input tensor is unused and will be ignored ({what})", stacklevel=3)


class _Shell(nn.Module):
    """What is saved: two tensors of bytes, and one call of the operator."""

    metaneff: torch.Tensor
    neff: torch.Tensor

    def __init__(self, program: Program, neff: bytes, example: Any, namespace: str) -> None:
        super().__init__()
        self.register_buffer("metaneff", program.to_tensor())
        self.register_buffer("neff", torch.frombuffer(bytearray(neff), dtype=torch.uint8))
        self._example = example
        self._operator = getattr(getattr(torch.ops, namespace), OPERATOR)

    def forward(self, *args: torch.Tensor) -> Any:
        leaves = list(self._operator(list(args), self.metaneff, self.neff))
        return _nested(self._example, leaves)


def _nested(like: Any, leaves: list[torch.Tensor]) -> Any:
    """The leaves in the nesting of `like`; they are removed from the list."""
    if isinstance(like, Mapping):
        return {name: _nested(child, leaves) for name, child in like.items()}
    if isinstance(like, (tuple, list)):
        return tuple(_nested(child, leaves) for child in like)
    return leaves.pop(0)


def _bytes(module: torch.jit.ScriptModule) -> bytes:
    buffer = io.BytesIO()
    with torch_jit_allowed():
        torch.jit.save(module, buffer)
    return buffer.getvalue()
