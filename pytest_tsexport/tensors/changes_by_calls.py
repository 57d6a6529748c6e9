"""changes of an export, changes by plain calls -> those that no call explains.

A model may change itself when it is called: it counts, caches, builds a table. An exporter has to call it. So a change
is left out if a plain call of a copy changes the same entry to a value of the same kind: another count, a table of
another length. A flag or a name must be one that the call leaves there.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Number

from pytest_tsexport.tensors.changes import Change, same
from pytest_tsexport.tensors.record import Opened, Record, TensorRecord, Value

DEPTH = 6
"""Levels of containers and plain objects in which kinds are compared."""


def unexplained(found: Sequence[Change], by_calls: Sequence[Change]) -> tuple[Change, ...]:
    """The changes in `found` that are not of a kind that calls make, as `by_calls` shows it."""
    return tuple(change for change in found if not any(_explains(call, change) for call in by_calls))


def _explains(call: Change, change: Change) -> bool:
    if call.path == change.path:
        return _alike(call.after, change.after)
    if not (call.in_container and change.in_container and call.owner == change.owner):
        return False
    # A list to which each call adds an element has more of them after more calls.
    return (call.before is None) == (change.before is None) and _alike(
        call.after or call.before, change.after or change.before
    )


def _alike(one: Record | None, other: Record | None, depth: int = DEPTH) -> bool:
    """Whether two values are of one kind: numbers of one type, tensors of one dtype and rank, objects of one class."""
    if one is None or other is None:
        return one is other
    if same(one, other):
        return True
    if isinstance(one, TensorRecord) and isinstance(other, TensorRecord):
        return _kind(one) == _kind(other)
    if isinstance(one, Value) and isinstance(other, Value):
        return _is_number(one) and one.kind is other.kind
    if isinstance(one, Opened) and isinstance(other, Opened):
        common = one.parts.keys() & other.parts.keys()
        alike = depth == 0 or all(_alike(one.parts[name], other.parts[name], depth - 1) for name in common)
        return one.cls is other.cls and alike
    # A tracer gives sizes as tensors of no dimension.
    sizes = [part for part in (one, other) if isinstance(part, TensorRecord) and not part.shape]
    return len(sizes) == 1 and any(isinstance(part, Value) and _is_number(part) for part in (one, other))


def _kind(tensor: TensorRecord) -> tuple[object, ...]:
    return tensor.role, tensor.dtype, tensor.device, tensor.requires_grad, len(tensor.shape)


def _is_number(value: Value) -> bool:
    return issubclass(value.kind, Number) and not issubclass(value.kind, bool)
