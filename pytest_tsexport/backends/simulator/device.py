"""A SIMULATION of the Neuron device: the operator that runs a compiled program as the chip would.

The program is two tensors of bytes in the artifact, as in the vendor's files: `metaneff` (JSON: the inputs and the
outputs) and `neff` (the code and the weights). (facts: neuron, 1.2 and 7.2.)
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from pytest_tsexport.backends.casting import Casting, aliases, emulated, writes
from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed
from pytest_tsexport.tensors.raw_bytes import raw_bytes
from pytest_tsexport.tensors.tree import flatten

NAMESPACE = "neuron_sim"
OPERATOR = "forward_v2"

Signature = tuple[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The contents of a metaneff: dtype and shape of each input and output, and the casting.

    Dimension 0 is cut into slices of `batch` rows; 0 means that it is fixed. `digest` is the sha256 of the code.
    """

    inputs: tuple[Signature, ...]
    outputs: tuple[Signature, ...]
    scope: str
    type: str
    digest: str
    batch: int = 0

    def to_tensor(self) -> torch.Tensor:
        """This program as a metaneff."""
        return torch.tensor(list(json.dumps(asdict(self)).encode()), dtype=torch.uint8)

    @classmethod
    def of(cls, metaneff: torch.Tensor) -> Program:
        """The program that a metaneff describes."""
        fields = json.loads(bytes(metaneff.tolist()))
        for part in ("inputs", "outputs"):
            fields[part] = tuple((dtype, tuple(shape)) for dtype, shape in fields[part])
        return cls(**fields)


def signature(tensor: torch.Tensor) -> Signature:
    """`("int64", (2, 7))`."""
    return str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape)


def register(namespace: str = NAMESPACE) -> None:
    """Register the operator, once in each process; no artifact that calls it loads without that."""
    if hasattr(getattr(torch.ops, namespace), OPERATOR):
        return
    library = torch.library.Library(namespace, "FRAGMENT")
    library.define(f"{OPERATOR}(Tensor[] inputs, Tensor metaneff, Tensor neff) -> Tensor[]")
    library.impl(OPERATOR, execute, "CompositeImplicitAutograd")  # otherwise its answers require gradients
    _LIBRARIES.append(library)


_LIBRARIES: list[Any] = []
"""An operator exists as long as the library that defined it."""


def execute(inputs: Sequence[torch.Tensor], metaneff: torch.Tensor, neff: torch.Tensor) -> list[torch.Tensor]:
    """The outputs of a program. Raises `RuntimeError` or `ValueError` for inputs of another size, dtype or number."""
    program = Program.of(metaneff)
    if len(inputs) != len(program.inputs):
        raise RuntimeError(f"the program takes {len(program.inputs)} inputs, and was given {len(inputs)}")
    if not program.batch:
        return _run(program, inputs, neff)
    size = _batch_size(inputs)
    parts = [_run(program, part, neff) for part in slices(inputs, program.batch)]
    return [torch.cat(leaves)[:size] for leaves in zip(*parts, strict=True)]


def slices(inputs: Sequence[torch.Tensor], batch: int) -> Iterator[list[torch.Tensor]]:
    """The inputs cut along dimension 0 into slices of `batch` rows; the last slice is filled up with zeros."""
    for start in range(0, max(inputs[0].shape[0], 1), batch):
        rows = [tensor[start : start + batch] for tensor in inputs]
        yield [torch.cat([one, one.new_zeros(batch - len(one), *one.shape[1:])]) for one in rows]


def _batch_size(inputs: Sequence[torch.Tensor]) -> int:
    sizes = {tensor.shape[0] if tensor.dim() else None for tensor in inputs}
    if len(sizes) != 1 or None in sizes:
        raise ValueError(f"with dynamic batching every input has the same dimension 0, and these have {list(sizes)}")
    return int(inputs[0].shape[0])


def _run(program: Program, inputs: Sequence[torch.Tensor], neff: torch.Tensor) -> list[torch.Tensor]:
    for place, (tensor, expected) in enumerate(zip(inputs, program.inputs, strict=True)):
        if signature(tensor) != expected:
            error = ValueError if program.batch else RuntimeError
            raise error(
                f"input {place} is {_spelt(signature(tensor))}; the program was compiled for {_spelt(expected)}"
            )
    code = _loaded(program.digest, _Bytes(neff))
    with _stateless(code):
        given = [_narrow(tensor.detach().clone()) for tensor in inputs]
        with torch.no_grad(), emulated(Casting(scope=program.scope, type=program.type)), _Narrow():  # type: ignore[no-untyped-call]
            answers = [leaf.detach().clone() for leaf in flatten(code(*given)).values()]
    if tuple(map(signature, answers)) != program.outputs:
        raise RuntimeError("an answer has another size than it was compiled for: its size depends on values")
    return answers


@contextmanager
def _stateless(code: torch.jit.ScriptModule) -> Iterator[None]:
    """Restores the buffers: a program keeps no state between two runs."""
    before = {name: value.clone() for name, value in code.named_buffers()}
    try:
        yield
    finally:
        for name, value in code.named_buffers():
            value.copy_(before[name])


def _spelt(one: Signature) -> str:
    return f"{one[0]} {list(one[1])}"


class _Bytes:
    """A neff as a cache key, compared by its address. The cache keeps it alive, so the address stays valid."""

    def __init__(self, neff: torch.Tensor) -> None:
        self.neff = neff
        self._key = neff.data_ptr(), 0 if neff.is_inference() else neff._version

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bytes) and self._key == other._key


@lru_cache(maxsize=4)
def _loaded(digest: str, content: _Bytes) -> torch.jit.ScriptModule:
    data = raw_bytes(content.neff)
    if hashlib.sha256(data).hexdigest() != digest:
        raise RuntimeError("the neff is damaged: its digest is not the one in the metaneff")
    with torch_jit_allowed():
        loaded: torch.jit.ScriptModule = torch.jit.load(io.BytesIO(data), map_location="cpu")
    return loaded


class _Narrow(TorchDispatchMode):
    """Integers have 32 bits on the chip, whatever their dtype says."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        answer = func(*args, **(kwargs or {}))
        if writes(func):
            tree_map_only(torch.Tensor, _narrow_in_place, answer)
            return answer
        return answer if aliases(func) else tree_map_only(torch.Tensor, _narrow, answer)


def _narrow_in_place(tensor: torch.Tensor) -> None:
    if tensor.dtype == torch.int64:
        tensor.copy_(_narrow(tensor))


def _narrow(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.to(torch.int32).to(torch.int64) if tensor.dtype == torch.int64 else tensor


def with_batch(program: Program) -> Program:
    """The program with a dynamic batch. Raises `ValueError` if dimension 0 is not the same size everywhere."""
    sizes = {shape[0] if shape else None for _, shape in (*program.inputs, *program.outputs)}
    if len(sizes) != 1 or None in sizes:
        sizes_text = ", ".join(_spelt(one) for one in (*program.inputs, *program.outputs))
        raise ValueError(f"dynamic batching needs one size of dimension 0 in all inputs and outputs, not {sizes_text}")
    return replace(program, batch=int(program.inputs[0][1][0]))


register()
