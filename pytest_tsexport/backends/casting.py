"""compiler arguments -> casting: which products a compiler computes in fewer bits, what that costs, and how it looks.

neuronx-cc casts float32 by `--auto-cast none|matmult|all` to `--auto-cast-type bf16|fp16|tf32|fp8_e4m3`; inputs and
outputs keep their dtypes. Emulated on the CPU, operands are rounded and sums are kept in float32. (facts: neuron, 2.5.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from pytest_tsexport.errors import ExportError

FLAGS = ("--auto-cast", "--auto-cast-type")

TYPES: Mapping[str, torch.dtype | None] = {
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "tf32": None,  # no dtype of torch's holds it, so it is not emulated
    "fp8_e4m3": None,
}
"""What `--auto-cast-type` may name."""

SHARES: Mapping[str, Mapping[str, float]] = {
    "none": dict.fromkeys(TYPES, 1e-3),
    "matmult": {"bf16": 2e-2, "fp16": 3e-3, "tf32": 3e-3, "fp8_e4m3": 2e-1},
    "all": {"bf16": 5e-2, "fp16": 1e-2, "tf32": 1e-2, "fp8_e4m3": 5e-1},
}
"""Share of an output's spread that it may be off by, by scope and type: no chip adds as a CPU does, cast or not.

Emulated on a tiny BERT, the worst place is off by 1.3 % of the spread at matmult bf16, 0.2 % at fp16, 2.6 % at all
bf16 and 0.3 % at fp16.
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
"""The operators that multiply matrices, and the places of what they multiply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Casting:
    """What is computed in fewer bits: `scope` is none, matmult or all, `type` the compiler's name of those bits."""

    scope: str = "none"
    type: str = "bf16"

    @property
    def share(self) -> float:
        """Share of an output's spread that it may be off by."""
        return SHARES[self.scope][self.type]

    @property
    def dtype(self) -> torch.dtype | None:
        """The dtype of torch's that rounds as this casting does; None where nothing is cast, or none does."""
        return None if self.scope == "none" else TYPES[self.type]

    def __str__(self) -> str:
        return self.scope if self.scope == "none" else f"{self.scope} {self.type}"


def casting_of(args: Sequence[str], default: Casting) -> Casting:
    """The casting that compiler arguments ask for; `usual` is the compiler's default.

    Raises `ExportError`, one sentence, for a value that the compiler does not know.
    """
    unknown = next((arg for arg in args if arg.startswith("--auto-") and arg.partition("=")[0] not in FLAGS), None)
    if unknown is not None:
        raise ExportError(f"the compiler argument {unknown} is not known; use one of {', '.join(FLAGS)}")
    told = {flag: argument(args, flag) for flag in FLAGS}
    for (flag, value), valid in zip(told.items(), (SHARES, TYPES), strict=True):
        if value is not None and value not in valid:
            raise ExportError(f"the compiler argument {flag} is {value!r}; use one of {', '.join(valid)}")
    scope, kind = told.values()
    return Casting(scope=scope or default.scope, type=kind or default.type)


def argument(args: Sequence[str], flag: str) -> str | None:
    """The value of a compiler argument, typed as `--flag value` or `--flag=value`; the last one counts."""
    found = None
    for place, arg in enumerate(args):
        name, equals, value = arg.partition("=")
        if name == flag:
            found = value if equals else (args[place + 1] if place + 1 < len(args) else "")
    return found


@contextmanager
def emulated(casting: Casting) -> Iterator[None]:
    """While this is open, torch computes on the CPU as under that casting; float32 alone is cast."""
    if casting.dtype is None:
        yield
        return
    with _Rounding(casting.dtype, everything=casting.scope == "all"):
        yield


class _Rounding(TorchDispatchMode):
    """Rounds what products are made of, or whatever any operator is made of and makes."""

    def __init__(self, dtype: torch.dtype, *, everything: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._dtype = dtype
        self._everything = everything

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._everything and not aliases(func):
            args, kwargs = self._each(args), self._each(kwargs)
            return self._each(func(*args, **kwargs))
        places = PRODUCTS.get(func.name().partition(".")[0], ())
        rounded = [self._each(arg) if place in places else arg for place, arg in enumerate(args)]
        return func(*rounded, **kwargs)

    def _each(self, value: Any) -> Any:
        return tree_map_only(torch.Tensor, self._rounded, value)

    def _rounded(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self._dtype).to(torch.float32) if tensor.dtype == torch.float32 else tensor


def aliases(func: Any) -> bool:
    """Whether an operator answers a view, or writes in place: then what it is given must stay itself."""
    schema: Any = func._schema
    return any(one.alias_info is not None for one in (*schema.arguments, *schema.returns))


def writes(func: Any) -> bool:
    """Whether an operator writes into what it is given."""
    return any(one.alias_info is not None and one.alias_info.is_write for one in func._schema.arguments)
