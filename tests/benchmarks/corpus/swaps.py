"""operator -> operators: which operator of the same arguments may stand in its place, and what may be left out.

A name that ends in an underscore writes in place; it is treated as the one without.
"""

from __future__ import annotations

from collections.abc import Mapping

_PAIRS = (
    ("add", "sub"),
    ("mul", "div"),
    ("sin", "cos"),
    ("tanh", "sigmoid"),
    ("relu", "silu"),
    ("relu", "gelu"),
    ("gelu", "silu"),
    ("gelu", "tanh"),
    ("silu", "sigmoid"),
    ("sqrt", "rsqrt"),
    ("exp", "expm1"),
    ("log", "log1p"),
    ("softmax", "log_softmax"),
    ("mean", "sum"),
    ("amax", "amin"),
    ("max", "min"),
    ("maximum", "minimum"),
    ("argmax", "argmin"),
    ("cumsum", "cumprod"),
    ("triu", "tril"),
    ("eq", "ne"),
    ("lt", "le"),
    ("gt", "ge"),
    ("lt", "gt"),
    ("logical_and", "logical_or"),
    ("bitwise_and", "bitwise_or"),
    ("__and__", "__or__"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("new_zeros", "new_ones"),
    ("floor", "ceil"),
    ("round", "floor"),
    ("abs", "neg"),
    ("ceil", "round"),
)

_ONE_WAY = (("mean", "amax"),)

TAKES: Mapping[str, int] = {
    "aten::relu": 1,
    "aten::silu": 1,
    "aten::gelu": 1,
    "aten::tanh": 1,
    "aten::sigmoid": 1,
    "aten::amax": 3,
}
"""How many arguments an operator takes of those that the other one was given."""


def _both_ways() -> dict[str, tuple[str, ...]]:
    swaps: dict[str, list[str]] = {}
    for pair in _PAIRS:
        for old, new in (pair, pair[::-1]):
            swaps.setdefault(f"aten::{old}", []).append(f"aten::{new}")
    for old, new in _ONE_WAY:
        swaps.setdefault(f"aten::{old}", []).append(f"aten::{new}")
    for old in ("add", "sub", "mul", "div"):
        swaps[f"aten::{old}_"] = [f"{new}_" for new in swaps[f"aten::{old}"]]
    return {old: tuple(new) for old, new in swaps.items()}


SWAPS: Mapping[str, tuple[str, ...]] = _both_ways()

_EITHER = ("add", "sub", "mul", "div", "bitwise_and", "logical_and", "bitwise_or", "logical_or", "__and__", "__or__")
_FIRST = ("masked_fill", "layer_norm", "relu", "gelu", "silu", "tanh", "softmax", "triu", "tril", "clamp", "rsub")

DROPS: Mapping[str, tuple[int, ...]] = {
    **{f"aten::{name}": (0, 1) for name in _EITHER},
    **{f"aten::{name}_": (0, 1) for name in ("add", "sub", "mul", "div")},
    **{f"aten::{name}": (0,) for name in _FIRST},
    "aten::masked_fill_": (0,),
    "aten::where": (1, 2),
}
"""The arguments that may stand for the result: one addend for a sum, the scores before they are masked."""

ORDERED = frozenset(
    f"aten::{name}"
    for name in ("sub", "div", "matmul", "bmm", "where", "lt", "le", "gt", "ge", "pow", "remainder", "floor_divide")
)
"""Operators that give another result if two of their arguments change places."""
