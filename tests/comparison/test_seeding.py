"""Proves that a model which draws numbers draws the same ones in each check, and that the user's generators stay."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from pytest_tsexport.comparison.seeding import seeded

DRAWS: list[Callable[[], float]] = [lambda: float(torch.rand(())), random.random, lambda: float(np.random.rand())]

each_generator = pytest.mark.parametrize("draw", DRAWS, ids=["torch", "python", "numpy"])


@each_generator
def test_the_same_number_gives_the_same_draws_and_another_gives_others(draw: Callable[[], float]) -> None:
    def drawn(number: int) -> float:
        with seeded(number):
            return draw()

    assert drawn(3) == drawn(3) != drawn(4)


@each_generator
def test_draws_inside_are_not_seen_outside(draw: Callable[[], float]) -> None:
    with seeded(1):
        before = draw()
        with seeded(2):
            draw()
        after = draw()
    with seeded(1):
        assert [draw(), draw()] == [before, after]


@each_generator
def test_an_exception_gives_the_generators_back_too(draw: Callable[[], float]) -> None:
    with seeded(1):
        with pytest.raises(ValueError, match="inside"), seeded(2):
            draw()
            raise ValueError("inside")
        first = draw()
    with seeded(1):
        assert draw() == first


def test_numpy_need_not_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "numpy")
    with seeded(1):
        one = float(torch.rand(()))
    with seeded(1):
        assert float(torch.rand(())) == one
