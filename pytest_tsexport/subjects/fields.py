"""model -> fields: what the inputs of a model are, before any tensor is made.

A field's dimensions are axis names (they vary) or numbers (they do not):
`Field("bbox", ("batch", "sequence", 4), ...)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

Kind = Literal["ids", "mask", "integers", "floats"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The values that production may send: gate on these, and on no others.

    `ids` and `integers` run from `low` to `high` - 1; `pad` fills what is padded; `last`, where given,
    stands at the end of every row and nowhere else (heads that read the state at the end-of-sequence token).
    `special` are the ids that the model treats in a way of their own (padding, ends, separators), as far as known.
    `mask` holds 0 and 1; `flag` tells that rows of one value switch something, and may be 0 as much as 1.
    `floats` are drawn at the scale of `example`.
    """

    kind: Kind
    dtype: torch.dtype
    low: int = 0
    high: int = 2
    pad: int = 0
    last: int | None = None
    special: tuple[int, ...] = ()
    scale: float = 1.0
    flag: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the model: the argument's name, its dimensions and its values."""

    name: str
    dims: tuple[str | int, ...]
    domain: Domain

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The shape of this input where the axes have these sizes."""
        return tuple(sizes[dim] if isinstance(dim, str) else dim for dim in self.dims)

    @property
    def flag(self) -> bool:
        """Whether a row of one value is a switch; the mask of a sequence of length 1 keeps its one token."""
        mask = "mask" in self.name and (len(self.dims) > 1 or any(isinstance(dim, str) for dim in self.dims))
        return self.domain.kind == "mask" and self.domain.flag and not mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A dimension that callers vary: `size` is the traced one, `low` and `high` (inclusive) bound the search.

    `high` is None where nobody said; `edges` are sizes at which the model may behave otherwise
    (windows, blocks, position tables); `named` tells that the user declared it.
    """

    name: str
    size: int
    low: int = 1
    high: int | None = None
    edges: tuple[int, ...] = ()
    named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What can be said of a model's inputs from its signature and config alone.

    `constants` are passed to every eager call and baked into the export (`use_cache=False`).
    """

    fields: tuple[Field, ...]
    axes: tuple[Axis, ...]
    constants: Mapping[str, Any] = field(default_factory=dict)
