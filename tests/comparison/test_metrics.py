"""Proves that each metric sees what its users look at, and nothing else."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.metrics import angles, distances, magnitude, mistakes, regrets
from pytest_tsexport.comparison.tolerance import Tolerance

NAN, INF = float("nan"), float("inf")
SCORES = torch.tensor([[1.0, 3.0, 2.0], [0.5, 0.0, 0.1]])


def off(actual: torch.Tensor, expected: torch.Tensor = SCORES, **tolerance: object) -> str | None:
    found = difference({"logits": expected}, {"logits": actual}, Tolerance(**tolerance))  # type: ignore[arg-type]
    return None if found is None else found.text


def test_another_choice_is_reported_with_its_cost() -> None:
    swapped = SCORES[:, [0, 2, 1]]
    assert off(swapped, metric="argmax") == (
        "logits (2, 3): another argmax at [0], whose value is 1.0e+00 less in eager, allowed 4.8e-06"
    )


def test_values_may_move_as_long_as_the_choice_stays() -> None:
    assert off(SCORES * 3 - 7, metric="argmax") is None
    assert off(SCORES * 3 - 7) is not None


def test_a_tie_break_is_not_another_choice() -> None:
    tied = torch.tensor([[1.0, 1.0, 0.0]])
    other = torch.tensor([[0.0, 1.0, 0.5]])
    assert off(other, tied, metric="argmax") is None
    nearly = torch.tensor([[1.0, 0.99, 0.0]])
    assert off(other, nearly, metric="argmax") is not None
    assert off(other, nearly, metric="argmax", rtol=0.0, atol=0.02) is None


def test_an_impossible_choice_is_infinitely_wrong() -> None:
    masked = torch.tensor([[1.0, float("-inf")]])
    assert float(regrets(masked, masked.flip(-1))) == float("inf")
    assert float(regrets(masked, masked)) == 0.0


CUBE = torch.arange(24.0).reshape(2, 3, 4)
REVERSED = CUBE.flip(-1)


@pytest.mark.parametrize("index", [(), (0,), (0, 0)], ids=["three dimensions", "two", "one"])
def test_choices_and_directions_are_along_the_last_dimension(index: tuple[int, ...]) -> None:
    expected, actual = CUBE[index], REVERSED[index]
    lost = regrets(expected, actual)
    assert lost.shape == angles(expected, actual).shape == expected.shape[:-1]
    assert lost.unique().tolist() == [3.0]
    assert torch.equal(angles(expected, expected * 2).round(decimals=6), torch.zeros(expected.shape[:-1]).double())
    cosine = torch.nn.functional.cosine_similarity(expected.double(), actual.double(), dim=-1)
    assert torch.allclose(angles(expected, actual), 1 - cosine)
    assert off(expected * 2, expected, metric="cosine") is None
    assert off(actual, expected, metric="argmax", rtol=0.0, atol=3.1) is None
    assert off(actual, expected, metric="argmax", rtol=0.0, atol=2.9) is not None


def test_the_values_allowed_for_a_choice_are_those_of_the_best() -> None:
    scores, other = torch.tensor([[10.0, 9.5], [1.0, 0.5]]), torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    found = difference({"x": scores}, {"x": other}, Tolerance(metric="argmax", rtol=0.06, atol=0.0))
    assert found is not None
    assert (found.at, found.value) == ("[1]", 0.5)
    assert found.allowed == pytest.approx(0.06)


def test_a_direction_is_what_cosine_looks_at() -> None:
    assert off(SCORES * 5, metric="cosine") is None
    assert off(-SCORES, metric="cosine") == "logits (2, 3): cosine similarity -1.000000 at [0], allowed 0.999900"
    tilted = SCORES + torch.tensor([0.0, 0.0, 0.3])
    assert off(tilted, metric="cosine") is not None
    assert off(tilted, metric="cosine", rtol=0.0, atol=0.2) is None


def test_no_direction_is_like_no_direction_and_unlike_any() -> None:
    nothing = torch.zeros(1, 3)
    assert float(angles(nothing, nothing)) == 0.0
    assert float(angles(nothing, torch.ones(1, 3))) == 1.0


def test_a_nan_or_an_infinity_of_one_alone_is_like_a_right_angle() -> None:
    row, other = torch.tensor([[1.0, 2.0]]), torch.tensor([[2.0, 4.0]])
    for value in (NAN, INF, -INF):
        for endless in (torch.tensor([[value, 2.0]]), torch.tensor([[value, value]])):
            assert float(angles(row, endless)) == 1.0
            assert float(angles(endless, row)) == 1.0
    assert float(angles(torch.tensor([[INF, 2.0]]), torch.tensor([[-INF, 2.0]]))) == 1.0
    assert float(angles(row, other)) == pytest.approx(0.0)
    assert float(angles(row, torch.tensor([[-2.0, 1.0]]))) == pytest.approx(1.0)
    assert float(angles(row, -row)) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("expected", "actual", "gaps"),
    [
        (torch.tensor([1, 5]), torch.tensor([4, 5]), [3.0, 0.0]),
        (torch.tensor([True, False]), torch.tensor([False, False]), [1.0, 0.0]),
        (torch.tensor([2**53 + 1]), torch.tensor([2**53]), [1.0]),
        (torch.tensor([200], dtype=torch.uint8), torch.tensor([100], dtype=torch.uint8), [100.0]),
    ],
)
def test_a_mistake_is_as_large_as_the_whole_numbers_are_apart_and_never_zero(
    expected: torch.Tensor, actual: torch.Tensor, gaps: list[float]
) -> None:
    assert mistakes(expected, actual).tolist() == gaps


@pytest.mark.parametrize(
    ("expected", "actual", "gaps"),
    [
        ([1.0, -2.0], [1.5, 2.0], [0.5, 4.0]),
        ([INF, -INF, NAN], [INF, -INF, NAN], [0.0, 0.0, 0.0]),
        ([INF, INF, NAN, 1.0, 1.0], [-INF, 1.0, 1.0, NAN, -INF], [INF] * 5),
        ([3 + 4j], [0j], [5.0]),
        ([3 + 4j], [0.0], [5.0]),
        ([0.0], [3 + 4j], [5.0]),
    ],
)
def test_distances_are_absolute_and_endless_where_only_one_of_two_is(
    expected: list[complex], actual: list[complex], gaps: list[float]
) -> None:
    assert distances(torch.tensor(expected), torch.tensor(actual)).tolist() == gaps


@pytest.mark.parametrize(
    ("values", "largest"), [([1.0, -3.0], 3.0), ([NAN, INF, -INF, 2.0], 2.0), ([3 - 4j], 4.0), ([], 0.0), ([NAN], 0.0)]
)
def test_the_magnitude_is_that_of_the_largest_number(values: list[complex], largest: float) -> None:
    assert magnitude(torch.tensor(values)) == largest


ENDLESS = torch.tensor([[NAN, -3.0, -2.0], [-INF, 1.0, 2.0], [INF, 1.0, INF], [NAN, NAN, NAN], [NAN, INF, -1.0]])


@pytest.mark.parametrize("metric", ["argmax", "cosine"])
def test_the_same_bits_are_no_difference_whatever_they_are(metric: str) -> None:
    assert off(ENDLESS.clone(), ENDLESS, metric=metric, rtol=0.0, atol=0.0) is None
    partly = torch.cat([ENDLESS, SCORES])
    assert off(torch.cat([ENDLESS, SCORES * 1.01]), partly, metric=metric) is None
    found = str(off(torch.cat([ENDLESS, -SCORES]), partly, metric=metric))
    assert "at [5]" in found or "at [6]" in found


@pytest.mark.parametrize("metric", ["argmax", "cosine"])
def test_what_stands_beside_a_nan_or_an_infinity_is_looked_at(metric: str) -> None:
    masked = torch.tensor([[NAN, -INF, -1.0, -2.0]])
    assert off(torch.tensor([[NAN, -INF, -1.001, -2.0]]), masked, metric=metric) is None
    assert off(torch.tensor([[NAN, -INF, -2.0, -1.0]]), masked, metric=metric) is not None
    assert off(torch.tensor([[NAN, 1.0, -1.0, -2.0]]), masked, metric=metric) is not None


@pytest.mark.parametrize("metric", ["argmax", "cosine"])
def test_a_number_alone_and_whole_numbers_have_only_their_value(metric: str) -> None:
    assert off(torch.tensor(2.0), torch.tensor(1.0), metric=metric) is not None
    assert off(torch.tensor([2, 5]), torch.tensor([1, 5]), metric=metric) is not None


@pytest.mark.parametrize("metric", ["argmax", "cosine"])
def test_shape_and_nan_count_whatever_the_metric(metric: str) -> None:
    assert off(SCORES[:1], metric=metric) == "logits has shape (1, 3), eager's has (2, 3)"
    assert off(SCORES * float("nan"), metric=metric) is not None


def test_a_metric_for_one_output_leaves_the_others_theirs() -> None:
    leaves = {"logits": SCORES, "states": SCORES}
    moved = {"logits": SCORES * 2, "states": SCORES * 2}
    found = difference(leaves, moved, Tolerance(metric={"logits": "argmax"}))
    assert found is not None
    assert found.leaf == "states"


def test_two_floating_types_are_compared_in_the_coarser_where_that_is_allowed() -> None:
    half = (SCORES * 1.001).bfloat16()
    assert off(half) == "logits is bfloat16, eager's is float32"
    assert off(half, cast=True) is None
    assert off(half * 2, cast=True) is not None
    found = difference({"logits": SCORES}, {"logits": half * 2}, Tolerance(cast=True))
    assert found is not None
    assert found.allowed == 2**-7
    assert off(SCORES.long(), cast=True) == "logits is int64, eager's is float32"
