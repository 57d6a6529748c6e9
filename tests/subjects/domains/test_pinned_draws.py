"""Pins what every domain draws, so that no verdict and no printed counterexample changes with the code behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import pytest
import torch

from pytest_tsexport.subjects.domains.base import ODD_MASKS
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.integers import Ids, Integers
from pytest_tsexport.subjects.domains.masks import Mask, Switch
from pytest_tsexport.subjects.fields import Field

ROW = ("batch", "length")
SIZES: tuple[Mapping[str, int], ...] = (
    {"batch": 2, "length": 7},
    {"batch": 4, "length": 1},
    {"batch": 3, "length": 33},
    {"batch": 0, "length": 5},
)
SEEDS = (0, 1, 7, 99, 65_535)


def ids(**values: object) -> Ids:
    return Ids(**{"dtype": torch.int64, "high": 99, **values})  # type: ignore[arg-type]


def integers(**values: object) -> Integers:
    return Integers(**{"dtype": torch.int64, **values})  # type: ignore[arg-type]


def mask(dtype: torch.dtype = torch.int64) -> Mask:
    return Mask(dtype=dtype)


def switch(dtype: torch.dtype = torch.bool) -> Switch:
    return Switch(dtype=dtype)


def floats(dtype: torch.dtype = torch.float32, scale: float = 1.0) -> Floats:
    return Floats(dtype=dtype, scale=scale)


FIELDS: Mapping[str, tuple[Field, str]] = {
    "ids": (Field("ids", ROW, ids(pad=3, special=(0, 3, 98, 120))), "dc822dda66d0e7e3"),
    "ids of 32 bits": (Field("ids", ROW, ids(dtype=torch.int32, high=1000)), "b350967ac65b8f3d"),
    "ids with an end": (Field("ids", ROW, ids(last=2, special=(0, 2))), "08bb4866e0507f40"),
    "ids with the lowest as end": (Field("ids", ROW, ids(low=5, last=5, pad=6)), "948fd799796c6fe3"),
    "one id": (Field("ids", ROW, ids(high=1)), "8df494629d66e0e4"),
    "integers": (Field("count", ROW, integers(low=3, high=10)), "afb10d8f35b97bf9"),
    "integers below zero": (Field("count", ROW, integers(low=-40, high=12)), "d2cc30d437aa5835"),
    "bytes": (Field("image", ("batch", 3, "length"), integers(dtype=torch.uint8, high=256)), "e244287bc84ac5e2"),
    "times": (Field("times", ROW, integers(high=2**40)), "b8e0b9f46b3fc5c2"),
    "one number": (Field("count", (), integers(low=7, high=8)), "76dc3a4cb0cffb44"),
    "mask": (Field("mask", ROW, mask()), "dfc77625bca3864d"),
    "pairwise mask": (Field("mask", ("batch", "length", "length"), mask(torch.bool)), "2bf4d6ef340ec006"),
    "scalar mask": (Field("mask", (), mask(torch.float32)), "d26b798904e195be"),
    "switch": (Field("causal", ("batch", 1), switch()), "abbc2201c29d900c"),
    "scalar switch": (Field("causal", (), switch(torch.int64)), "40914c650c919a3e"),
    "switch longer elsewhere": (Field("keep", ROW, switch()), "80357f3c082bfffb"),
    "floats": (Field("x", (*ROW, 4), floats(scale=100.0)), "1e0b51a4811eb3f8"),
    "half floats": (Field("x", ROW, floats(torch.bfloat16)), "c689a437b9400982"),
    "complex floats": (Field("x", ROW, floats(torch.complex64, 2.5)), "510aadfadbd2eb5f"),
    "scalar float": (Field("x", (), floats(torch.float64)), "c5197a5a0b1d2d47"),
}
"""Name -> a field and the digest of its draws, taken before domains became classes."""

OLD = ("uniform", "extremes", "repeats", "special", "sweep", "ones", "right", "left", "single", *ODD_MASKS)
"""The patterns that there were when the digests were taken; those that came later are tested by what they hold."""


def drawn(field: Field) -> Iterator[torch.Tensor]:
    for sizes in SIZES:
        for pattern in OLD:
            for seed in SEEDS:
                yield field.draw(sizes, seed, pattern)


def digest(tensors: Iterator[torch.Tensor]) -> str:
    """Floats count to seven digits: the last bit of a logarithm is the machine's."""
    found = hashlib.sha256()
    for tensor in tensors:
        plain = torch.view_as_real(tensor) if tensor.is_complex() else tensor
        values = [f"{value:.6e}" if isinstance(value, float) else int(value) for value in plain.flatten().tolist()]
        found.update(repr((tensor.dtype, tuple(tensor.shape), values)).encode())
    return found.hexdigest()[:16]


@pytest.mark.parametrize("what", FIELDS)
def test_every_pattern_and_seed_draws_the_same_values_as_ever(what: str) -> None:
    field, expected = FIELDS[what]
    assert digest(drawn(field)) == expected
