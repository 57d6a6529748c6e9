"""Proves what counts as a difference between two answers, and how much of one is allowed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from pytest_tsexport.cases.findings import Difference
from pytest_tsexport.comparison.difference import difference, distance
from pytest_tsexport.comparison.factors import noise_floor
from pytest_tsexport.comparison.tolerance import BY_KERNELS, Tolerance

INF, NAN = math.inf, math.nan


def sharing(**spread: float) -> Tolerance:
    """A tolerance that is a share of a spread that is the same at each place."""
    return Tolerance(spread={name: torch.tensor(one, dtype=torch.float64) for name, one in spread.items()}, shared=True)


WIDE = sharing(x=1.0)


def compared(expected: torch.Tensor, actual: torch.Tensor, tolerance: Tolerance = WIDE) -> Difference | None:
    return difference({"x": expected}, {"x": actual}, tolerance)


def found(expected: torch.Tensor, actual: torch.Tensor, tolerance: Tolerance = WIDE) -> Difference:
    one = compared(expected, actual, tolerance)
    assert one is not None
    return one


def test_equal_answers_do_not_differ() -> None:
    assert compared(torch.tensor([1.0, NAN, INF, -INF]), torch.tensor([1.0, NAN, INF, -INF])) is None


@pytest.mark.parametrize(
    ("off", "differs"), [(0.5e-4, False), (0.99e-4, False), (1.02e-4, True), (1e-3, True), (-1.02e-4, True)]
)
def test_float32_may_be_off_by_a_ten_thousandth_of_the_spread(off: float, *, differs: bool) -> None:
    assert (compared(torch.zeros(3), torch.tensor([0.0, off, 0.0])) is not None) is differs


@pytest.mark.parametrize(("off", "differs"), [(0.5, False), (-0.5, False), (0.5 + 2**-20, True)])
def test_a_tolerance_may_be_used_up(off: float, *, differs: bool) -> None:
    assert (compared(torch.zeros(1), torch.tensor([off]), Tolerance(rtol=0.0, atol=0.5)) is not None) is differs


@pytest.mark.parametrize(("spread", "differs"), [(1.0, False), (0.1, True), (0.0, True)])
def test_the_allowance_follows_the_spread(spread: float, *, differs: bool) -> None:
    tolerance = sharing(x=spread)
    assert (compared(torch.zeros(3), torch.full((3,), 0.5e-4), tolerance) is not None) is differs


@pytest.mark.parametrize(
    ("dtype", "share"),
    [(torch.float64, 1e-4), (torch.float32, 1e-4), (torch.float16, 5e-3), (torch.bfloat16, 5e-2)],
)
def test_the_share_of_the_spread_is_that_of_the_dtype(dtype: torch.dtype, share: float) -> None:
    assert sharing(x=2.0).of("x").allowed(torch.zeros(2, dtype=dtype)).tolist() == pytest.approx([2 * share] * 2)


def test_two_kernels_may_differ_by_eight_units_in_the_last_place_of_the_largest() -> None:
    expected = torch.tensor([1000.0, 1.0])
    floor = noise_floor(expected)
    assert floor == pytest.approx(8 * 2**-23 * 1000)
    assert compared(expected, expected + torch.tensor([0.0, 0.9 * floor]), BY_KERNELS) is None
    assert compared(expected, expected + torch.tensor([0.0, 1.1 * floor]), BY_KERNELS) is not None


@pytest.mark.parametrize(("dtype", "last"), [(torch.float64, 2), (torch.float32, 2), (torch.float16, 1)])
def test_where_nothing_was_measured_an_element_may_be_off_by_its_own_last_rounding(
    dtype: torch.dtype, last: int
) -> None:
    expected, ulp = torch.tensor([1000.0, 1.0], dtype=dtype), torch.finfo(dtype).eps
    for off, differs in ((last * ulp, False), ((last + 1) * ulp, True)):
        assert (
            compared(expected, expected + torch.tensor([0.0, off], dtype=dtype), Tolerance()) is not None
        ) is differs


@pytest.mark.parametrize("expected", [torch.tensor([1, 2]), torch.tensor([True]), torch.zeros(0), torch.zeros(3)])
def test_there_is_no_noise_where_there_is_nothing_to_round(expected: torch.Tensor) -> None:
    assert noise_floor(expected) == 0.0


def test_nan_and_infinity_do_not_raise_the_noise() -> None:
    assert noise_floor(torch.tensor([1.0, NAN, INF])) == pytest.approx(8 * 2**-23)


@pytest.mark.parametrize(
    ("expected", "actual", "differs"),
    [
        (torch.tensor([1, 2]), torch.tensor([1, 3]), True),
        (torch.tensor([True, False]), torch.tensor([True, True]), True),
        (torch.tensor([2**62]), torch.tensor([2**62 + 1]), True),
        (torch.tensor([200], dtype=torch.uint8), torch.tensor([100], dtype=torch.uint8), True),
        (torch.tensor([1, 2]), torch.tensor([1, 2]), False),
    ],
)
def test_integers_and_booleans_are_exact(expected: torch.Tensor, actual: torch.Tensor, *, differs: bool) -> None:
    assert (compared(expected, actual) is not None) is differs


@pytest.mark.parametrize(
    ("expected", "actual", "kind", "text"),
    [
        (torch.zeros(2, 3), torch.zeros(3, 2), "shape", "x has shape (3, 2), eager's has (2, 3)"),
        (torch.zeros(()), torch.zeros(1), "shape", "x has shape (1,), eager's has ()"),
        (torch.zeros(0), torch.zeros(1), "shape", "x has shape (1,), eager's has (0,)"),
        (torch.zeros(2), torch.zeros(2).double(), "dtype", "x is float64, eager's is float32"),
        (torch.zeros(0), torch.zeros(0).half(), "dtype", "x is float16, eager's is float32"),
        (torch.zeros(2), torch.tensor([0, NAN]), "nan", "x (2,): the artifact is NaN at [1], eager is not"),
        (torch.tensor([NAN, 0]), torch.zeros(2), "nan", "x (2,): eager is NaN at [0], the artifact is not"),
        (torch.zeros(3), torch.tensor([0, NAN, NAN]), "nan", "x (3,): the artifact is NaN at [1], eager is not"),
        (torch.zeros(2), torch.tensor([0.0, 3.0]), "value", "x (2,): off by 3.0e+00 at [1], allowed 1.0e-04"),
        (torch.zeros(()), torch.tensor(3.0), "value", "x (): off by 3.0e+00 at [], allowed 1.0e-04"),
        (torch.zeros(2), torch.tensor([0.0, INF]), "value", "x (2,): off by inf at [1], allowed 1.0e-04"),
        (torch.tensor([INF]), torch.tensor([-INF]), "value", "x (1,): off by inf at [0], allowed 0.0e+00"),
        (torch.tensor([INF]), torch.tensor([1.0]), "value", "x (1,): off by inf at [0], allowed 0.0e+00"),
    ],
)
def test_what_differs_is_described(expected: torch.Tensor, actual: torch.Tensor, kind: str, text: str) -> None:
    one = found(expected, actual)
    assert (one.kind, one.text) == (kind, text)


@pytest.mark.parametrize(
    "actual",
    [{"x": torch.zeros(3)}, {"x": torch.zeros(2).double()}, {"y": torch.zeros(2)}, {"x": torch.tensor([0, NAN])}],
)
def test_what_is_no_matter_of_degree_is_beyond_any_tolerance(actual: dict[str, torch.Tensor]) -> None:
    one = difference({"x": torch.zeros(2)}, actual, Tolerance(rtol=1e9, atol=1e9))
    assert one is not None
    assert not math.isfinite(one.value)
    assert one.allowed == 0.0


@pytest.mark.parametrize(
    ("actual", "leaf"),
    [({"a": torch.zeros(1)}, "b"), ({"a": torch.zeros(1), "b": torch.zeros(1), "c": torch.zeros(1)}, "c")],
)
def test_a_missing_and_an_extra_leaf_are_named(actual: dict[str, torch.Tensor], leaf: str) -> None:
    one = difference({"a": torch.zeros(1), "b": torch.zeros(1)}, actual, WIDE)
    assert one is not None
    assert (one.kind, one.leaf) == ("structure", leaf)


def test_what_each_of_the_two_returns_is_listed() -> None:
    one = torch.zeros(1)
    pairs: list[tuple[list[str], list[str], str]] = [
        (["a", "b"], ["a"], "eager returns a, b; the artifact returns a"),
        (["a"], ["b", "a"], "eager returns a; the artifact returns b, a"),
        ([], ["a"], "eager returns nothing; the artifact returns a"),
        (["a"], [], "eager returns a; the artifact returns nothing"),
    ]
    for expected, actual, text in pairs:
        found = difference(dict.fromkeys(expected, one), dict.fromkeys(actual, one), WIDE)
        assert found is not None
        assert found.text == text


def test_leaves_in_another_order_differ() -> None:
    one, two = torch.zeros(1), torch.ones(1)
    found = difference({"a": one, "b": two}, {"b": two, "a": one}, WIDE)
    assert found is not None
    assert found.kind == "structure"


def test_the_worst_leaf_is_reported_and_structure_before_values() -> None:
    expected = {name: torch.zeros(1) for name in "abc"}
    values = {"a": torch.full((1,), 0.1), "b": torch.full((1,), 5.0), "c": torch.full((1,), 0.2)}
    tolerance = sharing(a=1.0, b=1.0, c=1.0)
    worst = difference(expected, values, tolerance)
    assert worst is not None
    assert worst.leaf == "b"
    shaped = difference(expected, {**values, "c": torch.zeros(2)}, tolerance)
    assert shaped is not None
    assert (shaped.leaf, shaped.kind) == ("c", "shape")


def test_a_leaf_is_judged_by_its_own_spread() -> None:
    tolerance = sharing(a=100.0, b=1.0)
    one = difference(
        {name: torch.zeros(1) for name in "ab"}, {name: torch.full((1,), 5e-3) for name in "ab"}, tolerance
    )
    assert one is not None
    assert one.leaf == "b"


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Tolerance(rtol=0.1, atol=1.0), [1.0, 2.0]),
        (lambda: Tolerance(rtol={"x": 0.1}, atol={"x": 1.0}), [1.0, 2.0]),
        (lambda: replace(sharing(x=9.0), rtol=0.0, atol=0.0), [0.0, 0.0]),
    ],
)
def test_the_users_own_tolerance_replaces_the_rule(make: Callable[[], Tolerance], expected: list[float]) -> None:
    assert make().of("x").allowed(torch.tensor([0.0, -10.0])).tolist() == pytest.approx(expected)


def test_the_users_own_tolerance_for_another_output_leaves_the_rule() -> None:
    tolerance = replace(sharing(x=1.0), rtol={"y": 0.5}, atol={"y": 0.5})
    assert tolerance.of("x").allowed(torch.zeros(2)).tolist() == pytest.approx([1e-4] * 2)


def test_the_reported_element_is_the_one_furthest_above_its_own_tolerance() -> None:
    expected, actual = torch.tensor([1000.0, 1.0]), torch.tensor([1050.0, 2.0])
    one = found(expected, actual, Tolerance(rtol=0.1, atol=0.0))
    assert (one.at, one.value) == ("[1]", 1.0)
    assert one.allowed == pytest.approx(0.1)


def test_an_infinity_of_eagers_does_not_allow_everything() -> None:
    assert compared(torch.tensor([INF]), torch.tensor([1.0]), Tolerance(rtol=0.1, atol=0.0)) is not None


def test_where_both_are_nan_nothing_is_allowed_and_nothing_differs() -> None:
    nan = {"x": torch.tensor([NAN])}
    assert distance(nan, nan, Tolerance(rtol=0.1, atol=0.0)) == (0.0, 0.0, "x")


def test_complex_answers_are_compared() -> None:
    spectrum = torch.tensor([1 + 1j, 2 - 2j])
    assert compared(spectrum, spectrum.clone()) is None
    assert compared(spectrum, spectrum + 1j) is not None


def test_distance_says_how_near_an_equal_answer_came() -> None:
    value, allowed, leaf = distance({"x": torch.zeros(2)}, {"x": torch.tensor([0.0, 5e-5])}, WIDE)
    assert [value, allowed] == pytest.approx([5e-5, 1e-4])
    assert leaf == "x"
    assert distance({"x": torch.zeros(2)}, {"y": torch.zeros(2)}, WIDE) == (0.0, 0.0, "")


def test_distance_is_that_of_the_output_nearest_to_its_own_tolerance() -> None:
    tolerance = sharing(a=1.0, b=100.0, c=1.0)
    expected = {name: torch.zeros(2) for name in "abc"}
    actual = {"a": torch.tensor([4e-5, 0.0]), "b": torch.tensor([0.0, 1e-3]), "c": torch.tensor([0.0, 6e-5])}
    value, allowed, leaf = distance(expected, actual, tolerance)
    assert leaf == "c"
    assert [value, allowed] == pytest.approx([6e-5, 1e-4])
    exact = replace(tolerance, rtol={"b": 0.0}, atol={"b": 0.0})
    assert distance(expected, actual, exact)[2] == "b"


def test_of_outputs_that_come_equally_near_the_first_counts() -> None:
    same = {name: torch.zeros(2) for name in "ab"}
    assert distance(same, same, Tolerance(rtol=0.0, atol=0.5)) == (0.0, 0.5, "a")


def test_what_has_no_values_or_another_shape_comes_near_nothing() -> None:
    expected = {"a": torch.zeros(0), "b": torch.zeros(2), "c": torch.zeros(2)}
    actual = {"a": torch.zeros(0), "b": torch.zeros(3), "c": torch.zeros(2)}
    assert distance(expected, actual, WIDE)[2] == "c"
    assert distance({"a": expected["a"]}, actual, WIDE) == (0.0, 0.0, "")


def test_the_place_of_a_difference_has_one_index_for_each_dimension() -> None:
    actual = torch.zeros(2, 3, 4)
    actual[1, 0, 2] = 5.0
    one = found(torch.zeros(2, 3, 4), actual)
    assert (one.at, one.leaf, one.kind) == ("[1, 0, 2]", "x", "value")
    assert one.text == "x (2, 3, 4): off by 5.0e+00 at [1, 0, 2], allowed 1.0e-04"


def test_of_two_values_the_one_further_beyond_its_own_tolerance_is_worse() -> None:
    expected = {name: torch.zeros(1) for name in "ab"}
    actual = {"a": torch.full((1,), 5.0), "b": torch.full((1,), 1.0)}
    worst = difference(expected, actual, sharing(a=1000.0, b=1.0))
    assert worst is not None
    assert worst.leaf == "b"
    exact = difference(expected, actual, Tolerance(rtol=0.0, atol={"a": 0.1, "b": 0.0}))
    assert exact is not None
    assert (exact.leaf, exact.allowed) == ("b", 0.0)
