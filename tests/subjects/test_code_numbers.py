"""Proves which whole numbers are read in the source of the functions that eager runs."""

from __future__ import annotations

import bisect
import sys
from collections.abc import Callable
from types import FrameType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.subjects.code_numbers import CodeNumbers

MOST = 61
X = torch.zeros(2, 7)


def numbers(model: nn.Module) -> set[int]:
    with CodeNumbers() as read:
        model(X)
    return read.found


class Compares(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = int(x.shape[1])
        window = 23
        if length > 31 or len(x) >= MOST or x.size(0) == 45 or window < length:
            return x * 3
        return x * 2


class Divides(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = int(x.shape[1])
        return x * (length // 19 + length % 17 + -length % 13)


class Ranges(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = len(x[0])
        chunks = [x[:, start : start + 40] for start in range(0, length, 40)]
        return torch.cat(chunks, 1)[:, : min(length, 77)]


class ByAttribute(nn.Module):
    """Limits that attributes hold, also of a config, and a product of one."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 83
        self.config = SimpleNamespace(room=91, window=11)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = int(x.shape[1])
        if length > self.most or length > self.config.room or length > 2 * self.config.window + 1:
            return x * 3
        return x * 2


RULES: tuple[Callable[[torch.Tensor], torch.Tensor], int] = (
    (lambda x: x * 3 if len(x) > 53 else x),
    1,
)


class ByLambda(nn.Module):
    """Its source begins in the middle of a statement."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return RULES[0](x)


TUNED = {17: 0.5, 100: 0.25}


class InContainers(nn.Module):
    """Sizes that are looked for in containers: written out, global, or an attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.special, self.size = frozenset((101, 301)), (24, 32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = int(x.shape[1])
        if length in {19, 43} or length in (47, 53) or length not in self.special:
            x = x * TUNED.get(len(x), 1.0) * {61: 2.0}.get(length, 1.0)
        return x * 3 if tuple(map(int, x.shape)) == self.size else x


class KeepsGains(nn.Module):
    """A gain for some lengths, and one for each ten positions."""

    def __init__(self) -> None:
        super().__init__()
        self.gain, self.gains = {7: 0.5, 300: 0.25}, [1.0, 2.0, 3.0, 4.0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = int(x.shape[1])
        return x * self.gain[length] * self.gains[min(length // 100, 3)] * self.gains[length // 30]


class Matches(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        match len(x):
            case 300 | 400:
                return x * 3
            case _:
                return x * 2


class Searches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.ends = [70, 90]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * bisect.bisect_left(self.ends, int(x.shape[1]))


class HoldsOthers(nn.Module):
    """Its containers hold no sizes: layers that are the same in each call, and a vocabulary."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.special, self.ids = 3, {5, 11}, dict.fromkeys(range(1000, 2000), 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale = 3 if self.layer in self.special else self.ids.get(int(x.shape[1]), 1)
        return x * scale * [37, 41][int(x.shape[0]) - 2] * self.doubled(x)[43]

    def doubled(self, x: torch.Tensor) -> dict[int, torch.Tensor]:
        return {43: 2 * x}


class NamesOthers(nn.Module):
    """Compares what is the same in each call."""

    def __init__(self) -> None:
        super().__init__()
        self.layers, self.heads = 24, 16

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 37 if self.layers > 11 and self.layers % self.heads == 8 else x


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (Compares(), {31, MOST, 45, 23}),
        (Divides(), {19, 17, 13}),
        (Ranges(), {40, 77}),
        (ByAttribute(), {83, 91, 23}),
        (ByLambda(), {53}),
        (InContainers(), {19, 43, 47, 53, 101, 301, 17, 100, 61, 24, 32}),
        (KeepsGains(), {100, 200, 300, 30, 60, 90, 120}),
        (Matches(), {300, 400}),
        (Searches(), {70, 90}),
        (HoldsOthers(), set()),
        (NamesOthers(), set()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_numbers_that_may_meet_a_size(model: nn.Module, found: set[int]) -> None:
    assert numbers(model) - {2, 3, 7} == found


def test_without_source_every_number_of_the_code_counts() -> None:
    scope: dict[str, Any] = {}
    exec("def forward(x):\n    return x * 3 if len(x) > 53 else x", scope)
    model = nn.Module()
    model.forward = scope["forward"]
    assert numbers(model) == {53, 3}


def test_the_code_of_torch_is_not_read() -> None:
    assert numbers(nn.Sequential(nn.Linear(7, 4), nn.TransformerEncoderLayer(4, 2))) == set()


def test_a_profiler_of_the_user_is_left_alone() -> None:
    def profiler(frame: FrameType, event: str, arg: object) -> None:
        return

    before = sys.getprofile()
    sys.setprofile(profiler)
    try:
        found = numbers(Compares())
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(before)
    assert found == set()


def test_nothing_is_read_afterwards() -> None:
    before = sys.getprofile()
    numbers(Compares())
    assert sys.getprofile() is before
