"""Proves which texts mean a limit of memory, and how a limit is told."""

from __future__ import annotations

import pytest

from pytest_tsexport.config.isolation import Isolation, in_words, parsed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("auto", Isolation()),
        ("off", Isolation(is_on=False)),
        ("4GiB", Isolation(memory=4 * 2**30)),
        ("1.5 gib", Isolation(memory=3 * 2**29)),
        ("500MB", Isolation(memory=500_000_000)),
    ],
)
def test_a_size_has_a_unit(text: str, found: Isolation) -> None:
    assert parsed(text) == found


@pytest.mark.parametrize(
    "text", ["", "4", "GiB", "-1GiB", "0GiB", "4 parsecs", "on", "test_x.py", "infGiB", "9" * 400 + "GiB"]
)
def test_any_other_text_means_nothing(text: str) -> None:
    assert parsed(text) is None


@pytest.mark.parametrize(("memory", "words"), [(4 * 2**30, "4 GiB"), (512 * 2**20, "512 MiB"), (3 * 2**29, "1.5 GiB")])
def test_a_limit_is_told_in_a_unit(memory: int, words: str) -> None:
    assert in_words(memory) == words
