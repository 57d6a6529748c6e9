"""model -> fields: describes the inputs of a model, before any tensor is made.

The dimensions of a field are names of axes, which vary, or numbers, which do not:
`Field("bbox", ("batch", "sequence", 4), ...)`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Any

import torch

from pytest_tsexport.subjects.domains.base import PATTERNS, Domain
from pytest_tsexport.subjects.domains.draw import Draw

EXAMPLE_SEED = 20
"""The seed of the example inputs."""


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the model: the name of the argument, its dimensions and its values."""

    name: str
    dims: tuple[str | int, ...]
    domain: Domain

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The shape of this input if the axes have these sizes."""
        return tuple(sizes[dim] if isinstance(dim, str) else dim for dim in self.dims)

    def draw(self, sizes: Mapping[str, int], seed: int, pattern: str = PATTERNS[0]) -> torch.Tensor:
        """One tensor at these sizes, the same on every machine. The name of the input is part of the seed."""
        generator = torch.Generator().manual_seed(zlib.crc32(f"{self.name}:{seed}".encode()))
        shape = self.shape(sizes)
        return self.domain.draw(Draw(shape=shape, sizes=sizes, pattern=pattern, seed=seed, generator=generator))

    def sweeps(self, sizes: Mapping[str, int]) -> int:
        """How many seeds the pattern `sweep` needs to draw every value; 0 if it never ends."""
        return self.domain.sweeps(self.shape(sizes), sizes)

    def swept(self, sizes: Mapping[str, int], seeds: Iterable[int]) -> int:
        """How many values the pattern `sweep` has drawn with these seeds."""
        return self.domain.swept(self.shape(sizes), sizes, seeds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How the size of one axis follows from others: `offset` plus, for each term, a factor times their sizes."""

    terms: tuple[tuple[Fraction, tuple[str, ...]], ...]
    offset: int = 0

    def size(self, sizes: Mapping[str, int]) -> int:
        """The size of the axis if the others have these sizes."""
        return int(self.offset + sum(factor * prod(sizes[name] for name in names) for factor, names in self.terms))

    def __str__(self) -> str:
        terms = [" * ".join([*([] if factor == 1 else [str(factor)]), *names]) for factor, names in self.terms]
        sign = " - " if self.offset < 0 else " + "
        return " + ".join(terms) + (f"{sign}{abs(self.offset)}" if self.offset else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A dimension that callers vary. `size` is the traced one; `low` and `high` (inclusive) bound the search.

    `high` is None if nobody gave a maximum. `edges` are sizes at which the model may change its computation (windows,
    blocks, tables of positions). `named` says that the user named the axis in `dynamic_shapes`. Eager accepts only
    every `step`-th size. An axis with a `rule` is not free: its size follows from those of other axes.
    """

    name: str
    size: int
    low: int = 1
    high: int | None = None
    edges: tuple[int, ...] = ()
    named: bool = False
    step: int = 1
    rule: Rule | None = None

    @property
    def least(self) -> int:
        """The smallest size that is visited: 0 only if the user named the axis with a `Dim` whose minimum is 0."""
        return self.low if self.named else max(self.low, 1)

    def allows(self, size: int) -> bool:
        """Whether the search may visit this size: it may exceed the model's maximum, but not the user's."""
        return self.low <= size and not (self.named and self.high is not None and size > self.high)

    def fitting(self, size: int) -> int:
        """The size itself, or the next smaller one that the step allows; the smallest of them if none is smaller."""
        if self.step == 1:
            return size
        below = size - (size - self.size) % self.step
        lowest = self.least
        return below if below >= lowest else lowest + (self.size - lowest) % self.step


def fitted(axes: Iterable[Axis], sizes: Mapping[str, int]) -> dict[str, int]:
    """The sizes, changed so that eager may accept them: free axes keep to their steps, and the others follow."""
    axes = tuple(axes)
    found = {axis.name: axis.fitting(sizes[axis.name]) for axis in axes}
    return found | {axis.name: axis.rule.size(found) for axis in axes if axis.rule is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What the signature and the config of a model say about its inputs.

    `constants` are passed to every eager call and are part of the export (`use_cache=False`). `given_up` has a
    line for each dimension that eager refuses at any other size, by name. `unsure` are the axes about which nothing is
    known but their traced size, with the steps by which they may vary; empty if nothing is known about these either.
    Eager says how they do.
    """

    fields: tuple[Field, ...]
    axes: tuple[Axis, ...]
    given_up: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    unsure: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def sizes(self) -> dict[str, int]:
        """The traced size of every axis."""
        return {axis.name: axis.size for axis in self.axes}

    def draw(self, sizes: Mapping[str, int] | None = None) -> dict[str, torch.Tensor]:
        """The example inputs: those at which the model is traced, or as near to these sizes as the axes allow."""
        whole = fitted(self.axes, {**self.sizes, **(sizes or {})})
        return {one.name: one.draw(whole, EXAMPLE_SEED) for one in self.fields}
