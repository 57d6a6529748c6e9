"""Proves that each output has its own tolerance, and that what is said about one says nothing about another."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from pytest_tsexport.comparison.difference import is_above_noise
from pytest_tsexport.comparison.tolerance import EMULATED_MOST, EMULATED_TIMES, OutputTolerance, Tolerance, noise_floor

SPREAD = {"x": 1.0, "y": 2.0}
LEAF = torch.zeros(3)


@pytest.mark.parametrize("said", [{"rtol": 0.5}, {"atol": 0.5}, {"metric": "argmax"}])
def test_what_is_said_about_one_output_leaves_the_other(said: dict[str, Any]) -> None:
    ((keyword, value),) = said.items()
    about_x: dict[str, Any] = {keyword: {"x": value}}
    tolerance = Tolerance(spread=SPREAD, share=0.01, **about_x)
    assert tolerance.of("x").given
    assert tolerance.of("y") == Tolerance(spread=SPREAD, share=0.01).of("y")
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
    assert float(widened.of("y").allowed(eager["y"])) == pytest.approx(EMULATED_TIMES * 0.01, rel=1e-3)
    by_metric = Tolerance(spread=SPREAD, share=0.02, metric={"x": "argmax"}).widened(eager, rounded)
    assert [by_metric.of(name).slack > 0 for name in eager] == [False, True]


@pytest.mark.parametrize(("spread", "magnitude"), [(2.0, 1.0), (1.0, 2.0)])
def test_emulated_rounding_allows_a_few_shares_of_the_spread_or_the_magnitude_at_most(
    spread: float, magnitude: float
) -> None:
    expected = torch.tensor([magnitude, 0.0])
    ruler = OutputTolerance(name="x", spread=spread, share=0.02)
    assert ruler.slack_by(expected, expected + 9) == pytest.approx(EMULATED_MOST * 0.02 * 2.0)


def test_a_device_may_be_off_by_five_times_the_emulated_error_and_by_four_shares_at_most() -> None:
    assert (EMULATED_TIMES, EMULATED_MOST) == (5.0, 4.0)
    ruler = OutputTolerance(name="x", spread=1.0, share=0.02)
    expected = torch.zeros(2)
    assert ruler.slack_by(expected, expected + 0.01) == pytest.approx(0.05)
    assert ruler.slack_by(expected, expected + 0.1) == pytest.approx(0.08)
    assert ruler.slack_by(torch.zeros(0), torch.zeros(0)) == 0.0


def test_slack_counts_only_beyond_what_the_spread_allows() -> None:
    for slack, allowed in ((1e-5, 1e-4), (1e-3, 1e-3)):
        ruler = OutputTolerance(name="x", spread=1.0, slack=slack)
        assert float(ruler.allowed(LEAF)) == pytest.approx(allowed)
        assert float(OutputTolerance(name="x", rtol=0.0, atol=0.5, slack=slack).allowed(LEAF)[0]) == 0.5


@pytest.mark.parametrize(("said", "allowed"), [({"rtol": 0.1}, [1.0, 0.0]), ({"atol": 0.1}, [0.1, 0.1])])
def test_one_of_the_two_numbers_alone_leaves_the_other_zero(said: dict[str, Any], allowed: list[float]) -> None:
    assert OutputTolerance(name="x", spread=9.0, **said).allowed(torch.tensor([-10.0, 0.0])).tolist() == (
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
    assert OutputTolerance(name="x", spread=1.0, share=0.02).slack_by(torch.ones(3), rounded) == 0.0


def test_a_device_is_allowed_its_share_and_never_less_than_the_dtypes() -> None:
    assert OutputTolerance(name="x", spread=1.0, share=0.02).by_spread(torch.float32) == 0.02
    assert OutputTolerance(name="x", spread=1.0, share=0.02).by_spread(torch.bfloat16) == 5e-2
    assert OutputTolerance(name="x", spread=1.0).by_spread(torch.complex64) == 1e-4


def test_what_a_tolerance_hides_is_a_share_of_the_spread() -> None:
    assert OutputTolerance(name="x", spread=2.0, rtol=0.0, atol=0.1).hides(LEAF) == pytest.approx(0.05)
    assert OutputTolerance(name="x", rtol=0.0, atol=0.1).hides(LEAF) == 0.0
    assert OutputTolerance(name="x", spread=2.0, rtol=0.0, atol=0.1).hides(torch.zeros(0)) == 0.0


def test_the_derived_tolerance_ignores_the_user_and_the_device() -> None:
    tolerance = Tolerance(spread=SPREAD, rtol=0.5, atol=0.5, metric="argmax", cast=True, share=0.5, slack={"x": 9.0})
    assert tolerance.derived().of("x") == OutputTolerance(name="x", spread=1.0)


def test_what_is_above_noise_is_seen_where_nothing_was_said() -> None:
    expected = {"x": torch.ones(3), "y": torch.ones(3)}
    floor = noise_floor(expected["x"])
    beyond = {"x": expected["x"] + 4 * floor, "y": expected["y"]}
    within = {"x": expected["x"] + 0.5 * floor, "y": expected["y"]}
    assert is_above_noise(expected, beyond, Tolerance(spread=SPREAD))
    assert not is_above_noise(expected, within, Tolerance(spread=SPREAD))
    assert is_above_noise(expected, beyond, Tolerance(spread=SPREAD, rtol={"y": 0.1}))
    assert not is_above_noise(expected, beyond, Tolerance(spread=SPREAD, rtol={"x": 0.1}))
    assert not is_above_noise(expected, beyond, Tolerance(spread=SPREAD, atol=0.1))


def test_a_metric_sees_what_moves_in_it_alone() -> None:
    scores = torch.tensor([[1.0, 3.0, 2.0]])
    swapped = torch.tensor([[3.0, 1.0, 2.0]])
    argmax, cosine, close = (OutputTolerance(name="x", metric=metric) for metric in ("argmax", "cosine", None))
    assert [ruler.sees(scores, scores * 2) for ruler in (argmax, cosine, close)] == [False, False, True]
    assert [ruler.sees(scores, swapped) for ruler in (argmax, cosine, close)] == [True, True, True]
