"""subject -> padded cases: shorter inputs, and the same padded up to the traced size in every way that callers do."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

import torch

from pytest_tsexport.cases.cases import at, tensors
from pytest_tsexport.subjects.fields import Axis, Domain, Field
from pytest_tsexport.subjects.reference import Inputs
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import Leaves

SIDES = ("right", "left")

SEEDS = 2

FILLERS = {"pad": "by the pad id", "other": "by another id", "zeros": "by zeros"}
"""What fills the padded part, and how that is told."""

ROOM = 4
"""Fewer ids than this are kinds of tokens and no text: there is none to spare, and none that a caller pads with."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Way:
    """One way of padding: along which axis, on which side, with what, and whether the mask says so.

    Where it does not, the mask is as of a text of full length: callers who send none pad so.
    """

    axis: Axis
    side: str
    filler: str
    masked: bool

    def __str__(self) -> str:
        return describe_ways([self])


@dataclass(frozen=True, slots=True)
class Short:
    """Inputs that are shorter along one axis than the traced ones."""

    axis: Axis
    length: int
    inputs: Inputs


def ways(subject: Subject) -> Iterator[Way]:
    """Every way along every axis that is padded, the usual ones first."""
    for axis in subject.axes:
        along = [field for field in subject.fields if axis.name in field.dims]
        # The mask of a batch, and ids of which a row holds one, run along the batch: no text ends there.
        ending = [field.domain for field in along if axis.name == field.dims[-1]]
        masks = (True, False) if any(domain.kind == "mask" for domain in ending) else (False,)
        if axis.name == "batch" or axis.size < 2:
            continue
        if any(domain.kind == "ids" for domain in ending):
            fillers = ("pad", "other") if any(_other(field.domain) is not None for field in along) else ("pad",)
            yield from (Way(axis, side, filler, masked) for masked, filler, side in product(masks, fillers, SIDES))
        elif masks[0] and any(field.domain.kind == "floats" and axis.name in field.dims[1:] for field in along):
            yield from (Way(axis, side, "zeros", masked=True) for side in SIDES)


def describe_ways(chosen: Iterable[Way]) -> str:
    """`sequence on the right with or without mask, on the left with mask; decoder_sequence on the right with mask`.

    What fills is said only where it matters.
    """
    by_axis: dict[str, list[Way]] = {}
    for way in chosen:
        by_axis.setdefault(way.axis.name, []).append(way)
    return "; ".join(f"{name} {', '.join(_phrases(those))}" for name, those in by_axis.items())


def shorter(subject: Subject) -> Iterator[Short]:
    """The inputs that are padded: along each axis at its smallest size, at half of the traced one, at one less.

    Text holds none of the ids that it will be padded with.
    """
    axes = dict.fromkeys(way.axis for way in ways(subject))
    places = range(max((len(lengths(axis)) for axis in axes), default=0))
    for seed, place, axis in product(range(SEEDS), places, axes):
        if place < len(lengths(axis)):
            length = lengths(axis)[place]
            inputs = tensors(at(subject, {axis.name: length}, seed=500 + seed), subject)
            yield Short(axis, length, {field.name: _text(inputs[field.name], field.domain) for field in subject.fields})


def lengths(axis: Axis) -> list[int]:
    """The sizes that are padded: the smallest, half of the traced one, one less than it."""
    sizes = {max(axis.low, 1), max(axis.size // 2, axis.low, 1), axis.size - 1}
    return sorted(size for size in sizes if axis.low <= size < axis.size)


def padded(subject: Subject, short: Short, way: Way) -> Inputs:
    """The same inputs, padded up to the traced size."""
    return {field.name: _padded(short.inputs[field.name], field, way) for field in subject.fields}


def real(leaves: Leaves, plain: Leaves, short: Short, way: Way) -> Leaves:
    """The leaves of a padded answer at real positions: along every dimension that is longer than in the plain one."""
    return {name: _real(leaf, plain[name], short, way) if name in plain else leaf for name, leaf in leaves.items()}


def _phrases(those: Iterable[Way]) -> Iterator[str]:
    for fillers, places in _alike(((way.side, way.masked), way.filler) for way in those).items():
        filled = "" if len(fillers) > 1 else f" {FILLERS[fillers[0]]}"
        for masks, sides in _alike(places).items():
            side = "either side" if len(sides) > 1 else f"the {sides[0]}"
            mask = "with or without" if len(masks) > 1 else "with" if masks[0] else "without"
            yield f"on {side} {mask} mask{filled}"


def _alike(pairs: Iterable[tuple[Key, Value]]) -> dict[tuple[Value, ...], list[Key]]:
    """The keys that go with the same values, by these."""
    values: dict[Key, list[Value]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    alike: dict[tuple[Value, ...], list[Key]] = {}
    for key, those in values.items():
        alike.setdefault(tuple(those), []).append(key)
    return alike


def _other(domain: Domain) -> int | None:
    """An id that callers may pad with and that is not the one for it: zero, one with a meaning, the lowest."""
    if domain.kind != "ids" or domain.high - domain.low < ROOM:
        return None
    candidates: tuple[int, ...] = (0, *domain.special, *range(domain.low, domain.high))
    taken = (domain.pad, domain.last)
    return next(one for one in candidates if domain.low <= one < domain.high and one not in taken)


def _text(drawn: torch.Tensor, domain: Domain) -> torch.Tensor:
    other = _other(domain)
    if other is None:
        return drawn
    instead = next(one for one in range(domain.low, domain.high) if one not in (domain.pad, other, domain.last))
    for filler in {domain.pad, other} - {domain.last}:
        drawn = torch.where(drawn == filler, torch.tensor(instead, dtype=drawn.dtype), drawn)
    return drawn


def _padded(tensor: torch.Tensor, field: Field, way: Way) -> torch.Tensor:
    for place, dim in enumerate(field.dims):
        if dim == way.axis.name:
            shape = list(tensor.shape)
            shape[place] = way.axis.size - tensor.shape[place]
            filler = torch.full(shape, _filler(field.domain, way), dtype=tensor.dtype)
            tensor = torch.cat([tensor, filler] if way.side == "right" else [filler, tensor], dim=place)
    return tensor


def _filler(domain: Domain, way: Way) -> int:
    if domain.kind == "mask":
        return 0 if way.masked else 1
    if domain.kind != "ids":
        return 0
    other = _other(domain)
    return domain.pad if other is None or way.filler == "pad" else other


def _real(leaf: torch.Tensor, plain: torch.Tensor, short: Short, way: Way) -> torch.Tensor:
    if plain.dim() != leaf.dim():
        return leaf
    for place, (size, want) in enumerate(zip(leaf.shape, plain.shape, strict=True)):
        rows = size // way.axis.size
        if place == 0 and rows > 1 and (size, want) == (rows * way.axis.size, rows * short.length):
            # Rows laid end to end, as routers answer: each has a padded part of its own.
            leaf = _cut(leaf.unflatten(0, (rows, way.axis.size)), 1, short.length, way).flatten(0, 1)
        elif size > want:
            leaf = _cut(leaf, place, want, way)
    return leaf


def _cut(leaf: torch.Tensor, place: int, want: int, way: Way) -> torch.Tensor:
    return leaf.narrow(place, 0 if way.side == "right" else leaf.shape[place] - want, want)
