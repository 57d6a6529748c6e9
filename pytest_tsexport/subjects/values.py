"""field, sizes, seed -> tensor: values that production may send, the same on every machine.

Drawn from a seeded generator and not element by element: hypothesis draws the sizes and the seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from math import prod

import torch

from pytest_tsexport.subjects.fields import Domain, Field

MASK_PATTERNS = ("ones", "right", "left", "single")
"""All ones; padded on one side by a number of positions that differs from row to row; the first token alone."""

ODD_MASKS = ("holes", "empty")
"""What production never sends: zeros between ones, and a row of zeros. What comes of it is told, and fails nothing."""

PATTERNS = ("uniform", "extremes", "repeats", "special", "sweep")
"""How ids, integers and floats are spread over their domain."""

ENDLESS = 2**22
"""More values than any vocabulary has, as times have: they are not swept, their shuffle alone would fill the memory."""


def draw(field: Field, sizes: Mapping[str, int], seed: int, pattern: str = "uniform") -> torch.Tensor:
    """One input of `field`'s shape at these sizes; fields of other names are drawn independently.

    `pattern` is one of `PATTERNS`, or of `MASK_PATTERNS` and `ODD_MASKS` where the field is a mask.
    """
    generator = torch.Generator().manual_seed(zlib.crc32(f"{field.name}:{seed}".encode()))
    shape = field.shape(sizes)
    if field.flag and shape[-1:] in ((), (1,)):
        return _flags(shape, generator, pattern).to(field.domain.dtype)
    if field.domain.kind == "mask":
        return _mask(shape, generator, pattern).to(field.domain.dtype)
    if field.domain.kind == "floats":
        return _floats(shape, field.domain, generator, pattern)
    if pattern == "sweep" and sweeps(field, sizes):
        return _ended(_sweep(shape, field.domain, seed), field.domain)
    return _ended(_INTEGERS.get(pattern, _uniform)(shape, field.domain, generator), field.domain)


def _flags(shape: tuple[int, ...], generator: torch.Generator, pattern: str) -> torch.Tensor:
    """Every one 1, every one 0 (`single`), or each of them either."""
    if pattern in ("ones", "single"):
        return torch.full(shape, int(pattern == "ones"))
    return torch.randint(0, 2, shape, generator=generator)


def sweeps(field: Field, sizes: Mapping[str, int]) -> int:
    """How many seeds the pattern `sweep` needs until every value of the domain was drawn: 0 where there is no end."""
    drawn, count = prod(field.shape(sizes)), field.domain.high - field.domain.low
    if field.domain.kind not in ("ids", "integers") or not drawn or count > ENDLESS:
        return 0
    return -(-count // drawn)


def swept(field: Field, sizes: Mapping[str, int], seeds: Iterable[int]) -> int:
    """How many values of the domain the pattern `sweep` drew with these seeds."""
    drawn, count = prod(field.shape(sizes)), max(field.domain.high - field.domain.low, 1)
    return len({(seed * drawn + place) % count for seed in seeds for place in range(drawn)})


def _mask(shape: tuple[int, ...], generator: torch.Generator, pattern: str) -> torch.Tensor:
    """1 where a token is; every row keeps at least one, unless the pattern is `empty`."""
    mask = torch.ones(shape)
    if not shape or not mask.numel():
        return mask
    length = shape[-1]
    kept = torch.randint(1, length + 1, (*shape[:-1], 1), generator=generator)
    place = torch.arange(length).expand(shape)
    masks = {
        "right": place < kept,
        "left": place >= length - kept,
        "single": place == 0,
        "holes": (place == 0) | (torch.rand(shape, generator=generator) < 0.5),
        "empty": torch.arange(mask.numel()).view(shape) >= length,
    }
    return masks[pattern].to(mask.dtype) if pattern in masks else mask


def _ended(values: torch.Tensor, domain: Domain) -> torch.Tensor:
    """The values with the one that stands at the end of every row, and nowhere else, put there."""
    if domain.last is not None and values.dim() and values.shape[-1]:
        other = domain.low if domain.last != domain.low else domain.low + 1
        values = torch.where(values == domain.last, other, values)
        values[..., -1] = domain.last
    return values.to(domain.dtype)


def _uniform(shape: tuple[int, ...], domain: Domain, generator: torch.Generator) -> torch.Tensor:
    return torch.randint(domain.low, max(domain.high, domain.low + 1), shape, generator=generator)


def _extremes(shape: tuple[int, ...], domain: Domain, generator: torch.Generator) -> torch.Tensor:
    """The ends of the domain, where off-by-one lookups go wrong."""
    ends = torch.tensor([domain.low, min(domain.low + 1, domain.high - 1), domain.high - 1])
    return ends[torch.randint(0, 3, shape, generator=generator)]


def _repeats(shape: tuple[int, ...], domain: Domain, generator: torch.Generator) -> torch.Tensor:
    """One value all along a row."""
    rows = _uniform((*shape[:-1], 1), domain, generator) if shape else _uniform((), domain, generator)
    return rows.expand(shape).clone()


def _special(shape: tuple[int, ...], domain: Domain, generator: torch.Generator) -> torch.Tensor:
    """Half of them the ids that mean something to the model: padding, ends, separators."""
    known = [one for one in domain.special or (domain.pad,) if domain.low <= one < domain.high]
    special = torch.tensor(known or [domain.low])
    chosen = special[torch.randint(0, len(special), shape, generator=generator)]
    return torch.where(torch.rand(shape, generator=generator) < 0.5, chosen, _uniform(shape, domain, generator))


def _sweep(shape: tuple[int, ...], domain: Domain, seed: int) -> torch.Tensor:
    """The next stretch of one shuffle of the domain: successive seeds leave no value out."""
    count = max(domain.high - domain.low, 1)
    shuffle = torch.randperm(count, generator=torch.Generator().manual_seed(count))
    drawn = prod(shape)
    return shuffle[(seed * drawn + torch.arange(drawn)) % count].view(shape) + domain.low


_INTEGERS: Mapping[str, Callable[[tuple[int, ...], Domain, torch.Generator], torch.Tensor]] = {
    "uniform": _uniform,
    "extremes": _extremes,
    "repeats": _repeats,
    "special": _special,
}


def _floats(shape: tuple[int, ...], domain: Domain, generator: torch.Generator, pattern: str) -> torch.Tensor:
    values = _spread(shape, generator, pattern)
    if domain.dtype.is_complex:
        values = torch.complex(values, _spread(shape, generator, pattern))
    return (values * domain.scale).to(domain.dtype)


def _spread(shape: tuple[int, ...], generator: torch.Generator, pattern: str) -> torch.Tensor:
    """Floats around 0 that are about 1 large."""
    values = torch.randn(shape, generator=generator, dtype=torch.float64)
    if pattern == "extremes":
        values = values * _chosen((0.0, 1e-3, 10.0), shape, generator)
    elif pattern == "repeats" and shape:
        values = values[..., :1].expand(shape).clone()
    elif pattern == "special":
        values = -values.abs() * _chosen((0.0, 1.0, 1.0), shape, generator)
    elif pattern == "sweep":
        values = values * _chosen((1e-2, 1.0, 10.0), (*shape[:1], *(1 for _ in shape[1:])), generator)
    return values


def _chosen(values: tuple[float, ...], shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)[torch.randint(0, len(values), shape, generator=generator)]
