"""subject -> padded cases: shorter inputs, and the same ones padded up to the traced size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from pytest_tsexport.generation.cases import at, tensors
from pytest_tsexport.subjects.fields import Axis, Field
from pytest_tsexport.subjects.reference import Inputs
from pytest_tsexport.subjects.subject import Subject

SIDES = ("right", "left")


@dataclass(frozen=True, slots=True)
class Way:
    """One way of padding: `sequence` on the right, with the mask that says so or by the pad id alone."""

    axis: Axis
    side: str
    masked: bool

    def __str__(self) -> str:
        return f"{self.axis.name} on the {self.side}, {'with' if self.masked else 'without'} mask"


def ways(subject: Subject) -> Iterator[Way]:
    """Every axis along which ids run (the last of theirs), on each side; masked where a mask runs along it too."""
    for axis in subject.axes:
        along = [field for field in subject.fields if axis.name in field.dims[-1:]]
        if axis.name != "batch" and axis.size > 1 and any(field.domain.kind == "ids" for field in along):
            masked = any(field.domain.kind == "mask" for field in along)
            yield from (Way(axis, side, masked) for side in SIDES)


def lengths(axis: Axis) -> list[int]:
    """The sizes that are padded: the smallest, half of the traced one, one less than it."""
    sizes = {max(axis.low, 1), max(axis.size // 2, axis.low, 1), axis.size - 1}
    return sorted(size for size in sizes if axis.low <= size < axis.size)


def padded_pair(subject: Subject, way: Way, length: int, seed: int) -> tuple[Inputs, Inputs]:
    """The same inputs unpadded and padded. Text holds no pad id, so none is drawn."""
    short = tensors(at(subject, {way.axis.name: length}, seed=500 + seed), subject)
    for field in subject.fields:
        if field.domain.kind == "ids" and field.domain.high - field.domain.low > 1:
            short[field.name] = _without_pad(short[field.name], field)
    return short, {field.name: _padded(short[field.name], field, way) for field in subject.fields}


def _without_pad(ids: torch.Tensor, field: Field) -> torch.Tensor:
    domain = field.domain
    others = (other for other in range(domain.low, domain.high) if other not in (domain.pad, domain.last))
    return torch.where(ids == domain.pad, torch.tensor(next(others, domain.pad), dtype=ids.dtype), ids)


def _padded(tensor: torch.Tensor, field: Field, way: Way) -> torch.Tensor:
    if way.axis.name not in field.dims:
        return tensor
    place = field.dims.index(way.axis.name)
    shape = list(tensor.shape)
    shape[place] = way.axis.size - tensor.shape[place]
    filler = torch.full(shape, field.domain.pad if field.domain.kind == "ids" else 0, dtype=tensor.dtype)
    return torch.cat([tensor, filler] if way.side == "right" else [filler, tensor], dim=place)
