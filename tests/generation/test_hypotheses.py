"""Proves that what hypothesis draws is ours to repeat: by the seed given, without its database or its deadline."""

from __future__ import annotations

import time
from random import Random

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st

from pytest_tsexport.errors import InputsError
from pytest_tsexport.generation.hypotheses import default_examples, derandomized, sample, smallest


def looked_at(seed: int, tries: int) -> list[int]:
    seen: list[int] = []

    def look(value: int) -> bool:
        seen.append(value)
        return False

    smallest(st.integers(0, 10**6), look, tries=tries, random=Random(seed))
    return seen


def test_the_smallest_of_what_is_wanted() -> None:
    assert smallest(st.integers(0, 1000), lambda value: value > 40, tries=100, random=Random(0)) == 41


def test_nothing_wanted_is_none() -> None:
    assert smallest(st.integers(0, 9), lambda value: value > 10, tries=50, random=Random(0)) is None


def test_the_same_seed_looks_at_the_same_values() -> None:
    assert looked_at(1, 30) == looked_at(1, 30)
    assert looked_at(1, 30) != looked_at(2, 30)


def test_no_more_than_the_tries_are_looked_at() -> None:
    assert len(looked_at(0, 25)) <= 25


def test_slow_cases_are_no_error() -> None:
    def slow(value: int) -> bool:
        time.sleep(0.3)
        return False

    assert smallest(st.integers(0, 3), slow, tries=2, random=Random(0)) is None


def test_profiles_of_hypothesis_are_heeded() -> None:
    before = settings.get_current_profile_name()
    settings.register_profile("tiny", max_examples=7, derandomize=True)
    try:
        settings.load_profile("tiny")
        assert default_examples() == 7
        assert derandomized()
    finally:
        settings.load_profile(before)


def test_a_sample_is_repeated_by_its_number_and_varies_with_it() -> None:
    strategy = st.integers(0, 10**9).map(torch.tensor)
    assert sample(strategy, (), 3) == sample(strategy, (), 3)
    assert len({int(sample(strategy, (), number)) for number in range(10)}) > 1


def test_a_strategy_that_draws_no_tensor_is_refused_in_a_sentence() -> None:
    with pytest.raises(InputsError, match=r"^strategies: drew int for shape \(2,\); give a strategy of tensors$"):
        sample(st.integers(), (2,), 0)
