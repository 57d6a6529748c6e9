"""Proves which sizes of an axis fit: those of its steps, and those that follow from other axes."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pytest_tsexport.subjects.fields import Axis, Rule, fitted

ONE = Fraction(1)
HEIGHT, WIDTH = Axis(name="height", size=28, step=14), Axis(name="width", size=4)
CELLS = Rule(terms=((Fraction(1, 14), ("height", "width")),), offset=1)
LENGTH = Axis(name="length", size=9, rule=CELLS)


@pytest.mark.parametrize(
    ("size", "fits"), [(28, 28), (29, 28), (41, 28), (42, 42), (27, 14), (14, 14), (1, 14), (0, 14)]
)
def test_a_size_between_steps_becomes_the_smaller_one(size: int, fits: int) -> None:
    assert HEIGHT.fitting(size) == fits


@pytest.mark.parametrize(("size", "fits"), [(15, 15), (16, 15), (1, 1), (14, 1)])
def test_steps_begin_at_the_traced_size(size: int, fits: int) -> None:
    assert Axis(name="tokens", size=29, step=14).fitting(size) == fits


def test_the_lowest_size_is_kept() -> None:
    assert Axis(name="height", size=28, step=14, low=20).fitting(21) == 28


def test_an_axis_without_steps_takes_any_size() -> None:
    assert [WIDTH.fitting(size) for size in (0, 1, 5)] == [0, 1, 5]


def test_an_axis_with_a_rule_follows() -> None:
    sizes = {"height": 43, "width": 5, "length": 99}
    assert fitted((LENGTH, HEIGHT, WIDTH), sizes) == {"length": 16, "height": 42, "width": 5}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Rule(terms=((ONE, ("height", "width")),)), "height * width"),
        (Rule(terms=((ONE, ("past",)), (Fraction(2), ("new",))), offset=-1), "past + 2 * new - 1"),
        (CELLS, "1/14 * height * width + 1"),
    ],
)
def test_a_rule_as_text(rule: Rule, text: str) -> None:
    assert str(rule) == text
