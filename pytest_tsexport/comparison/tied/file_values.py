"""tied names, file -> copies: which tensors of a file have the value of a weight, whatever they are called there.

A name alone decides nothing: a wrapper may rename every part, and another model of the same class may come first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch

from pytest_tsexport.tensors.memory import digest, why_unreadable
from pytest_tsexport.tensors.named_tensors import Tensors
from pytest_tsexport.tensors.perturbation import NOISY, WHOLE

Likeness = Literal["equal", "cast", "cut", "padded", "transposed", "other shape", "other values"]

SAME: tuple[Likeness, ...] = ("equal", "cast", "cut", "padded")
"""What still is the model's weight, though rounded, shortened or lengthened."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A tensor of the file that is a copy of the weight with these names; `names` have one value."""

    key: str
    names: tuple[str, ...]
    how: Likeness


def value(tensor: torch.Tensor) -> str | None:
    """A hash of dtype, shape and numbers, whatever the strides are; None if they cannot be read."""
    if why_unreadable(tensor) is not None:
        return None
    one = tensor.detach()
    if one.layout == torch.strided and not one.is_nested and not hasattr(type(tensor), "__tensor_flatten__"):
        one = one.resolve_conj().resolve_neg().contiguous()
    return digest(one)


def likeness(ours: torch.Tensor, theirs: torch.Tensor) -> Likeness:
    """How a tensor of the file is like a weight of the model."""
    if value(ours) == value(theirs):
        return "equal"
    unlike: Likeness = "other values" if ours.shape == theirs.shape else "other shape"
    if not _is_dense(ours) or not _is_dense(theirs) or ours.is_complex() != theirs.is_complex():
        return unlike
    if ours.dim() == 2 and value(ours.mT) == value(theirs):
        return "transposed"
    if ours.shape != theirs.shape:
        return _part(ours, theirs) or unlike
    return "cast" if ours.dtype != theirs.dtype and _value_in(ours, theirs.dtype) == value(theirs) else unlike


def _is_dense(tensor: torch.Tensor) -> bool:
    """Whether it can be sliced, transposed and converted."""
    return tensor.layout == torch.strided and not tensor.is_nested and tensor.dtype in NOISY | WHOLE


@dataclass(frozen=True, eq=False)
class FileValues:
    """The tensors of the model and of the file, compared by value. `groups` are the names that are tied."""

    ours: Tensors
    theirs: Tensors
    groups: tuple[tuple[str, ...], ...]

    @cached_property
    def tied(self) -> tuple[str, ...]:
        """The names of all groups."""
        return tuple(name for names in self.groups for name in names)

    @cached_property
    def _in_sets(self) -> Mapping[tuple[str, str], Likeness]:
        """How the tensors that have the names of a group are like its weights, wherever the file has all names."""
        pairs = ((name, prefix + name) for names in self.groups for prefix in self.sets(names) for name in names)
        return {(name, key): likeness(self.ours[name], self.theirs[key]) for name, key in pairs}

    @cached_property
    def _values(self) -> Mapping[str, str | None]:
        return {name: value(self.ours[name]) for name in self.tied}

    @cached_property
    def _by_value(self) -> Mapping[str, list[str]]:
        """The names in the file by value; only tensors of a shape that a tied weight has are read."""
        shapes = {shape for name in self.tied for shape in (self.ours[name].shape, self.ours[name].shape[::-1])}
        found: dict[str, list[str]] = {}
        for key, tensor in self.theirs.items():
            if tensor.shape in shapes and (hashed := value(tensor)) is not None:
                found.setdefault(hashed, []).append(key)
        return found

    @cached_property
    def _dtypes(self) -> tuple[torch.dtype, ...]:
        return tuple(dict.fromkeys(tensor.dtype for tensor in self.theirs.values() if tensor.is_floating_point()))

    def sets(self, names: Sequence[str]) -> list[str]:
        """What comes before the names in the file wherever it has all of them: the wrappers around the model."""
        found = [key.removesuffix(names[0]) for key in self.by_name(names[0])]
        return [prefix for prefix in found if all(prefix + name in self.theirs for name in names)]

    def own_sets(self, names: Sequence[str]) -> list[str]:
        """Those of these sets that are this model's, and not of another model of its class.

        A set in which no weight has its value counts only if no tensor of the file has one of these values.
        """
        found = self.sets(names)
        own = [prefix for prefix in found if any(self.how(name, prefix + name) in SAME for name in names)]
        return own if own or any(True for name in names for _ in self._found(name)) else found[:1]

    def how(self, name: str, key: str) -> Likeness:
        """How this tensor of the file is like this weight."""
        known = self._in_sets.get((name, key))
        return known or likeness(self.ours[name], self.theirs[key])

    def copies(self, names: Sequence[str]) -> tuple[Copy, ...]:
        """Every tensor of the file that may stand for one of the names of a group, those with its names first.

        A tensor that has the name of another weight, under a prefix that fits the group, is that other weight.
        """
        fitting = self.sets(names)
        others = {prefix + other for prefix in fitting for other in self.ours if other not in names}
        found: dict[str, Copy] = {}
        for prefix in fitting:
            for name in names:
                how = self.how(name, prefix + name)
                if how in SAME:
                    found[prefix + name] = Copy(prefix + name, self.alike(name, names), how)
        for name in names:
            for key, how in self._found(name):
                if key not in others:
                    found.setdefault(key, Copy(key, self.alike(name, names), how))
        return tuple(found.values())

    def is_ambiguous(self, name: str, names: Sequence[str]) -> bool:
        """Whether a weight outside the group has the same value, as biases of zeros have."""
        mine = self._values[name]
        shape, dtype = self.ours[name].shape, self.ours[name].dtype
        return any(
            one.shape == shape and one.dtype == dtype and value(one) == mine
            for other, one in self.ours.items()
            if other not in names
        )

    def stand_for(self, keys: Sequence[str], names: Sequence[str]) -> bool:
        """Whether one of these tensors of the file has the value, or the name, of one of these weights."""
        alike = {key for name in names for key, _ in self._found(name)} | {
            key for n in names for key in self.by_name(n)
        }
        return not alike.isdisjoint(keys)

    def value_of(self, name: str) -> str | None:
        """The value of a tied weight of the model."""
        return self._values[name]

    def by_name(self, name: str) -> Iterator[str]:
        """The tensors of the file that end with a name, whatever their value is."""
        return (key for key in self.theirs if key == name or key.endswith(f".{name}"))

    def alike(self, name: str, names: Sequence[str]) -> tuple[str, ...]:
        """The names of a group that have the value of this one, in the order of the group."""
        mine = self._values[name]
        return tuple(other for other in names if other == name or (mine is not None and self._values[other] == mine))

    def _found(self, name: str) -> Iterator[tuple[str, Likeness]]:
        ours = self.ours[name]
        yield from ((key, "equal") for key in self._by_value.get(self._values[name] or "", ()))
        if not ours.is_floating_point() or not _is_dense(ours):
            return
        for dtype in self._dtypes:
            hashed = _value_in(ours, dtype) if dtype != ours.dtype else None
            yield from ((key, "cast") for key in self._by_value.get(hashed or "", ()))
        if ours.dim() == 2:
            yield from ((key, "transposed") for key in self._by_value.get(value(ours.mT) or "", ()))


def _value_in(tensor: torch.Tensor, dtype: torch.dtype) -> str | None:
    """The value of a tensor in another dtype; None if torch does not convert the one to the other (to float4)."""
    try:
        return value(tensor.to(dtype))
    except (NotImplementedError, RuntimeError):
        return None


def _part(ours: torch.Tensor, theirs: torch.Tensor) -> Likeness | None:
    """Whether one is the leading part of the other, in the file's dtype."""
    if ours.dim() != theirs.dim() or not ours.numel() or not theirs.numel():
        return None
    sizes = list(zip(ours.shape, theirs.shape, strict=True))
    if all(mine >= other for mine, other in sizes):
        cut = ours[tuple(slice(0, size) for size in theirs.shape)]
        return "cut" if _value_in(cut, theirs.dtype) == value(theirs) else None
    if all(mine <= other for mine, other in sizes):
        same = _value_in(ours, theirs.dtype) == value(theirs[tuple(slice(0, size) for size in ours.shape)])
        return "padded" if same else None
    return None
