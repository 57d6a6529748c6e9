"""The documented calls of `torch_neuronx`, compiled for the CPU.

Written only from the vendor's documentation. Tests put it on `sys.path`. `--auto-cast` changes no number here.
"""

from __future__ import annotations

import copy
import ctypes
import io
import json
import re
import shlex
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor, nn

__version__ = "2.9.0.2.15.32035"
# Not the vendor's number: another package in this process may have an operator of that name.
OPERATOR = "forward_v2_41"
SCHEMA = "(Tensor[] inputs, Tensor metaneff, Tensor neff, Tensor dynamic) -> Tensor[]"
FLAGS: Mapping[str, Sequence[str]] = {
    "--target": ("inf2", "trn1", "trn1n", "trn2"),
    "--auto-cast": ("none", "matmult", "all"),
    "--auto-cast-type": ("bf16", "fp16", "tf32", "fp8_e4m3"),
    "--optlevel": ("1", "2", "3"),
    "--model-type": ("generic", "transformer", "unet-inference"),
}
# Shapes are fixed, so an operator that uses only the shape or dtype of a tensor does not depend on its values.
SHAPE_ONLY = re.compile(r"aten::(dim|numel|size|(full|ones|zeros)_like|new_(full|ones|zeros))|prim::(device|dtype)")


def trace(
    func: Callable[..., Any],
    example_inputs: Any,
    *_: object,
    input_output_aliases: Mapping[Tensor, int] = {},
    compiler_workdir: str | None = None,
    compiler_args: str | Sequence[str] | None = None,
    partitioner_config: object = None,
    inline_weights_to_neff: bool = True,
    cpu_backend: bool = False,
) -> torch.jit.ScriptModule:
    inputs = example_inputs if isinstance(example_inputs, tuple) else (example_inputs,)
    if _:
        warnings.warn(f"Received {2 + len(_)} positional arguments but expected 2.", DeprecationWarning, stacklevel=2)
    if input_output_aliases or partitioner_config is not None or not all(isinstance(each, Tensor) for each in inputs):
        raise NotImplementedError("this compiler knows no aliases, no partitions and no inputs but tensors")
    wrapper = _Wrapper(inputs, _parsed(compiler_args), _compiled(func, inputs))
    with _tracing_unsaid():
        return torch.jit.trace(wrapper, inputs, strict=False, check_trace=False)  # type: ignore[no-any-return]


def dynamic_batch(neuron_script: torch.jit.ScriptModule) -> torch.jit.ScriptModule:
    meta = json.loads(_content(neuron_script.metaneff))
    shapes = {"Input": [spec["shape"] for spec in meta["inputs"] if spec["used"]], "Output": meta["outputs"]}
    batches = {tuple(shape[:1]) for kind in shapes.values() for shape in kind}
    if not shapes["Input"] or len(batches) > 1 or () in batches:
        text = [f"{kind} #{index} shape: {shape}" for kind in shapes for index, shape in enumerate(shapes[kind])]
        raise ValueError("\n".join(["Dynamic batching needs one dim 0 size in all inputs and outputs:", *text]))
    neuron_script.dynamic.fill_(1)  # a buffer: it is saved with the module, and the operator is given it at every call
    return neuron_script


class _Wrapper(nn.Module):
    """The module that is traced: it calls the operator, and is all that TorchScript sees of a model."""

    def __init__(self, inputs: tuple[Tensor, ...], flags: dict[str, str], neff: bytes) -> None:
        super().__init__()
        self.used, program = _reached(neff, inputs), _program(neff)
        specs = [
            {"shape": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch."), "used": used}
            for tensor, used in zip(inputs, self.used, strict=True)
        ]
        answer = program(*(tensor.detach().clone() for tensor in inputs))
        meta = {"flags": flags, "inputs": specs, "outputs": [list(leaf.shape) for leaf in _leaves(answer)]}
        for name, content in {"metaneff": json.dumps(meta).encode(), "neff": neff}.items():
            self.register_buffer(name, torch.frombuffer(bytearray(content), dtype=torch.uint8))
        self.register_buffer("dynamic", torch.zeros(1, dtype=torch.int64))
        self.packed = partial(_packed, answer)

    def forward(self, *inputs: Tensor) -> Any:
        given = [tensor for tensor, used in zip(inputs, self.used, strict=True) if used]
        return self.packed(iter(getattr(torch.ops.neuron, OPERATOR)(given, self.metaneff, self.neff, self.dynamic)))


def _forward(inputs: list[Tensor], metaneff: Tensor, neff: Tensor, dynamic: Tensor) -> list[Tensor]:
    """The operator: what the runtime of a device computes."""
    specs, program = json.loads(_content(metaneff))["inputs"], _program(_content(neff))
    first, refusal = (1, ValueError) if dynamic else (0, RuntimeError)
    traced = [spec for spec in specs if spec["used"]]
    for index, (tensor, spec) in enumerate(zip(inputs, traced, strict=True)):
        shape, dtype = list(tensor.shape), str(tensor.dtype).removeprefix("torch.")
        text = f"input tensor #{index} is {dtype} {shape}, and was compiled as {spec['dtype']} {spec['shape']}"
        if dtype != spec["dtype"]:
            raise RuntimeError(text)
        if len(shape) != len(spec["shape"]) or shape[first:] != spec["shape"][first:]:
            raise refusal(text)
    if not dynamic:
        return _run(program, specs, inputs)
    size, batch = len(inputs[0]), traced[0]["shape"][0]
    if any(len(tensor) != size for tensor in inputs):
        raise ValueError(f"inputs differ in dim 0: {[list(tensor.shape) for tensor in inputs]}")
    # An empty batch is one chunk of padding, so that its output has a shape too.
    starts, missing = range(0, max(size, 1), batch), -size % batch if size else batch
    padded = [torch.cat([tensor, tensor.new_zeros(missing, *tensor.shape[1:])]) for tensor in inputs]
    answers = [_run(program, specs, [tensor[start : start + batch] for tensor in padded]) for start in starts]
    return [torch.cat(parts)[:size] for parts in zip(*answers, strict=True)]


def _run(program: Any, specs: list[dict[str, Any]], inputs: list[Tensor]) -> list[Tensor]:
    """New tensors, whatever the program writes to; a dropped input is replaced by zeros."""
    copies = [tensor.detach().clone() for tensor in inputs]
    for place, spec in enumerate(specs):
        if not spec["used"]:
            copies.insert(place, torch.zeros(spec["shape"], dtype=getattr(torch, spec["dtype"])))
    return [leaf.detach().clone() for leaf in _leaves(program(*copies))]


def _parsed(compiler_args: str | Sequence[str] | None) -> dict[str, str]:
    given = shlex.split(compiler_args) if isinstance(compiler_args, str) else compiler_args or ()
    words = [word for argument in given for word in argument.split("=", 1)]
    flags = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or any(value not in FLAGS.get(flag, ()) for flag, value in flags.items()):
        raise RuntimeError(f"neuronx-cc failed with 70: cannot read {shlex.join(given)}")
    return flags


def _compiled(func: Callable[..., Any], inputs: tuple[Tensor, ...]) -> bytes:
    # A copy: calls may write to a model, and TorchScript takes no constant that requires a gradient. Traced as a
    # function, because torch reads every attribute of a module, even those that warn when they are read.
    copied = copy.deepcopy(func)
    if isinstance(owner := getattr(copied, "__self__", copied), nn.Module):
        owner.requires_grad_(requires_grad=False)
    copies = tuple(tensor.detach().clone() for tensor in inputs)
    with _tracing_unsaid():
        traced = torch.jit.trace(lambda *each: copied(*each), copies, strict=False, check_trace=False)  # noqa: PLW0108
    return bytes(traced.save_to_buffer())


@lru_cache(maxsize=16)
def _program(neff: bytes) -> Any:
    with _tracing_unsaid():
        return torch.jit.load(io.BytesIO(neff))


def _reached(neff: bytes, inputs: tuple[Tensor, ...]) -> list[bool]:
    """Whether the answer depends on the values of each input; a write into a tensor counts as part of the answer."""
    graph = _program(neff).inlined_graph
    needed, nodes = {value.debugName() for value in graph.outputs()}, list(graph.nodes())
    for node in reversed(nodes):
        if "!" in node.schema() or any(value.debugName() in needed for value in node.outputs()):
            needed.update([value.debugName() for value in node.inputs()][bool(SHAPE_ONLY.fullmatch(node.kind())) :])
    # A scripted function may have branches, which are not searched.
    branches = any(True for node in nodes for _ in node.blocks())
    used = [branches or value.debugName() in needed for value in list(graph.inputs())[1:]]
    for index in (place for place, each in enumerate(used) if not each):
        text = f"(index={index}, shape={inputs[index].shape}, dtype={inputs[index].dtype})"
        warnings.warn(f"Received an input tensor that was unused. Tensor will be ignored. {text}", stacklevel=4)
    return used


def _leaves(value: Any) -> list[Tensor]:
    parts = value.values() if isinstance(value, Mapping) else value
    return [value] if isinstance(value, Tensor) else [leaf for part in parts for leaf in _leaves(part)]


def _packed(example: Any, leaves: Iterator[Tensor]) -> Any:
    """The leaves in the structure of the example, which has only plain types after TorchScript."""
    if isinstance(example, Tensor):
        return next(leaves)
    if isinstance(example, dict):
        return {key: _packed(part, leaves) for key, part in example.items()}
    return type(example)([_packed(part, leaves) for part in example])


@contextmanager
def _tracing_unsaid() -> Iterator[None]:
    """The vendor's compiler does not trace with TorchScript, so it does not warn as that does."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"`torch\.jit\.", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # type: ignore[attr-defined]
        yield


def _content(tensor: Any) -> bytes:
    return ctypes.string_at(tensor.data_ptr(), tensor.numel())


if not hasattr(torch.ops.neuron, OPERATOR):
    # Both keep what they register for the life of the process, so the operator outlives an import that was undone.
    # Implicit, because an explicit kernel gives answers a gradient function wherever an input requires a gradient.
    torch.library.define(f"neuron::{OPERATOR}", SCHEMA)
    torch.library.impl(f"neuron::{OPERATOR}", "CompositeImplicitAutograd", _forward)
