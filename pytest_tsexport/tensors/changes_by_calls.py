"""changes by an export, changes by plain calls -> those that the export alone explains.

A model may change itself when it is called: it counts, caches, builds a table. An exporter has to call it. So a change
is left out if a plain call of a copy changes the same entry to a value of the same kind: another count, a table of
another length. A flag or a name must be one that the call leaves there. A change that the next call undoes is left
out too.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Number

import torch

from pytest_tsexport.tensors.changes import Change, same
from pytest_tsexport.tensors.memory import digest
from pytest_tsexport.tensors.record import Opened, Record, TensorRecord, Value

DEPTH = 6
"""Levels of containers and plain objects in which kinds are compared."""


def unexplained(found: Sequence[Change], by_calls: Sequence[Change]) -> tuple[Change, ...]:
    """The changes in `found` that are not of a kind that calls make, as `by_calls` shows it."""
    return tuple(
        change
        for change in found
        if not _is_traced_size(change) and not any(_explains(call, change) for call in by_calls)
    )


def lasting(found: Sequence[Change], copied: Sequence[Change], called: Sequence[Change]) -> tuple[Change, ...]:
    """The changes in `found` that a call does not undo.

    `copied` are the differences between a copy of the model before the export and one of the model after it, and
    `called` those after one call of each, in evaluation mode. A cache that an exporter emptied is full in both by then.
    What the copies do not show at all, such as a training mode or a parameter that they share, was not undone.
    """
    return tuple(change for change in found if not _is_among(copied, change) or _is_among(called, change))


def _is_among(changes: Sequence[Change], change: Change) -> bool:
    """Whether one of them is of the same entry, of a part of it or of what it is a part of."""
    return any(_is_within(one.path, change.path) or _is_within(change.path, one.path) for one in changes)


def _is_within(name: str, other: str) -> bool:
    return name == other or name.startswith(f"{other}.")


def _explains(call: Change, change: Change) -> bool:
    if call.path == change.path:
        return _alike(call.after, change.after)
    if not (call.in_container and change.in_container and call.owner == change.owner):
        return False
    # A list to which each call adds an element has more of them after more calls.
    return (call.before is None) == (change.before is None) and _alike(
        call.after or call.before, change.after or change.before
    )


def _is_traced_size(change: Change) -> bool:
    """Whether a whole number became a tensor of the same value: a model that is traced meets its sizes as tensors."""
    was, now = change.before, change.after
    if not (isinstance(was, Value) and isinstance(was.value, int) and isinstance(now, TensorRecord)):
        return False
    dtype = torch.bool if was.kind is bool else torch.int64
    return abs(was.value) < 2**63 and now.digest == digest(torch.tensor(was.value, dtype=dtype))


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
    # While it is traced, a model meets its sizes as tensors of no dimension.
    sizes = [part for part in (one, other) if isinstance(part, TensorRecord) and not part.shape]
    return len(sizes) == 1 and any(isinstance(part, Value) and issubclass(part.kind, Number) for part in (one, other))


def _kind(tensor: TensorRecord) -> tuple[object, ...]:
    return tensor.role, tensor.dtype, tensor.device, tensor.requires_grad, tensor.is_inference, len(tensor.shape)


def _is_number(value: Value) -> bool:
    return issubclass(value.kind, Number) and not issubclass(value.kind, bool)
