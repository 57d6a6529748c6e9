"""whole numbers, dimensions -> domains: values that follow a size, found by asking eager.

The longest of some lengths must be the length of another input; lengths must add up to it; indices must lie within it.
If a size alone is refused, or lengths stay as they are while an axis becomes shorter, eager says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch

from pytest_tsexport.subjects.domains.lengths import FullLengths, Lengths, Parts
from pytest_tsexport.subjects.inquiry import Dimension, Inquiry

OFFSETS = (0, -1, 1)
"""By how much the largest value may be off the size: a length, the last index, a length with an end token."""

MOST_VALUES = 4096
"""Larger inputs hold ids or pictures, and no lengths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What eager accepts: `domains` by input, and the `dimensions` that vary with their values."""

    domains: Mapping[str, Lengths] = field(default_factory=dict)
    dimensions: tuple[Dimension, ...] = ()


def bound_values(refused: Sequence[Dimension], free: Sequence[Dimension], inquiry: Inquiry) -> Bound:
    """Values that must follow the size of a refused dimension, and values that a free one bounds."""
    domains: dict[str, Lengths] = {}
    moved = []
    for dimension in refused:
        for name, domain in _following(dimension, inquiry):
            if name not in domains:
                domains[name] = domain
                moved.append(dimension)
                break
    moved += [one for one in refused if one not in moved and _is_recut(one, inquiry, domains)]
    for dimension in (*free, *moved):
        for name, domain in _bounded(dimension, inquiry, domains):
            domains.setdefault(name, domain)
    return Bound(domains=domains, dimensions=tuple(moved))


def _whole(inquiry: Inquiry) -> Iterator[tuple[str, torch.Tensor]]:
    for name, tensor in inquiry.inputs.items():
        is_whole = not (tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool)
        if is_whole and 0 < tensor.numel() <= MOST_VALUES:
            yield name, tensor


def _following(dimension: Dimension, inquiry: Inquiry) -> Iterator[tuple[str, Lengths]]:
    """Inputs whose values make eager accept the dimension at other sizes, if they grow as it does."""
    for name, given in _whole(inquiry):
        low = min(int(given.min()), 1)
        for offset in OFFSETS:
            is_size = int(given.max()) == dimension.size + offset
            if is_size and _accepts_all(dimension, name, partial(_longest, given), inquiry):
                every = _is_every(dimension, name, given, inquiry)
                full = FullLengths(dtype=given.dtype, axis=dimension.name, low=low, offset=offset, every=every)
                yield name, full
        is_sum = given.numel() > 1 and int(given.sum()) == dimension.size
        if is_sum and _accepts_all(dimension, name, partial(_last, given), inquiry):
            yield name, Parts(dtype=given.dtype, axis=dimension.name, low=low)


def _accepts_all(dimension: Dimension, name: str, grown: Callable[[int], torch.Tensor], inquiry: Inquiry) -> bool:
    """Whether eager accepts the dimension and the values at two further sizes."""
    return all(inquiry.accepts({dimension: dimension.size + more}, {name: grown(more)}) for more in (1, 2))


def _longest(given: torch.Tensor, more: int) -> torch.Tensor:
    return torch.where(given == given.max(), given + more, given).to(given.dtype)


def _last(given: torch.Tensor, more: int) -> torch.Tensor:
    values = given.flatten().clone()
    values[-1] += more
    return values.view(given.shape)


def _is_recut(dimension: Dimension, inquiry: Inquiry, domains: Mapping[str, Lengths]) -> bool:
    """Whether eager takes more parts if they still add up: the longest part becomes so much shorter."""
    recut = {}
    for name, place in dimension.places:
        if isinstance(domains.get(name), Parts):
            given = inquiry.inputs[name]
            values = torch.cat([given, given.narrow(place, 0, 1)], dim=place)
            values.view(-1)[int(values.argmax())] -= values.sum() - given.sum()
            recut[name] = values
    return bool(recut) and inquiry.accepts({dimension: dimension.size + 1}, recut)


def _is_every(dimension: Dimension, name: str, given: torch.Tensor, inquiry: Inquiry) -> bool:
    """Whether every value must follow: so it is if all are alike, and eager refuses one that is smaller."""
    if given.numel() == 1 or int(given.min()) != int(given.max()):
        return given.numel() == 1
    return not inquiry.accepts({dimension: dimension.size}, {name: _last(given, -1)})


def _bounded(dimension: Dimension, inquiry: Inquiry, known: Mapping[str, Lengths]) -> Iterator[tuple[str, Lengths]]:
    """Inputs whose values may not exceed a shorter dimension: eager refuses it with them, and accepts it without."""
    shorter = max(dimension.size // 2, 1)
    near = [
        (name, given)
        for name, given in _whole(inquiry)
        if name not in known and shorter - 1 <= int(given.max()) <= dimension.size
    ]
    if not near or shorter == dimension.size or inquiry.accepts({dimension: shorter}):
        return
    for name, given in near:
        for offset in (0, -1):
            if inquiry.accepts({dimension: shorter}, {name: given.clamp(max=shorter + offset)}):
                low = min(int(given.min()), 1)
                yield name, Lengths(dtype=given.dtype, axis=dimension.name, low=low, offset=offset)
                break
