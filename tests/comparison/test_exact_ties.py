"""Proves when a file is said to decide comparisons of equal values by another rule than eager."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.comparison.exact_ties import CASES, PLACES, ExactTies, counts, tied_places


def after(*cases: tuple[int, int]) -> ExactTies:
    ties = ExactTies(counting=True)
    for tied, disagreed in cases:
        ties.count(tied, disagreed)
    return ties


@pytest.mark.parametrize(
    ("cases", "refuted"),
    [
        ([(5, 5)] * 4, True),
        ([(5, 5)] * 3, False),
        ([(20, 20), (0, 0), (0, 0), (0, 0)], False),
        ([(4, 4)] * 4, False),
        ([(5, 5)] * 3 + [(5, 4)], False),
        ([(50, 49)] * 4, True),
        ([(50, 25)] * 9, False),
    ],
)
def test_nearly_all_of_twenty_places_in_four_cases_are_no_chance(
    cases: list[tuple[int, int]], *, refuted: bool
) -> None:
    assert (PLACES, CASES) == (20, 4)
    assert after(*cases).refuted is refuted


def test_a_place_is_tied_if_the_other_decision_changes_it() -> None:
    nan = float("nan")
    eager = {"a": torch.tensor([True, False]), "b": torch.tensor([1.0, nan])}
    tied = tied_places(eager, {"a": torch.tensor([True, True]), "b": torch.tensor([1.0, nan])})
    assert {name: one.tolist() for name, one in tied.items()} == {"a": [False, True], "b": [False, False]}
    differs = {"a": torch.tensor([True, True]), "b": torch.tensor([True, False])}
    assert counts(tied, differs) == (1, 1)


def test_without_an_answer_of_the_same_shape_nothing_is_tied() -> None:
    eager = {"a": torch.zeros(2)}
    assert tied_places(eager, None) == tied_places(eager, {"a": torch.zeros(3)}) == tied_places(eager, {}) == {}
