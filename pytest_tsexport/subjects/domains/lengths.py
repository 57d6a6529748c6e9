"""axis -> lengths: how many positions of each row are real, never more than there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.draw import Draw
from pytest_tsexport.subjects.domains.integers import WholeNumbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths(WholeNumbers):
    """Numbers from `low` to the size of `axis` plus `offset`. The axis is the name of one, or a fixed size."""

    axis: str | int
    low: int = 1
    offset: int = 0

    def bounds(self, sizes: Mapping[str, int]) -> tuple[int, int]:
        """At least one position is real."""
        longest = sizes.get(self.axis, 1) if isinstance(self.axis, str) else self.axis
        return self.low, max(longest + self.offset, self.low) + 1

    def with_axes(self, dims: Mapping[str, str | int]) -> Domain:
        """Follows its axis."""
        return self if isinstance(self.axis, int) else replace(self, axis=dims.get(self.axis, self.axis))


@dataclass(frozen=True, slots=True, kw_only=True)
class FullLengths(Lengths):
    """Lengths of which the longest is always the size of the axis plus `offset`; with `every`, each of them is."""

    every: bool = False

    def draw(self, request: Draw) -> torch.Tensor:
        """As other lengths, and then one row, or every row, is as long as the axis."""
        values = Lengths.draw(self, request)
        full = self.bounds(request.sizes)[1] - 1
        if self.every:
            return torch.full_like(values, full)
        if values.numel():
            values.view(-1)[request.seed % values.numel()] = full
        return values

    def count(self, sizes: Mapping[str, int]) -> int:
        """One if every row has it."""
        return 1 if self.every else Lengths.count(self, sizes)

    def moved(self, values: torch.Tensor, sizes: Mapping[str, int]) -> torch.Tensor:
        """The lengths of other rows, of which one is still the longest."""
        return values.flatten().roll(1).view(values.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts(Lengths):
    """Lengths that add up to the size of the axis: the axis holds the parts one after the other."""

    def count(self, sizes: Mapping[str, int]) -> int:
        """The ways to cut an axis are not counted."""
        return 0

    def moved(self, values: torch.Tensor, sizes: Mapping[str, int]) -> torch.Tensor:
        """The parts in another order, so that they still add up."""
        return values.flatten().roll(1).view(values.shape)

    def draw(self, request: Draw) -> torch.Tensor:
        """The axis is cut at random places; as in the example, a part is empty only where `low` is 0."""
        values = torch.zeros(request.shape, dtype=torch.int64)
        count, total = values.numel(), self.bounds(request.sizes)[1] - 1
        if not count:
            return values.to(self.dtype)
        free = max(total - self.low * count, 0)
        cuts = torch.randint(0, free + 1, (count - 1,), generator=request.generator).sort().values
        ends = torch.cat([torch.zeros(1, dtype=torch.int64), cuts, torch.tensor([free])])
        return (ends.diff() + self.low).view(request.shape).to(self.dtype)
