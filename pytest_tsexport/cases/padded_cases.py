"""subject -> padded cases: shorter inputs, padded up to the traced size in every way that callers use."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

import torch

from pytest_tsexport.cases.case import at, tensors
from pytest_tsexport.subjects.fields import Axis, Field
from pytest_tsexport.subjects.reference import Inputs
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import Leaves

SIDES = ("right", "left")

SEEDS = 2
"""Draws of each length. The cases of the first one are essential: they are judged whatever the budget is."""

FILLERS = {"pad": "by the pad id", "other": "by another id", "zeros": "by zeros"}
"""What fills the padded part, and how messages describe it."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Way:
    """One way of padding: along which axis, on which side, with what, and whether the mask marks it.

    If it does not, the mask is that of a text of full length, as with callers who send no mask.
    """

    axis: Axis
    side: str
    filler: str
    masked: bool

    def __str__(self) -> str:
        return describe_ways([self])


@dataclass(frozen=True, slots=True, eq=False)
class Short:
    """Inputs that are shorter along one axis than the traced ones. They hold tensors, so they equal only themselves."""

    axis: Axis
    length: int
    inputs: Inputs
    essential: bool = False


def ways(subject: Subject) -> Iterator[Way]:
    """Every way along every axis that is padded, the usual ones first."""
    for axis in subject.axes:
        along = [field for field in subject.fields if axis.name in field.dims]
        # A mask of the batch, and ids with one in a row, have the batch as their last dimension: no text ends there.
        ending = [field.domain for field in along if axis.name == field.dims[-1]]
        masks = (True, False) if any(domain.marks_padding for domain in ending) else (False,)
        if axis.name == "batch" or axis.size < 2 or _is_coupled(axis, subject):
            continue
        if any(domain.text_fillers for domain in ending):
            fillers = dict.fromkeys(filler for field in along for filler in field.domain.text_fillers)
            yield from (Way(axis, side, filler, masked) for masked, filler, side in product(masks, fillers, SIDES))
        elif masks[0] and any(field.domain.pads_with_zeros and axis.name in field.dims[1:] for field in along):
            yield from (Way(axis, side, "zeros", masked=True) for side in SIDES)


def describe_ways(chosen: Iterable[Way]) -> str:
    """`sequence on the right with or without mask, on the left with mask; decoder_sequence on the right with mask`.

    The filler is named only if it matters.
    """
    by_axis: dict[str, list[Way]] = {}
    for way in chosen:
        by_axis.setdefault(way.axis.name, []).append(way)
    return "; ".join(f"{name} {', '.join(_phrases(those))}" for name, those in by_axis.items())


def shorter(subject: Subject) -> Iterator[Short]:
    """The inputs that are padded: each axis at its smallest size, at half of the traced one, and at one less.

    Text has none of the ids that it will be padded with.
    """
    axes = dict.fromkeys(way.axis for way in ways(subject))
    places = range(max((len(lengths(axis)) for axis in axes), default=0))
    for seed, place, axis in product(range(SEEDS), places, axes):
        if place < len(lengths(axis)):
            length = lengths(axis)[place]
            inputs = tensors(at(subject, {axis.name: length}, seed=500 + seed), subject)
            text = {field.name: field.domain.without_fillers(inputs[field.name]) for field in subject.fields}
            yield Short(axis, length, text, essential=seed == 0)


def lengths(axis: Axis) -> list[int]:
    """The sizes that are padded: the smallest one, half of the traced one, and the traced one minus 1."""
    sizes = {max(axis.low, 1), max(axis.size // 2, axis.low, 1), axis.size - 1}
    return sorted({fits for size in sizes if axis.low <= (fits := axis.fitting(size)) < axis.size})


def padded(subject: Subject, short: Short, way: Way) -> Inputs:
    """The same inputs, padded up to the traced size."""
    return {field.name: _padded(short.inputs[field.name], field, way) for field in subject.fields}


def real(leaves: Leaves, plain: Leaves, short: Short, way: Way) -> Leaves:
    """The leaves of a padded answer at real positions: every dimension that is longer than in `plain` is cut."""
    return {name: _real(leaf, plain[name], short, way) if name in plain else leaf for name, leaf in leaves.items()}


def _is_coupled(axis: Axis, subject: Subject) -> bool:
    """Whether its size depends on another axis, or another on it: to pad one alone makes inputs that do not fit."""
    followed = {name for one in subject.axes if one.rule for _, names in one.rule.terms for name in names}
    return axis.rule is not None or axis.name in followed


def _phrases(those: Iterable[Way]) -> Iterator[str]:
    for fillers, places in _alike(((way.side, way.masked), way.filler) for way in those).items():
        filled = "" if len(fillers) > 1 else f" {FILLERS[fillers[0]]}"
        for masks, sides in _alike(places).items():
            side = "either side" if len(sides) > 1 else f"the {sides[0]}"
            mask = "with or without" if len(masks) > 1 else "with" if masks[0] else "without"
            yield f"on {side} {mask} mask{filled}"


def _alike(pairs: Iterable[tuple[Key, Value]]) -> dict[tuple[Value, ...], list[Key]]:
    """Groups of keys with the same values, by these values."""
    values: dict[Key, list[Value]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    alike: dict[tuple[Value, ...], list[Key]] = {}
    for key, those in values.items():
        alike.setdefault(tuple(those), []).append(key)
    return alike


def _padded(tensor: torch.Tensor, field: Field, way: Way) -> torch.Tensor:
    for place, dim in enumerate(field.dims):
        if dim == way.axis.name:
            shape = list(tensor.shape)
            shape[place] = way.axis.size - tensor.shape[place]
            filler = torch.full(shape, field.domain.filler(way.filler, masked=way.masked), dtype=tensor.dtype)
            tensor = torch.cat([tensor, filler] if way.side == "right" else [filler, tensor], dim=place)
    return tensor


def _real(leaf: torch.Tensor, plain: torch.Tensor, short: Short, way: Way) -> torch.Tensor:
    if plain.dim() != leaf.dim():
        return leaf
    for place, (size, want) in enumerate(zip(leaf.shape, plain.shape, strict=True)):
        rows = size // way.axis.size
        if place == 0 and rows > 1 and (size, want) == (rows * way.axis.size, rows * short.length):
            # Rows end to end, as routers answer: each row has its own padded part.
            leaf = _cut(leaf.unflatten(0, (rows, way.axis.size)), 1, short.length, way).flatten(0, 1)
        elif size > want:
            leaf = _cut(leaf, place, want, way)
    return leaf


def _cut(leaf: torch.Tensor, place: int, want: int, way: Way) -> torch.Tensor:
    return leaf.narrow(place, 0 if way.side == "right" else leaf.shape[place] - want, want)
