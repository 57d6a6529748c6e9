"""Puts a size guard in front of a ScriptModule: any other size or dtype raises before anything is computed.

A trace computes whatever it is given. The guard is a scripted check of the inputs. It is part of the file, so it also
holds in C++ and after `torch.jit.freeze`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from pytest_tsexport.backends.torchscript.methods import Method, Parameter, Size, methods_of
from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed
from pytest_tsexport.errors import InputsError

_SCALAR_TYPES = """
uint8 int8 int16 int32 int64 float16 float32 float64 complex32 complex64 complex128 bool qint8 quint8 qint32 bfloat16
quint4x2 quint2x4 bits1x8 bits2x4 bits4x2 bits8 bits16 float8_e5m2 float8_e4m3fn float8_e5m2fnuz float8_e4m3fnuz uint16
uint32 uint64 uint1 uint2 uint3 uint4 uint5 uint6 uint7 int1 int2 int3 int4 int5 int6 int7 float8_e8m0fnu
float4_e2m1fn_x2
"""
_DTYPES = _SCALAR_TYPES.split()
"""The dtypes in the order of c10's ScalarType. TorchScript prints a dtype as its place there, which stays the same."""

_MODULE = "guarded"
"""The attribute of the guarded module that holds the module as it was given."""

Tensors = Mapping[str, torch.Tensor] | Sequence[torch.Tensor] | torch.Tensor
"""The inputs of one method: by the names of its arguments, in their order, or the only one."""


def guard(module: torch.jit.ScriptModule, inputs: Tensors | Mapping[str, Tensors]) -> torch.jit.ScriptModule:
    """`module` behind a check of the sizes and the dtype of every input.

    `module` is what `torch.jit.trace`, `trace_module` or `script` returned, frozen or not. `inputs` are the tensors
    that it was traced with, by the names of its arguments, or in their order. The guarded module takes and returns what
    `module` does. At another size or dtype it raises `input_ids is (3, 7) int64; this export takes (2, 7) int64 only`:
    in Python a `torch.jit.Error` whose last line is that sentence. A call costs some microseconds more.

    An optional tensor that is not among `inputs` has to be left out: `mask is (2, 7) int64; this export takes None
    only`. Arguments without tensors (numbers, texts) are passed on, whatever they are.

    Other methods stay. One that `torch.jit.trace_module` has just traced is behind a check of its own inputs. Any other
    is passed on and not checked, unless you give its tensors too, by method as `trace_module` takes them:
    `{"forward": x, "encode": (x, y)}`. Parameters, buffers and attributes are those of `guarded.guarded`, the module as
    it was given; a method that takes an object of a scripted class can only be called there.

    Raises `InputsError`, one sentence, if `module` is not a `ScriptModule`, or if the inputs do not fit it: an argument
    with nested tensors cannot be checked.
    """
    if not isinstance(module, torch.jit.ScriptModule):
        what = " for a module" if isinstance(module, torch.jit.ScriptFunction) else ""
        raise InputsError(f"guard was given a {type(module).__name__}; give what torch.jit.trace returned{what}")
    methods = methods_of(module)
    takes = _takes(methods, inputs)
    with torch_jit_allowed():
        guarded = torch.jit.script(_holder(module))
        refuse = _unused("_refuse", methods)
        guarded.define(_refuse(refuse))
        for name, method in methods.items():
            if name != _MODULE and method.can_be_written:
                guarded.define(_source(method, takes.get(name), refuse))
    return guarded


def _holder(module: torch.jit.ScriptModule) -> nn.Module:
    """A module that holds the given one and has no methods. They are generated for it alone.

    Torch gives all modules of one class one type with one `forward`, so each has a class of its own.
    """
    holder: nn.Module = type("Guard", (nn.Module,), {})()
    # What freeze returns has no description of its type in Python, and its parent cannot be scripted.
    is_described = hasattr(module, "_concrete_type")
    setattr(holder, _MODULE, module if is_described else torch.jit._recursive.wrap_cpp_module(module._c))
    holder.training = getattr(module, "training", False)  # a frozen module has no such flag, and does not train
    return holder


def _takes(methods: Mapping[str, Method], inputs: Any) -> dict[str, dict[str, Size]]:
    """What each method that is checked takes: as given, or as another method was traced."""
    given = inputs if _is_by_method(methods, inputs) else {"forward": inputs}
    if not set(given) <= set(methods):
        has = ", ".join(methods) or "none"
        raise InputsError(
            f"guard was given inputs of forward, and the module has no forward; its methods are {has}: "
            "give the inputs by method, as torch.jit.trace_module takes them"
        )
    traced = {name: method.traced_at for name, method in methods.items() if name != "forward" and method.traced_at}
    return traced | {name: _by_argument(methods[name], tensors) for name, tensors in given.items()}


def _is_by_method(methods: Mapping[str, Method], inputs: Any) -> bool:
    """Whether it is `{"forward": x, "encode": (x, y)}`, and not the inputs of `forward` by name."""
    if not isinstance(inputs, Mapping) or not inputs or not set(inputs) <= set(methods):
        return False
    return "forward" not in methods or not set(inputs) <= {one.name for one in methods["forward"].parameters}


def _by_argument(method: Method, inputs: Any) -> dict[str, Size]:
    """The sizes of the inputs by the names of the method's arguments, in their order."""
    checked = [one for one in method.parameters if not one.is_plain]
    nested = next((one for one in checked if not one.is_tensor and not one.is_optional), None)
    if nested is not None:
        raise InputsError(
            f"guard cannot check {nested.name}, a {nested.type}; give the module one argument for each tensor"
        )
    got, named = _named([one.name for one in checked], inputs)
    takes = {one.name: named[one.name] for one in checked if one.name in named}
    left_out = [one for one in checked if one.name not in named and not one.is_optional]
    if left_out or len(takes) != len(named) or not all(isinstance(one, torch.Tensor) for one in takes.values()):
        what = ", ".join(one.name for one in checked) or "nothing"
        raise InputsError(f"guard was given {got or 'no inputs'}; the module takes {what}: give a tensor for each")
    return {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in takes.items()}


def _named(names: Sequence[str], inputs: Any) -> tuple[str, dict[str, Any]]:
    """What was given, in words, and the inputs by name; the superfluous ones have names that no argument has."""
    if isinstance(inputs, torch.Tensor):
        inputs = (inputs,)
    if isinstance(inputs, Mapping):
        return ", ".join(map(str, inputs)), dict(inputs)
    if isinstance(inputs, Sequence):
        unnamed = (str(place) for place in range(len(names), len(inputs)))
        return f"{len(inputs)} inputs", dict(zip((*names, *unnamed), inputs, strict=False))
    return f"a {type(inputs).__name__}", {"0": inputs}


def _unused(name: str, methods: Mapping[str, Method]) -> str:
    return _unused(f"{name}_", methods) if name in methods else name


def _refuse(name: str) -> str:
    """The source of the method that raises. It is separate, so that argument names cannot hide its variables."""
    return f"""
def {name}(self, name: str, tensor: Optional[Tensor], takes: str) -> None:
    got = "given"
    if tensor is not None:
        names = {_DTYPES}
        dtype = names[tensor.dtype] if tensor.dtype < len(names) else "of another type"
        got = "(" + ", ".join([str(size) for size in tensor.size()]) + ") " + dtype
    elif takes != "None":
        got = "None"
    raise ValueError(name + " is " + got + "; this export takes " + takes + " only")
"""


def _source(method: Method, takes: Mapping[str, Size] | None, refuse: str) -> str:
    """The source of one method: its checks, and the call of the module's own. `takes` is None if nothing is checked."""
    checks = "" if takes is None else "".join(_check(one, takes.get(one.name), refuse) for one in method.parameters)
    # A call of the module itself runs its hooks as well.
    called = f"self.{_MODULE}" + ("" if method.name == "forward" else f".{method.name}")
    return f"""
def {method.name}({method.declared}):
{checks}
    return {called}({method.passed})
"""


def _check(parameter: Parameter, takes: Size | None, refuse: str) -> str:
    """The source of the check of one argument. It defines no variables: an argument may have any name."""
    name = parameter.name
    if parameter.is_plain:
        return ""
    if takes is None:
        return f"""
    if {name} is not None:
        self.{refuse}("{name}", {name if parameter.is_tensor else None}, "None")
"""
    shape, dtype = takes
    sentence = f"({', '.join(map(str, shape))}) {str(dtype).removeprefix('torch.')}"
    # A tensor cannot be None, and TorchScript drops that branch.
    return f"""
    if {name} is None:
        self.{refuse}("{name}", None, "{sentence}")
    elif {name}.size() != {list(shape)} or {name}.dtype != {_code(name, dtype)}:
        self.{refuse}("{name}", {name}, "{sentence}")
"""


def _code(name: str, dtype: torch.dtype) -> int:
    """How TorchScript writes a dtype."""
    written = str(dtype).removeprefix("torch.")
    if written not in _DTYPES:
        raise InputsError(f"guard cannot check {name}, which is {dtype}")
    return _DTYPES.index(written)
