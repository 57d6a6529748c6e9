"""shape, pattern, seed -> tensor: what every domain answers. The domains themselves are in the modules beside this one.

A domain is the set of values that production may send to one input. It draws tensors, pads them, changes them, and
describes itself in messages, so no other room asks which domain it has. A new kind of values is a new class: derive
from `Domain`, or from the nearest class that exists, and override what differs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import torch

PATTERNS = ("uniform", "extremes", "repeats", "special", "sweep")
"""How ids, integers and floats are spread over their domain."""

MASK_PATTERNS = ("ones", "right", "left", "single")
"""How masks are filled: all ones; padded on one side, by another number in each row; the first token alone."""

ODD_MASKS = ("holes", "empty")
"""Masks that production never sends: zeros between ones, and a row of zeros. They give a note, never a failure."""

ENDLESS = 2**22
"""Domains with more values than this (times, say) are not swept: their shuffle alone would fill the memory."""

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What one tensor is drawn from: its shape, the size of every axis, the pattern, and the randomness.

    `seed` is the number that `generator` was seeded with, together with the name of the input.
    """

    shape: Shape
    sizes: Mapping[str, int]
    pattern: str
    seed: int
    generator: torch.Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain(ABC):
    """The values that production may send to one input. Failures come from these values alone."""

    dtype: torch.dtype

    noun: ClassVar[str] = "values"
    """What a message calls the values, in the plural."""

    marks_padding: ClassVar[bool] = False
    """Whether the input says which positions are padding."""

    pads_with_zeros: ClassVar[bool] = False
    """Whether callers pad the input with zeros, and say so in a mask."""

    open_ended: ClassVar[bool] = False
    """Whether callers may send whole numbers far outside the range that is drawn."""

    odd_patterns: ClassVar[tuple[str, ...]] = ()
    """Patterns that production never sends."""

    @abstractmethod
    def draw(self, asked: Draw) -> torch.Tensor:
        """A tensor of the shape and the pattern that are asked for; an unknown pattern is drawn as the first one."""

    @property
    def text_fillers(self) -> tuple[str, ...]:
        """The names of the values that callers pad text with; empty if the input is not text."""
        return ()

    @property
    def lone_value(self) -> int | None:
        """The value that is always drawn, because the example holds no other; None if there is no such value."""
        return None

    def pattern(self, values: str, mask: str) -> str:
        """The pattern that this domain follows in a case: the one of the values, unless the domain is a mask."""
        return values

    def fits(self, dtype: torch.dtype) -> bool:
        """Whether a tensor of this dtype can hold the values."""
        return True

    def count(self, sizes: Mapping[str, int]) -> int:
        """How many values there are; 0 if they cannot be counted."""
        return 0

    def sweeps(self, shape: Shape, sizes: Mapping[str, int]) -> int:
        """How many seeds the pattern `sweep` needs to draw every value; 0 if it never ends."""
        drawn, count = prod(shape), self.count(sizes)
        return 0 if not drawn or count > ENDLESS else -(-count // drawn)

    def swept(self, shape: Shape, sizes: Mapping[str, int], seeds: Iterable[int]) -> int:
        """How many values the pattern `sweep` has drawn with these seeds."""
        drawn, count = prod(shape), max(self.count(sizes), 1)
        return len({(seed * drawn + place) % count for seed in seeds for place in range(drawn)})

    def moved(self, values: torch.Tensor, sizes: Mapping[str, int]) -> torch.Tensor | None:
        """Other values of the domain, different at every place if it has two; None if the input is not moved."""
        return None

    def filler(self, name: str, *, masked: bool) -> int:
        """The value that fills the padded part. `masked` says whether the mask marks that part as padding."""
        return 0

    def without_fillers(self, values: torch.Tensor) -> torch.Tensor:
        """The values, with others in place of those that the input is padded with."""
        return values

    def looked_up(self, rows: int, name: str) -> Domain:
        """The domain of an input of this name that was seen to index a table of `rows` rows."""
        return self

    def with_axes(self, dims: Mapping[str, str | int]) -> Domain:
        """The domain after its axes were renamed, or fixed to a size."""
        return self
