"""Proves that each output has its own tolerance, and that what is said about one says nothing about another."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from pytest_tsexport.comparison.factors import EMULATED_MOST, EMULATED_TIMES, confirmed, times
from pytest_tsexport.comparison.sampling import spread_at
from pytest_tsexport.comparison.tolerance import OutputTolerance, Tolerance

SPREAD = {"x": torch.full((3,), 1.0, dtype=torch.float64), "y": torch.full((3,), 2.0, dtype=torch.float64)}
LEAF = torch.zeros(3)


def of(*places: float) -> torch.Tensor:
    return torch.tensor(places, dtype=torch.float64)


@pytest.mark.parametrize("said", [{"rtol": 0.5}, {"atol": 0.5}, {"metric": "argmax"}])
def test_what_is_said_about_one_output_leaves_the_other(said: dict[str, Any]) -> None:
    ((keyword, value),) = said.items()
    about_x: dict[str, Any] = {keyword: {"x": value}}
    tolerance = Tolerance(spread=SPREAD, share=0.01, **about_x)
    assert tolerance.of("x").given
    assert [getattr(tolerance.of("y"), name) for name in ("rtol", "atol", "metric")] == [None] * 3
    assert not tolerance.of("y").given


@pytest.mark.parametrize("said", [{"rtol": 0.5}, {"atol": 0.5}, {"metric": "argmax"}])
def test_what_is_said_about_all_outputs_holds_for_each(said: dict[str, Any]) -> None:
    tolerance = Tolerance(spread=SPREAD, **said)
    assert tolerance.of("x").given
    assert tolerance.of("y").given


def test_emulated_rounding_widens_only_outputs_about_which_nothing_was_said() -> None:
    eager = {"x": torch.ones(3), "y": torch.ones(3)}
    rounded = {name: leaf + 0.01 for name, leaf in eager.items()}
    widened = Tolerance(spread=SPREAD, share=0.02, rtol={"x": 0.0}, atol={"x": 0.001}).widened(eager, rounded)
    assert widened.of("x").allowed(eager["x"]).tolist() == pytest.approx([0.001] * 3)
    assert widened.of("y").allowed(eager["y"]).tolist() == pytest.approx([EMULATED_TIMES * 0.01] * 3, rel=1e-3)
    by_metric = Tolerance(spread=SPREAD, share=0.02, metric={"x": "argmax"}).widened(eager, rounded)
    assert [by_metric.of(name).slack is None for name in eager] == [True, False]


def slack(ruler: OutputTolerance, expected: torch.Tensor, rounded: torch.Tensor) -> list[float]:
    found = ruler.slack_by(expected, rounded)
    assert found is not None
    return [float(one) for one in found]


@pytest.mark.parametrize(("spread", "magnitude"), [(2.0, 1.0), (1.0, 2.0)])
def test_emulated_rounding_allows_a_few_shares_of_the_spread_or_the_magnitude_at_most(
    spread: float, magnitude: float
) -> None:
    expected = torch.tensor([magnitude, 0.0])
    ruler = OutputTolerance(name="x", spread=of(spread, 0.1), share=0.02)
    assert slack(ruler, expected, expected + 9) == pytest.approx([EMULATED_MOST * 0.02 * 2.0] * 2)


def test_a_device_may_be_off_by_five_times_the_emulated_error_and_by_four_shares_at_most() -> None:
    assert (EMULATED_TIMES, EMULATED_MOST) == (5.0, 4.0)
    ruler = OutputTolerance(name="x", spread=of(1.0, 1.0), share=0.02)
    expected = torch.zeros(2)
    assert slack(ruler, expected, expected + torch.tensor([0.01, 0.0])) == pytest.approx([0.05, 0.0])
    assert slack(ruler, expected, expected + 0.1) == pytest.approx([0.08] * 2)
    assert ruler.slack_by(torch.zeros(0), torch.zeros(0)) is None


def test_slack_counts_only_beyond_what_the_spread_allows() -> None:
    ruler = OutputTolerance(name="x", spread=of(1.0), shared=True, slack=of(1e-5, 1e-3, 0.0))
    assert ruler.allowed(LEAF).tolist() == pytest.approx([1e-4, 1e-3, 1e-4])
    assert OutputTolerance(name="x", rtol=0.0, atol=0.5, slack=of(9.0, 9.0, 9.0)).allowed(LEAF).tolist() == [0.5] * 3


@pytest.mark.parametrize(("said", "allowed"), [({"rtol": 0.1}, [1.0, 0.0]), ({"atol": 0.1}, [0.1, 0.1])])
def test_one_of_the_two_numbers_alone_leaves_the_other_zero(said: dict[str, Any], allowed: list[float]) -> None:
    assert OutputTolerance(name="x", spread=of(9.0), **said).allowed(torch.tensor([-10.0, 0.0])).tolist() == (
        pytest.approx(allowed)
    )
    gaps = OutputTolerance(name="x", metric="cosine", **said).gaps(torch.ones(2), torch.ones(2))
    assert float(gaps[1]) == pytest.approx(0.1)


def test_the_coarser_of_two_floating_types_is_that_with_the_larger_step() -> None:
    half, brain, single = (torch.ones(1, dtype=one) for one in (torch.float16, torch.bfloat16, torch.float32))
    ruler = OutputTolerance(name="x", cast=True)
    assert [one.dtype for one in ruler.aligned(half, brain)] == [torch.bfloat16] * 2
    assert [one.dtype for one in ruler.aligned(single, half)] == [torch.float16] * 2
    assert [one.dtype for one in ruler.aligned(single, single.long())] == [torch.float32, torch.int64]
    assert [one.dtype for one in ruler.aligned(single.long(), single)] == [torch.int64, torch.float32]
    assert [one.dtype for one in OutputTolerance(name="x").aligned(single, half)] == [torch.float32, torch.float16]


@pytest.mark.parametrize("rounded", [torch.full((3,), math.nan), torch.full((3,), math.inf), torch.ones(4)])
def test_nan_infinity_and_another_shape_widen_nothing(rounded: torch.Tensor) -> None:
    assert OutputTolerance(name="x", spread=of(1.0), share=0.02).slack_by(torch.ones(3), rounded) is None


def test_a_device_is_allowed_its_share_and_never_less_than_the_dtypes() -> None:
    ruler = OutputTolerance(name="x", spread=of(1.0), share=0.02)
    assert float(ruler.by_spread(LEAF)) == 0.02
    assert float(ruler.by_spread(LEAF.bfloat16())) == 5e-2
    assert float(OutputTolerance(name="x", spread=of(1.0)).by_spread(LEAF.to(torch.complex64))) == 1e-4


def test_a_share_is_allowed_only_where_the_file_computes_in_another_way() -> None:
    plain = OutputTolerance(name="x", spread=of(1.0), share=0.02)
    assert plain.allowed(LEAF).tolist() == [0.0] * 3
    assert Tolerance(spread=SPREAD, rtol={"y": 0.1}).sharing().of("x").allowed(LEAF).tolist() == [1e-4] * 3


def test_a_huge_place_allows_nothing_at_another() -> None:
    ruler = OutputTolerance(name="x", spread=of(1e6, 1.0), shared=True, noise=of(1e3, 1e-6))
    assert ruler.allowed(torch.tensor([1e9, 0.0])).tolist() == pytest.approx([1e3 + 8 * 2**-23 * 1e9, 1e-4])
    measured = OutputTolerance(name="x", spread=of(1e6, 1.0), noise=of(1e3, 1e-6))
    assert measured.allowed(torch.tensor([-1e9, 1.0])).tolist() == pytest.approx([1e3 + 2**-22 * 1e9, 1e-6 + 2**-22])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((2, 3), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
        ((5, 3), [[4.0, 5.0, 6.0]]),
        ((2, 9), [[3.0], [6.0]]),
        ((5, 9), [[6.0]]),
        ((6,), 6.0),
        ((), 6.0),
    ],
)
def test_a_dimension_of_the_traced_size_keeps_its_places_and_the_largest_counts_along_another(
    shape: tuple[int, ...], expected: object
) -> None:
    spread = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert spread_at(spread, shape).tolist() == expected
    assert float(spread_at(None, shape)) == float(spread_at(torch.zeros(0), shape)) == 0.0


def test_a_movement_in_the_wider_type_counts_up_to_a_thousand_times_that_under_nudges() -> None:
    wider, nudged = of(5.0, 5.0, 5e4, 0.0, 5.0), of(1.0, 9.0, 1.0, 3.0, 0.0)
    assert confirmed(wider, nudged).tolist() == [5.0, 9.0, 1024.0, 3.0, 5.0]


def test_a_movement_is_allowed_thirty_two_times_and_in_half_precision_four_times() -> None:
    assert (times(half=False), times(half=True)) == (32.0, 4.0)


def test_the_noise_of_an_output_counts_where_nothing_was_said_about_it() -> None:
    tolerance = Tolerance(rtol={"y": 0.0}, atol={"y": 0.5}).measured({"x": of(1.0, 2.0, 0.0), "y": of(9.0, 9.0, 9.0)})
    assert tolerance.of("x").allowed(LEAF).tolist() == [1.0, 2.0, 0.0]
    assert tolerance.of("y").allowed(LEAF).tolist() == [0.5] * 3


def test_what_a_tolerance_hides_is_a_share_of_the_spread_at_the_place_where_that_is_most() -> None:
    ruler = OutputTolerance(name="x", spread=of(2.0, 0.5, 0.0), rtol=0.0, atol=0.1)
    assert ruler.hides(LEAF) == pytest.approx(0.2)
    assert OutputTolerance(name="x", rtol=0.0, atol=0.1).hides(LEAF) == 0.0
    assert OutputTolerance(name="x", spread=of(2.0), rtol=0.0, atol=0.1).hides(torch.zeros(0)) == 0.0
    assert OutputTolerance(name="x", spread=of(2.0), metric="cosine").hides(LEAF) == 0.0


def test_the_derived_tolerance_ignores_the_user_and_the_device() -> None:
    noise = {"x": of(9.0, 9.0, 9.0)}
    tolerance = Tolerance(
        spread=SPREAD, rtol=0.5, atol=0.5, metric="argmax", cast=True, share=0.5, slack=noise, noise=noise
    )
    derived = tolerance.derived().of("x")
    assert derived.allowed(LEAF).tolist() == pytest.approx([1e-4] * 3)
    assert (derived.given, derived.cast) == (False, False)


def test_a_choice_may_lose_what_its_own_value_and_the_best_one_may_be_off_by() -> None:
    expected, actual = torch.tensor([[1.0, 0.9999, 5e-9]]), torch.tensor([[0.0, 1.0, 0.0]])
    ruler = OutputTolerance(name="x", metric="argmax", spread=of(0.7, 0.5, 1e9).reshape(1, 3))
    regret, allowed = ruler.gaps(expected, actual)
    assert float(regret) == pytest.approx(1e-4, rel=1e-2)
    assert float(allowed) == pytest.approx(1.2e-4, rel=2e-2)


def test_a_metric_sees_what_moves_in_it_alone() -> None:
    scores = torch.tensor([[1.0, 3.0, 2.0]])
    swapped = torch.tensor([[3.0, 1.0, 2.0]])
    argmax, cosine, close = (OutputTolerance(name="x", metric=metric) for metric in ("argmax", "cosine", None))
    assert [ruler.sees(scores, scores * 2) for ruler in (argmax, cosine, close)] == [False, False, True]
    assert [ruler.sees(scores, swapped) for ruler in (argmax, cosine, close)] == [True, True, True]


def test_where_no_place_has_a_finite_share_nothing_is_hidden() -> None:
    limit = Tolerance(spread={"x": torch.tensor([1.0, 2.0])}).of("x")
    assert limit.hides(torch.tensor([float("nan"), float("nan")])) >= 0.0
