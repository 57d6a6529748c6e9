"""Proves that each value which Python takes out of a tensor is recorded by the line of the model's code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_tsexport.subjects.branches import Branches

HERE = Path(__file__).name
X = torch.tensor([[1.0, 2.0]])


class Reads(nn.Module):
    """Reads a tensor in one way, on its own line."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = x.sum()
        read: dict[str, Callable[[], object]] = {
            "bool": lambda: bool(total > 1),
            "int": lambda: int(total),
            "float": lambda: float(total),
            "item": total.item,
            "tolist": x.tolist,
            "index": lambda: [0, 1, 2, 3][total.long()],
            "equal": lambda: torch.equal(x, x),
        }
        return x if read[self.way]() else x * 2


@pytest.mark.parametrize("way", ["bool", "int", "float", "item", "tolist", "index", "equal"])
def test_a_value_that_is_read_is_recorded(way: str) -> None:
    with Branches() as watch:
        Reads(way)(X)
    ((file, _), values) = next(iter(watch.seen.items()))
    assert Path(file).name == HERE
    assert len(values) == 1


def test_different_outcomes_of_a_line_are_told_apart() -> None:
    with Branches() as watch:
        for factor in (1, 2, 2):
            Reads("bool")(X / factor)
            Reads("int")(X * factor)
    assert sorted(len(values) for values in watch.seen.values()) == [1, 2]


def test_what_reads_no_tensor_records_nothing() -> None:
    with Branches() as watch:
        nn.Linear(2, 2)(X)
    assert watch.seen == {}


def test_a_line_within_torch_is_that_of_the_call() -> None:
    class Asks(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            torch.testing.assert_close(x, x)
            return x

    with Branches() as watch:
        Asks()(X)
    assert {Path(file).name for file, _ in watch.seen} <= {HERE}
