"""inputs as the user gives them -> tensors with one name each, and how a call passes them: in dicts, lists or tuples.

A subject has named tensors and nothing else that varies. `{"features": {"input_ids": t}, "sr": 16000}` is one tensor,
`features.input_ids`; the dict and the number are part of each call. An `Item` describes what one argument is given: a
`Leaf` stands for a tensor, a `Container` holds items, and anything else is passed as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from pytest_tsexport.errors import InputsError

PLAIN = (bool, int, float, str, type(None))
"""What is passed as it is, and never varied."""

NOT_A_LETTER = re.compile(r"\W")


@dataclass(frozen=True, slots=True)
class Leaf:
    """The place of one tensor, by the name that it has in the subject."""

    name: str


@dataclass(frozen=True, slots=True)
class Container:
    """A mapping, a list or a tuple: its class, and the items in it by key; the keys of a sequence are positions."""

    kind: type
    parts: tuple[tuple[str, Any], ...]


Item = Any
"""A `Leaf`, a `Container`, or a value that is passed as it is: a number, a text, None."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gave: the tensors by name, and the item of each argument, in the order of `forward`."""

    tensors: dict[str, torch.Tensor]
    items: dict[str, Item]

    @property
    def constants(self) -> dict[str, Item]:
        """The items that are more than one tensor: they are passed to each call beside the tensors."""
        return {name: item for name, item in self.items.items() if item != Leaf(name)}


def given(values: Mapping[str, Any]) -> Given:
    """The tensors and the items of some arguments.

    Raises `InputsError`, one sentence, for a value that is not a tensor, a number or a container of them.
    """
    tensors: dict[str, torch.Tensor] = {}
    items = {name: _item(name, value, tensors) for name, value in values.items()}
    if not tensors:
        raise InputsError("inputs holds no tensor; give {argument name: tensor} for what varies from call to call")
    return Given(tensors, items)


def keywords(inputs: Mapping[str, Any], constants: Mapping[str, Item]) -> dict[str, Any]:
    """The keyword arguments of one call of the model: each tensor in its place, and what is passed beside them."""
    placed = {name for item in constants.values() for name in leaves(item)}
    plain = {name: tensor for name, tensor in inputs.items() if name not in placed}
    return {**plain, **{name: filled(item, inputs) for name, item in constants.items()}}


def filled(item: Item, inputs: Mapping[str, Any]) -> Any:
    """What one argument is passed, with the tensors of `inputs` in their places."""
    if isinstance(item, Leaf):
        return inputs[item.name]
    if not isinstance(item, Container):
        return item
    values = {key: filled(part, inputs) for key, part in item.parts}
    if issubclass(item.kind, Mapping):
        return item.kind(values)  # type: ignore[call-arg]
    return item.kind._make(values.values()) if hasattr(item.kind, "_make") else item.kind(values.values())  # type: ignore[call-arg]


def leaves(item: Item) -> Iterator[str]:
    """The names of the tensors in an item."""
    if isinstance(item, Leaf):
        yield item.name
    elif isinstance(item, Container):
        for _, part in item.parts:
            yield from leaves(part)


def numbers(items: Mapping[str, Item]) -> dict[str, Item]:
    """The items without a tensor in them. They do not vary: a trace freezes them."""
    return {name: item for name, item in items.items() if not any(leaves(item))}


def unpacked(item: Item, value: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors by name in a value that has the form of the item: the inverse of `filled`."""
    if isinstance(item, Leaf):
        yield item.name, value
    elif isinstance(item, Container):
        for place, (key, part) in enumerate(item.parts):
            yield from unpacked(part, value[key if issubclass(item.kind, Mapping) else place])


def flat_shapes(items: Mapping[str, Item], shapes: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """`dynamic_shapes` by the names of the tensors; torch.export nests them as the arguments are nested.

    None for a number, or for a dict of tensors, says that nothing of it varies, as in torch.export.
    """
    if shapes is None:
        return None
    return dict(_flat(items, {name: one for name, one in shapes.items() if one is not None or name not in items}))


def flat_values(items: Mapping[str, Item], values: Any, what: str) -> Any:
    """An example by the names of the tensors; the path of a file as it is.

    Raises `InputsError` for a number that is not the one of the inputs: it would be another export.
    """
    if not isinstance(values, Mapping):
        return values
    for name, value in values.items():
        item = items.get(name)
        if name in items and not isinstance(item, (Leaf, Container)) and (type(value), value) != (type(item), item):
            raise InputsError(
                f"{what}[{name!r}] is {value!r}, and inputs has {item!r}; numbers do not vary in one test"
            )
    return {name: value for name, value in _flat(items, values) if isinstance(items.get(name, Leaf(name)), Leaf)}


def _flat(items: Mapping[str, Item], values: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        item, name = items.get(key), f"{within}{key}"
        if isinstance(item, Container) and isinstance(value, (Mapping, list, tuple)):
            keys = [key for key, _ in item.parts]
            parts = value if isinstance(value, Mapping) else dict(zip(keys, value, strict=False))
            yield from _flat(dict(item.parts), parts, f"{name}.")
        else:
            yield name, value


def identifiers(names: Sequence[str]) -> list[str]:
    """Names of arguments for these tensors, in their order: `features.input_ids` becomes `features_input_ids`."""
    made: list[str] = []
    for name in names:
        plain = NOT_A_LETTER.sub("_", name)
        while plain in made:
            plain += "_"
        made.append(plain)
    return made


def packed_arguments(items: Mapping[str, Item], names: Sequence[str]) -> dict[str, Item]:
    """The arguments of an export that takes the containers of the model, for the tensors of these names.

    TorchScript has dicts and lists of one type, and tuples; a container that it cannot take is split into its tensors.
    """
    placed = {name: argument for argument, item in items.items() for name in leaves(item)}
    found: dict[str, Item] = {}
    for name, plain in zip(names, identifiers(names), strict=True):
        argument = placed.get(name, name)
        packed = _packed(items.get(argument, Leaf(name)))
        if isinstance(packed, Container):
            found[argument] = packed
        else:
            found[plain] = Leaf(name)
    return found


def _packed(item: Item) -> Item:
    """The item in containers that TorchScript has; None if it has none, or if a part of it is no tensor."""
    if not isinstance(item, Container):
        return item if isinstance(item, Leaf) else None
    parts = [(key, part) for key, part in item.parts if isinstance(part, (Leaf, Container))]
    if not issubclass(item.kind, tuple):
        alike = parts and all(isinstance(part, Leaf) for _, part in parts)
        kind = dict if issubclass(item.kind, Mapping) else list
        return Container(kind, tuple(parts)) if alike and len(parts) == len(item.parts) else None
    inner = [(key, _packed(part)) for key, part in item.parts]
    return Container(tuple, tuple(inner)) if all(part is not None for _, part in inner) else None


def _item(name: str, value: Any, tensors: dict[str, torch.Tensor]) -> Item:
    if isinstance(value, torch.Tensor):
        if not value.numel():
            raise InputsError(f"inputs[{name!r}] is empty, of shape {tuple(value.shape)}; give at least one element")
        if name in tensors:
            raise InputsError(f"inputs holds two tensors that are both called {name}; name the keys without dots")
        tensors[name] = value
        return Leaf(name)
    if isinstance(value, PLAIN):
        return value
    return Container(
        _kind(name, value), tuple((key, _item(f"{name}.{key}", one, tensors)) for key, one in _parts(value))
    )


def _kind(name: str, value: Any) -> type:
    """The class that a container is made of again for each call."""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return dict if isinstance(value, dict) else type(value)
    if isinstance(value, (list, tuple)):
        return type(value)
    what = f"inputs[{name!r}] is of type {type(value).__name__}"
    if isinstance(value, Mapping):
        what = f"inputs[{name!r}] is a dict with keys that are not texts"
    raise InputsError(f"{what}; give a tensor, a number, or a dict, list or tuple of tensors")


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    else:
        yield from zip(getattr(value, "_fields", map(str, range(len(value)))), value, strict=True)
