"""call of eager -> operators that may jump: those whose answer can change by much where an operand changes by little.

What rounding does to a model without any is small wherever it was measured to be small: no tie is there to break. What
a call names is found while it runs, so a model that compares values in one case alone is found in that case.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from pytest_tsexport.comparison.choices import chooses
from pytest_tsexport.comparison.nudges import is_movable

_STEPS = """
    round floor ceil trunc frac fix sign sgn heaviside copysign nextafter remainder fmod floor_divide div hardshrink
    threshold nan_to_num angle atan2 log pow mode histc grid_sampler_2d grid_sampler_3d bernoulli multinomial poisson
    linalg_svd _linalg_svd linalg_eigh _linalg_eigh linalg_eig linalg_qr linalg_lu linalg_lu_factor_ex geqrf
    linalg_pinv linalg_lstsq _linalg_solve_ex linalg_inv_ex _linalg_det max_unpool2d max_unpool3d
    gt ge lt le eq ne logical_not logical_and logical_or logical_xor
"""

STEPS = frozenset(_STEPS.split())
"""Operators that answer in floating point, with steps; some of them for some arguments alone (see `_has_step`)."""

_STILL = """
    new_full new_zeros new_ones new_empty zeros_like ones_like empty_like max_pool2d_with_indices
    max_pool3d_with_indices adaptive_max_pool2d
"""

_NO_JUMPS = frozenset(_STILL.split())
"""Operators that read the form of an operand alone; and those whose places jump, and whose values do not."""

_READERS = frozenset({"tolist", "numpy", "__array__"})
"""Methods that give the values of a tensor to Python without an operator of torch."""


@contextmanager
def watched(found: set[str]) -> Iterator[None]:
    """In this block, the names of operators that may jump are added to `found`."""
    with _Readers(found), _Operators(found):
        yield


class _Readers(TorchFunctionMode):
    """Notes what Python reads of a floating tensor: a branch on it may take the other way."""

    def __init__(self, found: set[str]) -> None:
        super().__init__()
        self._found = found

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name in _READERS and any(map(_is_floating, args)):
            self._found.add(name)
        return func(*args, **(kwargs or {}))


class _Operators(TorchDispatchMode):
    """Notes each operator that may jump."""

    def __init__(self, found: set[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._found = found

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = func.__name__.partition(".")[0].rstrip("_")
        operands = [one for one in _tensors((*args, *kwargs.values())) if _is_floating(one)]
        # Only what is in `STEPS` is looked at for each call, and before it: it may write into an operand.
        steps = name in STEPS and _has_step(name, operands, kwargs) and _is_decided(name, operands)
        answer = func(*args, **kwargs)
        if steps or (operands and _may_jump(func, name, operands, list(_tensors(answer)))):
            self._found.add(name)
        return answer


def _may_jump(func: Any, name: str, operands: list[torch.Tensor], answered: list[torch.Tensor]) -> bool:
    """Whether an operator with floating operands jumps, by the form of its answer."""
    if func.namespace != "aten":  # nobody knows what it does
        return True
    if name in _NO_JUMPS:
        return False
    decides = not answered or not all(map(_is_floating, answered))  # a number for Python; a choice, a comparison
    casts = not decides and max(map(_digits, answered)) > min(map(_digits, operands))  # to fewer digits
    return (decides or casts) and _is_decided(name, operands)


def _is_decided(name: str, operands: list[torch.Tensor]) -> bool:
    """Whether rounding, or an order that is left open, may have a part in what an operator answers."""
    return any(map(_is_rounded, operands)) or chooses(frozenset({name}))


def _has_step(name: str, operands: list[torch.Tensor], kwargs: dict[str, Any]) -> bool:
    """Whether an operator has a step for these arguments: division by another number has none, and rounded down has."""
    if name == "div":
        return kwargs.get("rounding_mode") is not None
    if name in ("log", "pow"):
        return any(tensor.is_complex() for tensor in operands)
    return True


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    if isinstance(values, torch.Tensor):
        yield values
    elif isinstance(values, (list, tuple)):
        for one in values:
            yield from _tensors(one)


def _is_floating(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and (value.is_floating_point() or value.is_complex())


def _is_rounded(value: Any) -> bool:
    """Whether a tensor holds values that may have been rounded; those of masks and counts are exact.

    What rounding leaves of equal and opposite numbers may be 0 everywhere, so zeros alone are no mask.
    """
    if not _is_floating(value) or not is_movable(value) or value.is_complex() or value.is_meta:
        return _is_floating(value)
    finfo = torch.finfo(value.dtype)
    ends = (value <= finfo.min) | (value >= finfo.max) | value.isnan()
    return not bool((ends | (value == value.round())).all()) or not bool(value.any())


def _digits(tensor: torch.Tensor) -> float:
    """The distance between neighbouring numbers of its type: larger for fewer digits."""
    return torch.finfo(tensor.dtype).eps
