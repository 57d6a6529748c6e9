"""Two numbers that differ never read the same."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tsexport.reports.numbers import counted, distinguishable, seconds

POSITIVE = st.floats(min_value=0, allow_nan=False, allow_infinity=True)


@pytest.mark.parametrize(
    ("one", "other", "texts"),
    [
        (3.14e-4, 9.92e-5, ("3.1e-04", "9.9e-05")),
        (1.0001e-4, 1e-4, ("1.0001e-04", "1.0000e-04")),
        (1e-4, 1e-4, ("1.0e-04", "1.0e-04")),
        (0.0, 1e-4, ("0", "1.0e-04")),
        (math.nan, 1e-4, ("nan", "1.0e-04")),
        (math.inf, 1e-4, ("inf", "1.0e-04")),
    ],
)
def test_two_numbers_are_distinguishable(one: float, other: float, texts: tuple[str, str]) -> None:
    assert distinguishable(one, other) == texts


@given(POSITIVE, POSITIVE)
def test_different_numbers_read_differently(one: float, other: float) -> None:
    texts = distinguishable(one, other)
    assert (texts[0] == texts[1]) == (one == other)


@pytest.mark.parametrize(("value", "text"), [(0.04, "0.0 s"), (3.21, "3.2 s"), (99.96, "100 s"), (214.6, "215 s")])
def test_seconds(value: float, text: str) -> None:
    assert seconds(value) == text


def test_counted() -> None:
    assert [counted(number, "case") for number in (0, 1, 2)] == ["0 cases", "1 case", "2 cases"]
