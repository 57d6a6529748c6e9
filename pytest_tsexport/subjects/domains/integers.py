"""range -> whole numbers: integers, and the ids of a vocabulary."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar

import torch

from pytest_tsexport.subjects.domains.base import PATTERNS, Domain
from pytest_tsexport.subjects.domains.draw import Draw, Shape
from pytest_tsexport.subjects.domains.placing import EXACT, one_column, sprinkled

ROOM = 4
"""Fewer ids than this are kinds of tokens, not text: none can be spared, and callers pad with none but the pad id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeNumbers(Domain):
    """Whole numbers between bounds."""

    @abstractmethod
    def bounds(self, sizes: Mapping[str, int]) -> tuple[int, int]:
        """The lowest number, and the highest plus one, where the axes have these sizes."""

    def _drawn(self, request: Draw) -> torch.Tensor:
        """Numbers within the bounds, spread as the pattern says."""
        low, high = self.bounds(request.sizes)
        if request.pattern == "sweep" and self.sweeps(request.shape, request.sizes):
            values = _sweep(request, low, high)
        elif request.pattern == "extremes":
            values = _extremes(request, low, high)
        elif request.pattern == "repeats":
            values = _repeats(request, low, high)
        elif request.pattern == "special":
            values = _special(request, low, high, self._special_values())
        elif request.pattern in RUNS:
            values = RUNS[request.pattern](request, low, high)
        else:
            values = _uniform(request.shape, low, high, request.generator)
        return self._arranged(values).to(self.dtype)

    def fits(self, dtype: torch.dtype) -> bool:
        """Whole numbers are no floats."""
        return not (dtype.is_floating_point or dtype.is_complex)

    def count(self, sizes: Mapping[str, int]) -> int:
        """The numbers between the bounds."""
        low, high = self.bounds(sizes)
        return high - low

    def moved(self, values: torch.Tensor, sizes: Mapping[str, int]) -> torch.Tensor:
        """Each number plus one, the highest becoming the lowest. Computed in 64 bits: 256 is 0 in uint8."""
        low, high = self.bounds(sizes)
        return ((values.long() - low + 1) % max(high - low, 2) + low).to(values.dtype)

    def _special_values(self) -> tuple[int, ...]:
        """The numbers that mean something to the model."""
        return (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integers(WholeNumbers):
    """Whole numbers from `low` to `high` - 1, and beside them 0, 1 and -1 as far as the dtype holds them."""

    open_ended: ClassVar[bool] = True
    patterns: ClassVar[tuple[str, ...]] = (*PATTERNS, "exact")

    low: int = 0
    high: int

    @property
    def lone_value(self) -> int | None:
        """The only value of an example that holds one value."""
        return self.low if self.high - self.low <= 1 else None

    def bounds(self, sizes: Mapping[str, int]) -> tuple[int, int]:
        """The same at every size."""
        return self.low, self.high

    def looked_up(self, rows: int, name: str) -> Domain:
        """What indexes a table is an id of that table."""
        return Ids(dtype=self.dtype, high=rows)

    def _drawn(self, request: Draw) -> torch.Tensor:
        if request.pattern != "exact" or "exact" not in self.patterns:
            return WholeNumbers._drawn(self, request)
        exact = [one for one in EXACT if one >= torch.iinfo(self.dtype).min]
        values = self.draw(replace(request, pattern=self.default_pattern))
        return sprinkled(values, torch.tensor(exact[request.seed % len(exact)], dtype=self.dtype), request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids(Integers):
    """The ids of a vocabulary, from `low` to `high` - 1.

    `pad` fills what is padded. `last`, if given, ends every row and is nowhere else in it: some heads read the state at
    the end-of-sequence token. `special` are the ids that the model treats specially (padding, ends, separators), as
    far as they are known.
    """

    noun: ClassVar[str] = "ids"
    open_ended: ClassVar[bool] = False
    patterns: ClassVar[tuple[str, ...]] = PATTERNS

    pad: int = 0
    last: int | None = None
    special: tuple[int, ...] = ()

    @property
    def text_fillers(self) -> tuple[str, ...]:
        """The pad id, and another id if there is room for one."""
        return ("pad",) if self._other_filler() is None else ("pad", "other")

    @property
    def lone_value(self) -> int | None:
        """A vocabulary of one id has no other."""
        return None

    def filler(self, name: str, *, masked: bool) -> int:
        """The pad id, or the other one if that is what `name` says."""
        other = self._other_filler()
        return self.pad if other is None or name == "pad" else other

    def without_fillers(self, values: torch.Tensor) -> torch.Tensor:
        """Text without the two ids that it is padded with; an end of text that is one of them stays."""
        other = self._other_filler()
        if other is None:
            return values
        kept = (one for one in range(self.low, self.high) if one not in (self.pad, other, self.last))
        instead = torch.tensor(next(kept), dtype=values.dtype)
        for filler in {self.pad, other} - {self.last}:
            values = torch.where(values == filler, instead, values)
        return values

    def looked_up(self, rows: int, name: str) -> Domain:
        """The table has an id for each row."""
        return replace(self, low=0, high=rows)

    def _other_filler(self) -> int | None:
        """An id that callers may pad with, other than the pad id: zero, a special one, or the lowest."""
        if self.high - self.low < ROOM:
            return None
        candidates: tuple[int, ...] = (0, *self.special, *range(self.low, self.high))
        taken = (self.pad, self.last)
        return next(one for one in candidates if self.low <= one < self.high and one not in taken)

    def _special_values(self) -> tuple[int, ...]:
        return self.special or (self.pad,)

    def _arranged(self, values: torch.Tensor) -> torch.Tensor:
        """The end of text at the end of every row, and nowhere else."""
        if self.last is not None and values.dim() and values.shape[-1]:
            other = self.low if self.last != self.low else self.low + 1
            values = torch.where(values == self.last, other, values)
            values[..., -1] = self.last
        return values


def _uniform(shape: Shape, low: int, high: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randint(low, max(high, low + 1), shape, generator=generator)


def _extremes(request: Draw, low: int, high: int) -> torch.Tensor:
    """The ends of the range, where a lookup that is off by one goes wrong."""
    ends = torch.tensor([low, min(low + 1, high - 1), high - 1])
    return ends[torch.randint(0, 3, request.shape, generator=request.generator)]


def _repeats(request: Draw, low: int, high: int) -> torch.Tensor:
    """One value all along each row."""
    rows = (*request.shape[:-1], 1) if request.shape else ()
    return _uniform(rows, low, high, request.generator).expand(request.shape).clone()


def _adjacent(request: Draw, low: int, high: int) -> torch.Tensor:
    """Along each row one number after the other, every third of them twice, from a drawn first one."""
    rows = (*request.shape[:-1], 1) if request.shape else ()
    first = _uniform(rows, low, high, request.generator)
    place = torch.arange(request.shape[-1] if request.shape else 1).view(request.shape[-1:])
    return (first - low + place - place // 3) % max(high - low, 1) + low


def _dead(request: Draw, low: int, high: int) -> torch.Tensor:
    """One column holds one number."""
    return one_column(_uniform(request.shape, low, high, request.generator), request)


def _constant(request: Draw, low: int, high: int) -> torch.Tensor:
    """One number everywhere."""
    return _uniform((), low, high, request.generator).expand(request.shape).clone()


RUNS = {"adjacent": _adjacent, "dead": _dead, "constant": _constant}
"""Patterns of numbers that are next to each other, or equal."""


def _special(request: Draw, low: int, high: int, values: tuple[int, ...]) -> torch.Tensor:
    """Half of the numbers are special ones."""
    special = torch.tensor([one for one in values if low <= one < high] or [low])
    chosen = special[torch.randint(0, len(special), request.shape, generator=request.generator)]
    half = torch.rand(request.shape, generator=request.generator) < 0.5
    return torch.where(half, chosen, _uniform(request.shape, low, high, request.generator))


def _sweep(request: Draw, low: int, high: int) -> torch.Tensor:
    """The next part of one shuffle of the range: successive seeds leave no value out."""
    count = max(high - low, 1)
    shuffle = torch.randperm(count, generator=torch.Generator().manual_seed(count))
    drawn = prod(request.shape)
    return shuffle[(request.seed * drawn + torch.arange(drawn)) % count].view(request.shape) + low
