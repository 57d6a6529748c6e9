"""The contract of an axis is the most specific thing that was said about it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pytest_tsexport.config.marker import Meaning

SAID = {"batch": "fixed"}


@pytest.mark.parametrize(
    ("shapes", "guard", "named", "contract"),
    [
        ("dynamic", False, False, "dynamic"),
        ("safe", False, True, "safe"),
        ("safe", True, True, "safe"),
        (SAID, False, True, "fixed"),
        (SAID, True, True, "fixed"),
        ({"length": "fixed"}, False, True, "dynamic"),
        ({"length": "fixed"}, False, False, "the default"),
        ({"length": "dynamic"}, True, False, "fixed"),
        (None, True, True, "fixed"),
        (None, False, True, "dynamic"),
        (None, False, False, "the default"),
    ],
)
def test_what_shapes_says_counts_then_the_guard_then_the_name_then_the_default(
    shapes: str | Mapping[str, str] | None, contract: str, *, guard: bool, named: bool
) -> None:
    meaning = Meaning(shapes=shapes, guard=guard)
    assert meaning.contract_of("batch", named=named, default="the default") == contract


def test_without_a_keyword_everything_is_derived_and_nothing_is_expected_to_fail() -> None:
    meaning = Meaning()
    assert (meaning.guard, meaning.examples, meaning.strategies, meaning.xfail) == (False, (), {}, {})
    assert (meaning.inputs, meaning.export, meaning.artifact, meaning.metric) == (None, None, None, None)
