"""shape, pattern, seed -> tensor: the interface of every domain. The domains are in the other modules of this folder.

A domain is the set of values that production may send to one input. It draws tensors, pads them, changes them, and
describes itself in messages, so no other room asks which domain it has. A new kind of values is a new class: derive
from `Domain`, or from the nearest class that exists, and override what differs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import ClassVar

import torch

from pytest_tsexport.subjects.domains.draw import Draw, Shape
from pytest_tsexport.subjects.domains.own_values import OWN, OwnValues

PATTERNS = ("uniform", "extremes", "repeats", "special", "sweep", "adjacent", "dead", "constant")
"""How ids, integers and floats are drawn from their domain.

`adjacent`: ids that follow one another, some of them twice. `dead`: one column holds one value. `constant`: the whole
input does.
"""

ADDED = ("exact", "nan", "infinite", "beyond")
"""Values that no example shows: exactly 0, 1 or -1; NaN; infinite; a hundred or a thousand times the usual size.

A case with them is left out if eager refuses it, or answers it with a whole output of NaN.
"""

MEMORY = ("strided", "transposed")
"""Usual values in another memory: with gaps between them, or with the last two dimensions exchanged."""

VALUES = (*PATTERNS, *OWN, *ADDED, *MEMORY)
"""Every pattern of the values of a case, the simplest first."""

VARIANTS = {"dead": 2, "constant": 2, "exact": 3, "nan": 2, "infinite": 2, "beyond": 2}
"""Patterns that one input of a case follows and the others do not, and how many seeds show every variant of them."""

MASK_PATTERNS = ("ones", "right", "left", "single", "none")
"""How masks are filled: nothing padded; padding on one side, of a different length in each row; only the first token.

`none`: every position holds the value of padding. Only an input that may be no mask at all is filled like that.
"""

ODD_MASKS = ("holes", "empty")
"""Masks that production never sends: padding between real positions, and a row of padding. A difference is a note."""

LARGEST_SWEEP = 2**22
"""Domains with more values than this (timestamps, for example) are not swept: to shuffle them would fill the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain(ABC):
    """The values that production may send to one input. Only these values can make a check fail.

    `own` are the values of the example that the user gave; None if there is no such example.
    """

    dtype: torch.dtype
    own: OwnValues | None = field(default=None, compare=False, repr=False)

    patterns: ClassVar[tuple[str, ...]] = PATTERNS
    """The patterns of values that this domain draws in different ways, besides those of the example's own values."""

    noun: ClassVar[str] = "values"
    """What a message calls the values, in the plural."""

    marks_padding: ClassVar[bool] = False
    """Whether the input says which positions are padding."""

    pads_with_zeros: ClassVar[bool] = False
    """Whether callers pad the input with zeros, and say so in a mask."""

    open_ended: ClassVar[bool] = False
    """Whether callers may send whole numbers far outside the range from which values are drawn."""

    odd_patterns: ClassVar[tuple[str, ...]] = ()
    """Patterns that production never sends."""

    def draw(self, request: Draw) -> torch.Tensor:
        """A tensor of the requested shape and pattern; an unknown pattern is drawn as the first one."""
        if self.own is not None and request.pattern in OWN:
            return self._arranged(self.own.draw(request)).to(self.dtype)
        return self._drawn(request)

    @abstractmethod
    def _drawn(self, request: Draw) -> torch.Tensor:
        """A tensor that is not taken from the example."""

    def _arranged(self, values: torch.Tensor) -> torch.Tensor:
        """The values in an order that the model accepts."""
        return values

    @property
    def masks(self) -> tuple[str, ...]:
        """The patterns of masks that this domain draws in different ways; empty if it is no mask."""
        return ()

    @property
    def default_pattern(self) -> str:
        """The pattern that is nearest to what production sends."""
        return PATTERNS[0] if self.own is None else OWN[0]

    @property
    def text_fillers(self) -> tuple[str, ...]:
        """The names of the values with which callers pad text; empty if the input is not text."""
        return ()

    @property
    def lone_value(self) -> int | None:
        """The only usual value, because the example holds no other; None if there are more."""
        return None

    def pattern(self, values: str, mask: str) -> str:
        """Which of the two patterns of a case this domain follows: `values`, unless the domain is a mask."""
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
        return 0 if not drawn or count > LARGEST_SWEEP else -(-count // drawn)

    def swept(self, shape: Shape, sizes: Mapping[str, int], seeds: Iterable[int]) -> int:
        """How many values the pattern `sweep` has drawn with these seeds."""
        drawn, count = prod(shape), max(self.count(sizes), 1)
        return len({(seed * drawn + place) % count for seed in seeds for place in range(drawn)})

    def moved(self, values: torch.Tensor, sizes: Mapping[str, int]) -> torch.Tensor | None:
        """Other values of the domain, different at every position if it has two; None if the input must not change."""
        return None

    def filler(self, name: str, *, masked: bool) -> int:
        """The value that fills the padded part of an input. `masked`: a mask marks that part as padding."""
        return 0

    def without_fillers(self, values: torch.Tensor) -> torch.Tensor:
        """`values`, with every padding value replaced by another value of the domain."""
        return values

    def looked_up(self, rows: int, name: str) -> Domain:
        """The domain of an input that indexes a table of `rows` rows, as one eager call has shown."""
        return self

    def with_axes(self, dims: Mapping[str, str | int]) -> Domain:
        """The domain after its axes were renamed, or fixed to a size."""
        return self
