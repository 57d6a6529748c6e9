"""tied names, file -> copies: which tensors of a file have the value of a weight, whatever they are called there.

A name alone decides nothing: a wrapper may rename every part, and another model of the same class may come first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from pytest_tsexport.comparison.tied.forms import (
    AS_IT_IS,
    REMADE,
    SAME,
    Form,
    Likeness,
    is_dense,
    is_distinct,
    likeness,
    remade,
    value,
    value_in,
)
from pytest_tsexport.tensors.named_tensors import Tensors

HELD = (*SAME, *REMADE)
"""What has the elements of the model's weight."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A tensor of the file that is a copy of the weight with these names; `names` have one value."""

    key: str
    names: tuple[str, ...]
    how: Likeness
    form: Form = AS_IT_IS


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
    def _in_sets(self) -> Mapping[tuple[str, str], tuple[Likeness, Form]]:
        """How the tensors that have the names of a group are like its weights, wherever the file has all names."""
        pairs = ((name, prefix + name) for names in self.groups for prefix in self.sets(names) for name in names)
        return {(name, key): likeness(self.ours[name], self.theirs[key]) for name, key in pairs}

    @cached_property
    def _values(self) -> Mapping[str, str | None]:
        return {name: self._value(name) for name in self.tied}

    @cached_property
    def _by_value(self) -> Mapping[str, list[str]]:
        """The names in the file by value; only tensors of a shape that a tied weight has are read."""
        shapes = {self.ours[name].shape for name in self.tied}
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
        own = [prefix for prefix in found if any(self.how(name, prefix + name) in HELD for name in names)]
        return own if own or any(True for name in names for _ in self._found(name)) else found[:1]

    def how(self, name: str, key: str) -> Likeness:
        """How this tensor of the file is like this weight."""
        return self.form(name, key)[0]

    def form(self, name: str, key: str) -> tuple[Likeness, Form]:
        """The same, and the form in which the tensor has the weight's elements."""
        return self._in_sets.get((name, key)) or likeness(self.ours[name], self.theirs[key])

    def copies(self, names: Sequence[str]) -> tuple[Copy, ...]:
        """Every tensor of the file that may stand for one of the names of a group, those with its names first.

        A tensor that has the name of another weight, under a prefix that fits the group, is that other weight.
        """
        fitting = self.sets(names)
        others = {prefix + other for prefix in fitting for other in self.ours if other not in names}
        found: dict[str, Copy] = {}
        for prefix in fitting:
            for name in names:
                how, form = self.form(name, prefix + name)
                if how in HELD:
                    found[prefix + name] = Copy(prefix + name, self.alike(name, names), how, form)
        for name in names:
            for key, how, form in self._found(name):
                if key not in others:
                    found.setdefault(key, Copy(key, self.alike(name, names), how, form))
        return tuple(found.values())

    def is_ambiguous(self, name: str, names: Sequence[str]) -> bool:
        """Whether a weight outside the group has the same value, as biases of zeros have."""
        return any(True for _ in self.equal_others(name, names))

    def equal_others(self, name: str, names: Sequence[str]) -> Iterator[str]:
        """The weights outside a group that have the value of one of it."""
        mine = self._values[name]
        shape, dtype = self.ours[name].shape, self.ours[name].dtype
        for other, one in self.ours.items():
            if other not in names and one.shape == shape and one.dtype == dtype and self._value(other) == mine:
                yield other

    def _value(self, name: str) -> str | None:
        """The value of a tensor of the model, which is read once."""
        if name not in self._known_values:
            self._known_values[name] = value(self.ours[name])
        return self._known_values[name]

    @cached_property
    def _known_values(self) -> dict[str, str | None]:
        return {}

    def stand_for(self, keys: Sequence[str], names: Sequence[str]) -> bool:
        """Whether one of these tensors of the file has the value, or the name, of one of these weights."""
        alike = {key for name in names for key, *_ in self._found(name)} | {
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

    def _found(self, name: str) -> Iterator[tuple[str, Likeness, Form]]:
        ours = self.ours[name]
        yield from ((key, "equal", AS_IT_IS) for key in self._by_value.get(self._values[name] or "", ()))
        if not ours.is_floating_point() or not is_dense(ours):
            return
        for dtype in self._dtypes:
            hashed = value_in(ours, dtype) if dtype != ours.dtype else None
            yield from ((key, "cast", AS_IT_IS) for key in self._by_value.get(hashed or "", ()))
        yield from self._remade(self.alike(name, self.tied)[0])

    def _remade(self, name: str) -> Iterator[tuple[str, Likeness, Form]]:
        """The tensors that have all elements of a weight in another form; one for all names of one value."""
        if name not in self._known_forms:
            ours = self.ours[name]
            found = ((key, remade(ours, one, may_cut=False)) for key, one in self.theirs.items() if is_distinct(one))
            known = [(key, *form) for key, form in found if form is not None] if is_distinct(ours) else []
            self._known_forms[name] = known
        yield from self._known_forms[name]

    @cached_property
    def _known_forms(self) -> dict[str, list[tuple[str, Likeness, Form]]]:
        return {}
