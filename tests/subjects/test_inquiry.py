"""Proves what eager is asked: the inputs at other sizes, each question once, and never without end."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

from pytest_tsexport.subjects import inquiry
from pytest_tsexport.subjects.inquiry import TOO_OFTEN, Dimension, Inquiry, resized

X = torch.arange(6).view(2, 3)
LENGTH = Dimension(name="length", size=3, places=(("x", 1), ("y", 0)))
GIVEN = {"x": X, "y": torch.tensor([7, 8, 9])}


def test_a_longer_input_repeats_its_first_slice() -> None:
    longer = resized(GIVEN, {LENGTH: 5})
    assert longer["x"].tolist() == [[0, 1, 2, 0, 0], [3, 4, 5, 3, 3]]
    assert longer["y"].tolist() == [7, 8, 9, 7, 7]


def test_a_shorter_input_is_cut() -> None:
    assert resized(GIVEN, {LENGTH: 2})["x"].tolist() == [[0, 1], [3, 4]]


def test_several_dimensions_change_at_once() -> None:
    batch = Dimension(name="batch", size=2, places=(("x", 0),))
    assert resized(GIVEN, {LENGTH: 4, batch: 3})["x"].shape == (3, 4)


class Eager:
    """Takes lengths below 5, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []

    def __call__(self, given: Mapping[str, torch.Tensor]) -> str | None:
        self.asked.append(tuple(given["x"].shape))
        return None if given["x"].shape[1] < 5 else "too long"


def test_a_question_is_asked_once() -> None:
    eager = Eager()
    asked = Inquiry(GIVEN, eager)
    assert [asked.accepts({LENGTH: size}) for size in (4, 5, 4, 5)] == [True, False, True, False]
    assert asked.refusal({LENGTH: 5}) == "too long"
    assert eager.asked == [(2, 4), (2, 5)]


def test_other_values_are_another_question() -> None:
    eager = Eager()
    asked = Inquiry(GIVEN, eager)
    assert asked.accepts({LENGTH: 4}, {"y": torch.tensor([1, 1, 1])})
    assert asked.accepts({LENGTH: 4}, {"y": torch.tensor([1, 1, 2])})
    assert len(eager.asked) == 2


def test_a_size_below_one_is_not_asked() -> None:
    eager = Eager()
    assert not Inquiry(GIVEN, eager).accepts({LENGTH: 0})
    assert eager.asked == []


def test_eager_is_not_asked_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiry, "MOST", 2)
    eager = Eager()
    asked = Inquiry(GIVEN, eager)
    assert [asked.refusal({LENGTH: size}) for size in (1, 2, 3, 1)] == [None, None, TOO_OFTEN, None]
    assert len(eager.asked) == 2
