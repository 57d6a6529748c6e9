"""Flattens a nested output to named leaves. Eager and the artifact get the same names.

A single tensor is named `output`. The leaves of a tuple are `0`, `1`, …; those of a mapping, a `ModelOutput` or a
dataclass have its keys; deeper ones are joined by dots (`hidden_states.0`). `None` is not a leaf. A Python number
becomes a tensor, so that an export that has frozen the number is found.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import torch

Leaves = Mapping[str, torch.Tensor]

CPU = torch.device("cpu")


def flatten(output: object) -> dict[str, torch.Tensor]:
    """The leaves of a nested output by name, in order.

    Raises `TypeError` for a leaf that is not a tensor, a number or `None` (a string, a cache object).
    """
    return {name or "output": leaf for name, leaf in _walk("", output)}


def _walk(name: str, value: object) -> Iterator[tuple[str, torch.Tensor]]:
    if value is None:
        return
    if isinstance(value, torch.Tensor):
        if value.layout != torch.strided:
            raise TypeError(f"output {name or 'itself'} is {value.layout}, which no check can compare; make it dense")
        if value.is_meta:
            raise TypeError(f"output {name or 'itself'} is on the meta device, which holds no values to compare")
        if value.is_quantized:
            raise TypeError(f"output {name or 'itself'} is {value.dtype}, which no check can compare; dequantize it")
        yield name, value
    elif isinstance(value, (bool, int, float)):
        yield name, torch.tensor(value)
    else:
        for key, child in _children(name, value):
            yield from _walk(f"{name}.{key}" if name else key, child)


def structure(output: object) -> dict[str, str]:
    """What a nested output is made of besides its tensors, by name and in order; the name of the whole is empty.

    Callers rely on it too: they unpack tuples, and read a number or `None` as it is. The kinds are `tuple`, `list`,
    `named tuple of a, b`, `dict` (`dict by int` if its keys are no texts), `dataclass`, `None`, `bool`, `int` and
    `float`; an output that is one tensor is a `tensor`. Raises `TypeError` as `flatten` does.
    """
    return {"": "tensor"} if isinstance(output, torch.Tensor) else dict(_nodes("", output))


def _nodes(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, torch.Tensor):
        return
    if value is None or isinstance(value, (bool, int, float)):
        yield name, "None" if value is None else type(value).__name__
        return
    children = list(_children(name, value))
    yield name, _kind(value)
    for key, child in children:
        yield from _nodes(f"{name}.{key}" if name else key, child)


def _kind(value: object) -> str:
    """The kind of a container."""
    if isinstance(value, Mapping):
        keys = sorted({type(key).__name__ for key in value} - {"str"})
        return f"dict by {' and '.join(keys)}" if keys else "dict"
    if isinstance(value, tuple):
        fields = getattr(value, "_fields", None)
        return "tuple" if fields is None else f"named tuple of {', '.join(fields)}"
    return "list" if isinstance(value, Sequence) else "dataclass"


def _children(name: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from ((str(key), child) for key, child in value.items())
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        yield from zip(value._fields, value, strict=True)
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        yield from ((str(index), child) for index, child in enumerate(value))
    elif dataclasses.is_dataclass(value):
        yield from ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    else:
        raise TypeError(f"output {name or 'itself'} is a {type(value).__name__}, which is not a tensor")


def renamed(output: object, names: Sequence[str]) -> dict[str, torch.Tensor]:
    """The leaves of an artifact's output, named and ordered as in eager's `names`.

    If the output has the same names in another order, only the order changes. If the names differ, a mapping keeps its
    names, and a tuple of the same length is matched by position. A tuple of another length keeps its positions as
    names, so that the comparison says what is missing.
    """
    leaves = flatten(output)
    if set(leaves) == set(names) and (isinstance(output, Mapping) or not all(name.isdigit() for name in names)):
        return {name: leaves[name] for name in names}
    if isinstance(output, Mapping) or len(leaves) != len(names):
        return leaves
    return dict(zip(names, leaves.values(), strict=True))


def detached(leaves: Leaves) -> dict[str, torch.Tensor]:
    """Copies that a later call cannot overwrite, with the same strides: code may ask how a tensor lies in memory."""
    return {name: _copied(leaf.detach()) for name, leaf in leaves.items()}


def on_cpu(leaves: Leaves) -> dict[str, torch.Tensor]:
    """The same tensors on the CPU, where answers are compared; those that are there already as they are."""
    return {name: leaf.cpu() for name, leaf in leaves.items()}


def _copied(tensor: torch.Tensor) -> torch.Tensor:
    copied = tensor.clone()
    if tensor.layout != torch.strided or tensor.is_nested or copied.stride() == tensor.stride():
        return copied
    if tensor.is_meta or tensor.is_quantized or _overlaps(tensor):
        return copied
    reach = 1 + sum(stride * (size - 1) for stride, size in zip(tensor.stride(), tensor.shape, strict=True))
    memory = torch.zeros(reach, dtype=tensor.dtype, device=tensor.device)  # code may read what lies between
    return memory.as_strided(tensor.shape, tensor.stride()).copy_(copied)


def _overlaps(tensor: torch.Tensor) -> bool:
    """Whether two elements may share one place, as in an expanded tensor: such a copy cannot be written."""
    reach = 0
    for stride, size in sorted((stride, size) for stride, size in zip(tensor.stride(), tensor.shape, strict=True)):
        if size > 1:
            if stride <= reach:
                return True
            reach += stride * (size - 1)
    return False
