"""text with placeholders: where the tokens stand whose places the features of a picture or a recording take.

The inputs of one case agree on these places, because all of them find them from the sizes and the seed of the case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.draw import Draw
from pytest_tsexport.subjects.domains.integers import Ids, Integers
from pytest_tsexport.subjects.domains.masks import Mask
from pytest_tsexport.subjects.fields import Rule


@dataclass(frozen=True, slots=True)
class Run:
    """The placeholders of one medium: their id, the number that marks their kind, and how many there are in a row."""

    token: int
    kind: int
    count: Rule


@dataclass(frozen=True, slots=True)
class Places:
    """Where the runs stand in each row, one after the other, with text before, between and after them."""

    runs: tuple[Run, ...]

    def of(self, request: Draw) -> torch.Tensor:
        """0 for text, and the number of the run, from 1, for its placeholders; of the shape of the request."""
        generator = torch.Generator().manual_seed(request.seed)
        counts = [run.count.size(request.sizes) for run in self.runs]
        length = request.shape[-1]
        rows = torch.zeros(request.shape, dtype=torch.int64).view(-1, length)
        for row in rows:
            before = torch.randint(0, max(length - sum(counts), 0) + 1, (len(counts),), generator=generator)
            start = 0
            for number, (count, text) in enumerate(zip(counts, before.sort().values.tolist(), strict=True), start=1):
                row[start + text : start + text + count] = number
                start += count
        return rows.view(request.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextAround(Ids):
    """Ids of a vocabulary, with placeholders at their places and nowhere else.

    `never` are ids that announce a placeholder: with none after it, a model may look for one behind the end.
    """

    places: Places
    never: tuple[int, ...] = ()

    @classmethod
    def of(cls, ids: Ids, places: Places, never: tuple[int, ...] = ()) -> TextAround:
        """The same ids, with placeholders."""
        return cls(
            dtype=ids.dtype,
            high=ids.high,
            pad=ids.pad,
            last=ids.last,
            special=ids.special,
            places=places,
            never=never,
        )

    def draw(self, request: Draw) -> torch.Tensor:
        """Text, in which the placeholders stand."""
        values = self._without(Ids.draw(self, request))
        numbers = self.places.of(request)
        for number, run in enumerate(self.places.runs, start=1):
            values = torch.where(numbers == number, torch.tensor(run.token, dtype=values.dtype), values)
        return values

    def moved(self, values: torch.Tensor, sizes: Mapping[str, int]) -> torch.Tensor:
        """Other text around the same placeholders."""
        placed = torch.isin(values, torch.tensor(self._tokens, dtype=values.dtype))
        return torch.where(placed, values, self._without(Ids.moved(self, values, sizes)))

    @property
    def _tokens(self) -> list[int]:
        return [run.token for run in self.places.runs]

    def _without(self, values: torch.Tensor) -> torch.Tensor:
        """The same text, with another id wherever it has that of a placeholder, or one that announces it."""
        barred = [*self._tokens, *self.never]
        instead = next((one for one in range(self.low, self.high) if one not in barred and one != self.pad), self.pad)
        found = torch.isin(values, torch.tensor(barred, dtype=values.dtype))
        return torch.where(found, torch.tensor(instead, dtype=values.dtype), values)


@dataclass(frozen=True, slots=True, kw_only=True)
class KindsAround(Integers):
    """Which tokens are text (0), and which stand for a picture, a clip or a recording."""

    open_ended: ClassVar[bool] = False
    patterns: ClassVar[tuple[str, ...]] = ()

    places: Places

    def draw(self, request: Draw) -> torch.Tensor:
        """The kind of each token."""
        kinds = torch.tensor([0, *(run.kind for run in self.places.runs)])
        return kinds[self.places.of(request)].to(self.dtype)

    def moved(self, values: torch.Tensor, sizes: Mapping[str, int]) -> torch.Tensor:
        """The same: they follow from the text."""
        return values

    def looked_up(self, rows: int, name: str) -> Domain:
        """The kinds stay what they are."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskAround(Mask):
    """Which tokens are real; the placeholders always are."""

    places: Places

    def _real(self, request: Draw) -> torch.Tensor:
        real, standing = Mask._real(self, request), self.places.of(request) > 0
        if request.pattern in ("right", "single"):
            standing = standing.flip(-1).cumsum(-1).flip(-1) > 0
        elif request.pattern == "left":
            standing = standing.cumsum(-1) > 0
        return real | standing
