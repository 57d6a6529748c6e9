"""shape, sizes, pattern, seed -> draw: what one tensor of a case is drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

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
