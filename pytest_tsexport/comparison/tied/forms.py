"""weight, tensor of the file -> likeness and form: whether the one was made of the other, and how to carry a change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import torch

from pytest_tsexport.tensors.memory import digest, why_unreadable
from pytest_tsexport.tensors.perturbation import NOISY, WHOLE

Likeness = Literal[
    "equal", "cast", "cut", "padded", "transposed", "reshaped", "multiplied", "other shape", "other values"
]

SAME: tuple[Likeness, ...] = ("equal", "cast", "cut", "padded")
"""What still is the model's weight, though rounded, shortened or lengthened."""

REMADE: tuple[Likeness, ...] = ("transposed", "reshaped", "multiplied")
"""What has the elements of the model's weight in another form; it is right where the file reads it in that form."""

MOST_AXES = 4
"""A tensor of more axes than this is compared in the order of its axes only: five axes have 120 orders."""

FEW = 4
"""A weight of fewer elements, or of fewer than three different ones, is like too many others in some form."""

STALE = 1e-4
"""A multiple that is nearer to 1 than this is no form of a weight, but a weight that went stale."""

SAMPLE = 1000
"""Elements that are looked at to see whether a weight has different ones."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a tensor is made of a weight: its axes in this order, then this shape, then times this factor.

    Without an order or a shape, the weight's own stands. What is cut or lengthened besides is not said here.
    """

    order: tuple[int, ...] = ()
    shape: tuple[int, ...] = ()
    factor: float = 1.0

    def of(self, numbers: torch.Tensor) -> torch.Tensor:
        """Numbers of the weight in this form."""
        numbers = numbers.permute(self.order) if self.order else numbers
        numbers = numbers.reshape(self.shape) if self.shape else numbers
        return numbers if self.factor == 1.0 else numbers * self.factor


AS_IT_IS = Form()


def value(tensor: torch.Tensor) -> str | None:
    """A hash of dtype, shape and numbers, whatever the strides are; None if they cannot be read."""
    if why_unreadable(tensor) is not None:
        return None
    one = tensor.detach()
    if one.layout == torch.strided and not one.is_nested and not hasattr(type(tensor), "__tensor_flatten__"):
        one = one.resolve_conj().resolve_neg().contiguous()
    return digest(one)


def value_in(tensor: torch.Tensor, dtype: torch.dtype) -> str | None:
    """The value of a tensor in another dtype; None if torch does not convert the one to the other (to float4)."""
    made = _converted(tensor, dtype)
    return None if made is None else value(made)


def is_dense(tensor: torch.Tensor) -> bool:
    """Whether it can be sliced, transposed and converted."""
    return tensor.layout == torch.strided and not tensor.is_nested and tensor.dtype in NOISY | WHOLE


def is_distinct(tensor: torch.Tensor) -> bool:
    """Whether a weight has floating numbers enough to be recognised in another form: a bias of zeros is like any."""
    if not is_dense(tensor) or not tensor.is_floating_point() or tensor.numel() < FEW or tensor.element_size() < 2:
        return False
    flat = tensor.detach().reshape(-1)
    return len(flat[:: max(1, len(flat) // SAMPLE)].unique()) > 2


def likeness(ours: torch.Tensor, theirs: torch.Tensor) -> tuple[Likeness, Form]:
    """How a tensor of the file is like a weight of the model, and in which form."""
    if value(ours) == value(theirs):
        return "equal", AS_IT_IS
    unlike: Likeness = "other values" if ours.shape == theirs.shape else "other shape"
    if not is_dense(ours) or not is_dense(theirs) or ours.is_complex() != theirs.is_complex():
        return unlike, AS_IT_IS
    if ours.shape != theirs.shape and (part := _part(ours, theirs)):
        return part, AS_IT_IS
    if ours.dtype != theirs.dtype and value_in(ours, theirs.dtype) == value(theirs):
        return "cast", AS_IT_IS
    return remade(ours, theirs) or (unlike, AS_IT_IS)


def remade(ours: torch.Tensor, theirs: torch.Tensor, *, may_cut: bool = True) -> tuple[Likeness, Form] | None:
    """The form in which a tensor has the elements of a weight, all of them unless it `may_cut`; None if it has not.

    Tried are the orders of the axes, other shapes, more elements behind them, and multiples.
    """
    if not ours.numel() or not theirs.numel() or not is_dense(theirs) or 0 in (*ours.stride(), *theirs.stride()):
        return None
    for order in _orders(ours.dim()):
        laid = ours.detach().permute(order)
        shape = _shape(laid, theirs)
        if shape is None:
            continue
        form = Form(() if order == tuple(sorted(order)) else order, () if shape == tuple(laid.shape) else shape)
        how: Likeness = "transposed" if form.order else "reshaped"
        if laid.numel() == theirs.numel():
            factor = _factor(laid, theirs)
            if factor is not None and (form != AS_IT_IS or factor != 1.0):
                return how if form != AS_IT_IS else "multiplied", Form(form.order, form.shape, factor)
        elif (part := _part(laid.reshape(shape), theirs)) and (may_cut or part == "padded"):
            return (how if form.order or form.shape else part), form
    return None


def _orders(axes: int) -> Iterator[tuple[int, ...]]:
    yield from permutations(range(axes)) if axes <= MOST_AXES else [tuple(range(axes))]


def _shape(laid: torch.Tensor, theirs: torch.Tensor) -> tuple[int, ...] | None:
    """The shape that a weight has before it is cut or lengthened to the file's; None if none fits."""
    if laid.numel() == theirs.numel():
        return tuple(theirs.shape)
    sizes = [size for size in laid.shape if size != 1]
    if len(sizes) != sum(size != 1 for size in theirs.shape):
        return None
    rest = iter(sizes)
    return tuple(1 if size == 1 else next(rest) for size in theirs.shape)


def _factor(laid: torch.Tensor, theirs: torch.Tensor) -> float | None:
    """What a weight is multiplied by to give a tensor of as many elements; None if the one is no multiple."""
    rows = laid.shape[0] if laid.dim() else 1
    start = (laid[0] if laid.dim() else laid).reshape(-1)
    flat = theirs.detach().reshape(-1)
    if _equal(start, flat[: len(flat) // rows]) and _equal(laid.reshape(-1), flat):
        return 1.0
    if not (laid.is_floating_point() and theirs.is_floating_point()) or min(laid.itemsize, theirs.itemsize) < 2:
        return None
    if _ratio(start, flat[: len(flat) // rows]) is None or not is_distinct(laid):
        return None
    factor = _ratio(laid.reshape(-1), flat)
    return None if factor is None or abs(factor - 1) < STALE else factor


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    made = _converted(one, other.dtype)
    return made is not None and value(made) == value(other)


def _ratio(one: torch.Tensor, other: torch.Tensor) -> float | None:
    """The number by which each element of `one` is multiplied in `other`, within rounding; 1 if all are zero."""
    places = one.nonzero()
    if not len(places):
        return None if bool(other.any()) else 1.0
    first = places[0]
    factor = float(other[first].double() / one[first].double())
    rounding = 4 * max(torch.finfo(one.dtype).eps, torch.finfo(other.dtype).eps)
    wide = torch.promote_types(torch.promote_types(one.dtype, other.dtype), torch.float32)
    same = torch.allclose(other.to(wide), one.to(wide) * factor, rtol=rounding, atol=0.0)
    return factor if factor and same else None


def _converted(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor | None:
    try:
        return tensor.to(dtype)
    except (NotImplementedError, RuntimeError):
        return None


def _part(ours: torch.Tensor, theirs: torch.Tensor) -> Likeness | None:
    """Whether one is the leading part of the other, in the file's dtype."""
    if ours.dim() != theirs.dim() or not ours.numel() or not theirs.numel():
        return None
    sizes = list(zip(ours.shape, theirs.shape, strict=True))
    if all(mine >= other for mine, other in sizes):
        cut = ours[tuple(slice(0, size) for size in theirs.shape)]
        return "cut" if value_in(cut, theirs.dtype) == value(theirs) else None
    if all(mine <= other for mine, other in sizes):
        same = value_in(ours, theirs.dtype) == value(theirs[tuple(slice(0, size) for size in ours.shape)])
        return "padded" if same else None
    return None
