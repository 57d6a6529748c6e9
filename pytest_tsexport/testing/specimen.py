"""property -> specimen: a model of a few lines with one known property, and the checks that must see it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

Inputs = Mapping[str, torch.Tensor]
Writer = Callable[[nn.Module, Inputs, Path], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """One model with one property, right or wrong.

    `fails` are the checks that must fail, none for a right one; `also` those that may fail for the same reason (a
    branch on values shows at every size). `file` writes the file that is judged, where it was made "earlier";
    `keywords` are the marker's. `refused` says that there is no verdict: the file is rejected in one sentence.
    """

    build: Callable[[], nn.Module]
    family: str
    inputs: Callable[[], Inputs]
    name: str = ""
    fails: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    file: Writer | None = None
    refused: bool = False

    @property
    def title(self) -> str:
        """The name that says the property."""
        return self.name or getattr(self.build, "__name__", "specimen")

    def model(self, seed: int = 0) -> nn.Module:
        """A new model, its weights drawn from `seed` and the title; it is in training mode, as built."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed * 1009 + zlib.crc32(self.title.encode()) % 1009)
            return self.build()


def each(template: Callable[..., Specimen], *builds: Callable[[], nn.Module], **shared: object) -> Iterator[Specimen]:
    """A specimen of each model, alike in all else."""
    return (template(build=build, **shared) for build in builds)


def rows(*shape: int, dtype: torch.dtype = torch.float32) -> Callable[[], Inputs]:
    """One input `x` of floats, of shape (2, 7) by default."""
    return lambda: {"x": torch.randn(shape or (2, 7), generator=_generator()).to(dtype)}


def two_rows() -> Callable[[], Inputs]:
    """Inputs `x` and `y` of floats, of shape (2, 7), that are not alike."""
    return lambda: {"x": rows()()["x"], "y": torch.linspace(-1, 2, 14).reshape(2, 7)}


def ids(*shape: int, high: int = 50) -> Callable[[], Inputs]:
    """One input `ids` of integers below `high`, of shape (2, 7) by default."""
    return lambda: {"ids": torch.randint(2, high, shape or (2, 7), generator=_generator())}


def masked_ids(*shape: int) -> Callable[[], Inputs]:
    """`ids` and a `mask` of ones of the same shape."""
    return lambda: {**ids(*shape)(), "mask": torch.ones(shape or (2, 7), dtype=torch.int64)}


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(11)
