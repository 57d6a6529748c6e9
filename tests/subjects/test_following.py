"""Proves that the number of placeholders follows from sizes where no likely rule says how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import pytest

from pytest_tsexport.subjects.fields import Rule
from pytest_tsexport.subjects.following import grown
from tests.subjects.test_placing import answers, built

Sizes = Mapping[str, int]
SIDES = [("height", 4, 2), ("width", 6, 2)]


@pytest.mark.parametrize(
    ("count", "rule"),
    [
        (lambda of: of["height"] * of["width"] // 4, "1/4 * height * width"),
        (lambda of: of["height"] // 2 * (of["width"] // 2 + 1) + 2, "1/4 * height * width + 1/2 * height + 2"),
        (lambda of: of["height"] + of["width"] - 1, "height + width - 1"),
    ],
    ids=["an area", "an area with an end of each line", "an edge"],
)
def test_four_counts_say_how_a_number_grows(count: Callable[[Sizes], int], rule: str) -> None:
    assert str(grown(SIDES, count)) == rule


def test_one_side_needs_two_counts() -> None:
    assert grown([("frames", 100, 100)], lambda of: of["frames"] * 13 // 100) == Rule(
        terms=((Fraction(13, 100), ("frames",)),)
    )


@pytest.mark.parametrize(
    "count",
    [lambda of: 7, lambda of: None, lambda of: of["width"] if of["height"] == 4 else None],
    ids=["always as many", "never counted", "not counted everywhere"],
)
def test_a_number_that_does_not_grow_or_is_not_counted_has_no_rule(count: Callable[[Sizes], int | None]) -> None:
    assert grown(SIDES, count) is None


def test_a_rule_that_is_no_whole_number_is_none() -> None:
    assert grown([("frames", 3, 2)], lambda of: (of["frames"] + 1) // 4) is None


def test_the_ends_of_lines_are_counted_with_the_patches() -> None:
    subject = built("hunyuan_vl")
    rule = "text + 1/4 * grid_height * grid_width + 1/2 * grid_height + 2"
    assert str(subject.axis("sequence").rule) == rule
    assert answers(subject, grid_height=8, grid_width=4, text=3)


def test_whole_chunks_of_frames_have_as_many_features_each() -> None:
    subject = built("qwen3_asr")
    assert str(subject.axis("sequence").rule) == "text + 13/100 * frames"
    assert answers(subject, frames=300)
