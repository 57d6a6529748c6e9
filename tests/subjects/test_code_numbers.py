"""Proves which whole numbers are read in the source of the functions that eager runs."""

from __future__ import annotations

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
