"""A value in a sentence is one short line, whatever it is."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.config.shown import MOST, raised_by, shown, with_article
from tests.plugin.specimens import SaysNothing


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), ("a", "'a'"), ([1, "b"], "[1, 'b']"), (SaysNothing(), "a SaysNothing"), ({"a": None}, "{'a': None}")],
)
def test_a_short_value_is_shown_as_python_writes_it(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_long_value_is_one_line_and_cut() -> None:
    text = shown(torch.ones(30, 30))
    assert text.startswith("tensor([[1., 1.,")
    assert text.endswith("…")
    assert len(text) == MOST + 1
    assert "\n" not in text


@pytest.mark.parametrize(("message", "text"), [("a\nb", "ValueError: a b"), ("", "ValueError")])
def test_what_was_raised_is_told_with_its_line(message: str, text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        raise ValueError(message)
    assert raised_by(caught.value).startswith(f"{text} (test_shown.py:")
    assert raised_by(ValueError(message)) == text
    assert len(raised_by(ValueError("x" * 5000))) < 2 * MOST


@pytest.mark.parametrize(("value", "text"), [(1, "an int"), (None, "a NoneType"), ([], "a list"), ({}, "a dict")])
def test_a_kind_has_its_article(value: object, text: str) -> None:
    assert with_article(value) == text
