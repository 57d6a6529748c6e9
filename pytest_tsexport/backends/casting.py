"""Reads compiler arguments for casting: what is computed in fewer bits; and emulates that on the CPU.

neuronx-cc casts float32 by `--auto-cast none|matmult|all` to `--auto-cast-type bf16|fp16|tf32|fp8_e4m3`; inputs and
outputs keep their dtypes. The emulation rounds operands and keeps sums in float32. (See
docs/explanation/neuron-sdk.md#numerics.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from pytest_tsexport.errors import ExportError

FLAGS = ("--auto-cast", "--auto-cast-type")

TYPES: Mapping[str, torch.dtype | None] = {
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "tf32": None,  # torch has no such dtype, so it is not emulated
    "fp8_e4m3": None,
}
"""The values of `--auto-cast-type`."""

SHARES: Mapping[str, Mapping[str, float]] = {
    "none": dict.fromkeys(TYPES, 1e-3),
    "matmult": {"bf16": 2e-2, "fp16": 3e-3, "tf32": 3e-3, "fp8_e4m3": 2e-1},
    "all": {"bf16": 5e-2, "fp16": 1e-2, "tf32": 1e-2, "fp8_e4m3": 5e-1},
}
"""How much an output may be off, as a share of its spread, by scope and type: a chip adds in another order than a CPU.

Emulated on a tiny BERT, the worst element is off by 1.3 % of the spread at matmult bf16, 0.2 % at matmult fp16, 2.6 %
at all bf16 and 0.3 % at all fp16.
"""

PRODUCTS: Mapping[str, tuple[int, ...]] = {
    "aten::mm": (0, 1),
    "aten::addmm": (1, 2),
    "aten::bmm": (0, 1),
    "aten::baddbmm": (1, 2),
    "aten::addbmm": (1, 2),
    "aten::mv": (0, 1),
    "aten::addmv": (1, 2),
    "aten::dot": (0, 1),
    "aten::matmul": (0, 1),
    "aten::linear": (0, 1),
    "aten::convolution": (0, 1),
    "aten::_convolution": (0, 1),
    "aten::scaled_dot_product_attention": (0, 1, 2),
    "aten::_scaled_dot_product_flash_attention_for_cpu": (0, 1, 2),
}
"""The operators that multiply matrices, and the positions of the arguments that they multiply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Casting:
    """What is computed in fewer bits: `scope` is `none`, `matmult` or `all`; `type` is the compiler's dtype name."""

    scope: str = "none"
    type: str = "bf16"

    @property
    def share(self) -> float:
        """How much an output may be off, as a share of its spread."""
        return SHARES[self.scope][self.type]

    @property
    def dtype(self) -> torch.dtype | None:
        """The torch dtype that rounds as this casting does; None if nothing is cast, or torch has no such dtype."""
        return None if self.scope == "none" else TYPES[self.type]

    def __str__(self) -> str:
        return self.scope if self.scope == "none" else f"{self.scope} {self.type}"


def casting_of(args: Sequence[str], default: Casting) -> Casting:
    """The casting that compiler arguments ask for; `default` is the compiler's own.

    Raises `ExportError`, one sentence, for a value that the compiler does not know.
    """
    unknown = next((arg for arg in args if arg.startswith("--auto-") and arg.partition("=")[0] not in FLAGS), None)
    if unknown is not None:
        raise ExportError(f"the compiler argument {unknown} is not known; use one of {', '.join(FLAGS)}")
    given = {flag: argument(args, flag) for flag in FLAGS}
    for (flag, value), valid in zip(given.items(), (SHARES, TYPES), strict=True):
        if value is not None and value not in valid:
            raise ExportError(f"the compiler argument {flag} is {value!r}; use one of {', '.join(valid)}")
    scope, kind = given.values()
    return Casting(scope=scope or default.scope, type=kind or default.type)


def argument(args: Sequence[str], flag: str) -> str | None:
    """The value of a compiler argument, written `--flag value` or `--flag=value`; the last one counts."""
    found = None
    for place, arg in enumerate(args):
        name, equals, value = arg.partition("=")
        if name == flag:
            found = value if equals else (args[place + 1] if place + 1 < len(args) else "")
    return found


@contextmanager
def emulated(casting: Casting) -> Iterator[None]:
    """In this block torch computes on the CPU as under that casting; only float32 is cast."""
    if casting.dtype is None:
        yield
        return
    with _Rounding(casting.dtype, everything=casting.scope == "all"):
        yield


class _Rounding(TorchDispatchMode):
    """Rounds the operands of products; with `everything`, the arguments and results of all operators."""

    def __init__(self, dtype: torch.dtype, *, everything: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._dtype = dtype
        self._everything = everything

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._everything and not aliases(func):
            if any(map(_is_float32, tree_leaves((args, kwargs)))):
                args = tuple(map(self._number, args, func._schema.arguments))
            args, kwargs = self._each(args), self._each(kwargs)
            return self._each(func(*args, **kwargs))
        places = PRODUCTS.get(func.name().partition(".")[0], ())
        rounded = [self._each(arg) if place in places else arg for place, arg in enumerate(args)]
        return func(*rounded, **kwargs)

    def _each(self, value: Any) -> Any:
        return tree_map_only(torch.Tensor, self._rounded, value)

    def _number(self, value: Any, argument: Any) -> Any:
        """A number that an operator computes with, rounded as a tensor of it is; a trace keeps it as a double.

        What is not computed with (an epsilon, a probability, a size) has another type in the schema.
        """
        if isinstance(value, float) and str(argument.type) in ("number", "Optional[number]", "Tensor"):
            return torch.tensor(value).to(self._dtype).item()
        if isinstance(value, torch.Tensor) and value.dtype == torch.float64 and not value.dim():
            return value.to(self._dtype).to(torch.float64)
        return value

    def _rounded(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self._dtype).to(torch.float32) if tensor.dtype == torch.float32 else tensor


def _is_float32(value: object) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype == torch.float32


def aliases(func: Any) -> bool:
    """Whether an operator returns a view or writes in place: then its arguments must not be replaced by copies."""
    schema: Any = func._schema
    return any(one.alias_info is not None for one in (*schema.arguments, *schema.returns))


def writes(func: Any) -> bool:
    """Whether an operator writes to its arguments."""
    return any(one.alias_info is not None and one.alias_info.is_write for one in func._schema.arguments)
