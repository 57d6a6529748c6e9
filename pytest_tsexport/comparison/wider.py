"""dtype -> dtype: the type that is wider than the one a model computes in, and a call in that type.

Models name their dtype in many places (`.to(torch.float32)`, `softmax(..., dtype=torch.float32)`, a mask that is made
in the default dtype). In a call in the wider type, each of these means the wider type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

HALVES = (torch.bfloat16, torch.float16)

_WIDER_THAN_HALF = {
    torch.float16: torch.float32,
    torch.bfloat16: torch.float32,
    torch.complex32: torch.complex64,
}
_WIDER_THAN_SINGLE = {torch.float32: torch.float64, torch.complex64: torch.complex128}


def half_of(tensors: Iterable[torch.Tensor]) -> torch.dtype | None:
    """The type of the weights and inputs that are in half precision, the coarser one of two; None if none is."""
    found = {tensor.dtype for tensor in tensors}
    return next((dtype for dtype in HALVES if dtype in found), None)


def widened(tensor: torch.Tensor, *, half: bool) -> torch.Tensor:
    """The tensor in the wider type; in a model in half precision, float32 is wide enough already."""
    wider = _dtypes(half=half).get(tensor.dtype)
    return tensor if wider is None else tensor.to(wider)


@contextmanager
def computed_wider(*, half: bool) -> Iterator[None]:
    """In this block, operators that are asked for the model's type answer in the wider one."""
    before = torch.get_default_dtype()
    try:
        if not half:
            torch.set_default_dtype(torch.float64)
        with _Wider(_dtypes(half=half)):
            yield
    finally:
        torch.set_default_dtype(before)


def _dtypes(*, half: bool) -> dict[torch.dtype, torch.dtype]:
    return _WIDER_THAN_HALF if half else _WIDER_THAN_SINGLE


class _Wider(TorchDispatchMode):
    """Replaces the keyword `dtype` of operators."""

    def __init__(self, dtypes: dict[torch.dtype, torch.dtype]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._dtypes = dtypes

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        dtype = kwargs.get("dtype")
        if dtype in self._dtypes:
            kwargs["dtype"] = self._dtypes[dtype]
        return func(*args, **kwargs)
