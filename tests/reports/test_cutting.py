"""A name that is too wide keeps its beginning and its end, and can be told from the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tsexport.reports.cutting import cut, cut_all


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("test_bert", 9, "test_bert"),
        ("test_model[a-family-of-bert]", 17, "test_model[…bert]"),
        ("test_a_long_function[bert]", 17, "test_a_l…on[bert]"),
        ("tests/test_export.py::", 12, "tests…t.py::"),
    ],
)
def test_a_name_is_cut_in_the_middle(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


def test_names_that_differ_in_the_middle_are_cut_elsewhere() -> None:
    names = ["test_model[bert-with-a-long-suffix]", "test_model[gpt2-with-a-long-suffix]"]
    assert cut_all(names, 24) == ["test_model[ber…g-suffix]", "test_model[gpt…g-suffix]"]


def test_names_that_no_cut_can_tell_apart_stay_whole() -> None:
    names = [f"{'a' * 20}{middle}{'b' * 20}" for middle in "xy"]
    assert cut_all([*names, "short"], 12) == [*names, "short"]


@given(st.lists(st.text("ab[]", min_size=1, max_size=40), min_size=1, unique=True), st.integers(6, 30))
def test_cut_names_are_as_different_as_whole_ones(names: list[str], width: int) -> None:
    shown = cut_all(names, width)
    assert len(set(shown)) == len(names)
    assert shown == names or max(map(len, shown)) <= width
