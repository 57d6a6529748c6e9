"""subject, graph -> numbers: what sizes are compared with, divided by or ranged over, while tracing and in a file.

In a trace the sizes of inputs are tensors, so torch shows what is done with them. A number of that kind is a length at
which the code may compute in another way: a cap, a window, a block. An exporter may add one that only the file has.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from pytest_tsexport.backends.torchscript.tracing import traced_subject
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.copies import parameter_sharing_copy

_COMPARISONS = ("gt", "lt", "ge", "le", "eq", "ne", "greater", "less", "greater_equal", "less_equal", "not_equal")
_DIVISIONS = ("floordiv", "rfloordiv", "floor_divide", "mod", "rmod", "remainder", "div", "rdiv", "truediv", "rtruediv")
_OTHERS = ("divmod", "sub", "rsub", "maximum", "minimum", "clamp", "min", "max", "arange")
COMPARED = frozenset((*_COMPARISONS, *_DIVISIONS, *_OTHERS))
"""What is done with a size and a number, by the names of torch's functions without underscores."""

PARTED = frozenset(("split", "split_with_sizes", "tensor_split", "chunk", "unfold"))
"""Functions that cut along a dimension; their numbers are sizes whatever else they are given."""


_CUTTING = (
    "slice",
    "narrow",
    "clamp",
    "clamp_max",
    "clamp_min",
    "arange",
    "split",
    "chunk",
    "unfold",
    "__range_length",
)
_COMPARING = ("gt", "lt", "ge", "le", "eq", "ne", "floordiv", "remainder", "min", "max", "__contains__")
NODES = tuple(f"{space}::{name}" for space in ("aten", "prim") for name in (*_CUTTING, *_COMPARING))
"""Operators of a graph whose whole numbers may be sizes."""

LARGEST = 2**16
"""A larger number stands for no end, or is an id, and no size."""

MOST = 32
"""A file with more such numbers cuts its features, too; the smallest are kept."""


class NamedSizes(TorchFunctionMode):
    """While active, records the whole numbers that meet a size."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[int] = set()

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Records the numbers, and runs the function."""
        name = getattr(func, "__name__", "").strip("_")
        if name in COMPARED or name in PARTED:
            given = list(_flat([*args, *(kwargs or {}).values()]))
            if name in PARTED or any(_is_size(one) for one in given):
                self.found |= {abs(one) for one in given if type(one) is int}
        return func(*args, **(kwargs or {}))


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _flat(value)
        else:
            yield value


def _is_size(value: object) -> bool:
    """Whether it may be a size: in a trace, a size is a whole number in a tensor without dimensions."""
    return isinstance(value, torch.Tensor) and value.dim() == 0 and value.dtype == torch.int64


def named_sizes(subject: Subject) -> frozenset[int]:
    """The numbers that meet a size in a throw-away trace; none if the model does not trace."""
    watch = NamedSizes()
    try:
        with warnings.catch_warnings(), watch:
            warnings.simplefilter("ignore")  # this trace is not the export that the user asked for
            traced_subject(replace(subject, model=parameter_sharing_copy(subject.model)))
    except Exception:  # tracing runs the model, which may raise anything; the numbers met so far count
        return frozenset(watch.found)
    return frozenset(watch.found)


def numbers_in(graph: Any) -> frozenset[int]:
    """The numbers by which a graph cuts, or with which it compares, in all its blocks."""
    given = (value for kind in NODES for node in graph.findAllNodes(kind, recurse=True) for value in node.inputs())
    known = _flat(value.toIValue() for value in given)
    found = {number for number in known if type(number) is int and 2 < number <= LARGEST}
    return frozenset(sorted(found)[:MOST])
