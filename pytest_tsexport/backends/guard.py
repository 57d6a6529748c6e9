"""Puts a size guard in front of a ScriptModule: any other size or dtype raises before anything is computed.

A trace computes whatever it is given. The guard is a scripted check of the inputs. It is part of the file, so it also
holds in C++ and after `torch.jit.freeze`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed
from pytest_tsexport.errors import InputsError

_DTYPES = {
    0: torch.uint8,
    1: torch.int8,
    2: torch.int16,
    3: torch.int32,
    4: torch.int64,
    5: torch.float16,
    6: torch.float32,
    7: torch.float64,
    9: torch.complex64,
    10: torch.complex128,
    11: torch.bool,
    15: torch.bfloat16,
}
"""TorchScript prints a dtype as a number: c10's ScalarType, which the archive format keeps stable."""


class _Guard(nn.Module):
    """Holds the guarded module. Its `forward` is generated for the names and sizes of the arguments."""

    def __init__(self, module: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.guarded = module
        self.training = module.training


def guard(
    module: torch.jit.ScriptModule, inputs: Mapping[str, torch.Tensor] | Sequence[torch.Tensor] | torch.Tensor
) -> torch.jit.ScriptModule:
    """`module` behind a check of the sizes and the dtype of every input.

    `inputs` are the tensors it was traced with, by the names of its arguments, or in their order. The guarded module
    takes and returns what `module` does. At another size or dtype it raises `input_ids is (3, 7) int64; this export
    takes (2, 7) int64 only`: in Python a `torch.jit.Error` whose last line is that sentence. A call costs some
    microseconds more.

    Raises `InputsError`, one sentence, if `module` is not a `ScriptModule` or the inputs do not fit it.
    """
    if not isinstance(module, torch.jit.ScriptModule):
        raise InputsError(f"guard was given a {type(module).__name__}; give what torch.jit.trace returned")
    given = _by_argument(module, inputs)
    with torch_jit_allowed():
        guarded = torch.jit.script(_Guard(module))
        guarded.define(_refuse())
        guarded.define(_forward(given))
    return guarded


def _by_argument(module: torch.jit.ScriptModule, inputs: Any) -> dict[str, torch.Tensor]:
    """The inputs by the names of the module's arguments, in their order."""
    arguments = [argument.name for argument in module.forward.schema.arguments[1:]]  # type: ignore[attr-defined]
    if isinstance(inputs, torch.Tensor):
        inputs = (inputs,)
    got, values = f"a {type(inputs).__name__}", []
    if isinstance(inputs, Mapping):
        got = ", ".join(map(str, inputs))
        values = [inputs[name] for name in arguments] if set(inputs) == set(arguments) else []
    elif isinstance(inputs, Sequence):
        got, values = f"{len(inputs)} inputs", list(inputs)
    if len(values) != len(arguments) or not all(isinstance(value, torch.Tensor) for value in values):
        takes = ", ".join(arguments) or "nothing"
        raise InputsError(f"guard was given {got or 'no inputs'}; the module takes {takes}: give a tensor for each")
    return dict(zip(arguments, values, strict=True))


def _refuse() -> str:
    """The source of the method that raises. It is separate, so that argument names cannot hide its variables."""
    names = {code: _name(dtype) for code, dtype in _DTYPES.items()}
    return f"""
def _refuse(self, name: str, sizes: List[int], code: int, takes: str) -> None:
    names = {names}
    dtype = names[code] if code in names else "of another type"
    got = "(" + ", ".join([str(size) for size in sizes]) + ") " + dtype
    raise ValueError(name + " is " + got + "; this export takes " + takes + " only")
"""


def _forward(inputs: Mapping[str, torch.Tensor]) -> str:
    """The source of `forward` for these arguments."""
    arguments = ", ".join(inputs)
    checks = "".join(_check(name, tensor) for name, tensor in inputs.items())
    return f"""
def forward(self, {arguments}):
{checks}
    return self.guarded({arguments})
"""


def _check(name: str, tensor: torch.Tensor) -> str:
    """The source of the check of one input. It defines no variables: an argument may have any name."""
    code = next((code for code, dtype in _DTYPES.items() if dtype == tensor.dtype), None)
    if code is None:
        raise InputsError(f"guard cannot check {name}, which is {tensor.dtype}")
    sizes = list(tensor.shape)
    takes = f"({', '.join(map(str, sizes))}) {_name(tensor.dtype)}"
    return f"""
    if {name}.size() != {sizes} or {name}.dtype != {code}:
        self._refuse("{name}", {name}.size(), {name}.dtype, "{takes}")
"""


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
