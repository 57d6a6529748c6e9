"""Proves that steps and rules of sizes are found by asking, and that what eager refuses is given no rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch

from pytest_tsexport.subjects.couplings import Found, rules, step_of, steps
from pytest_tsexport.subjects.inquiry import MOST, Dimension, Inquiry


def asked(sizes: Mapping[str, int], fits: Callable[..., bool]) -> tuple[list[Dimension], Inquiry]:
    """An inquiry about one input for each size, of an eager that takes the sizes that fit."""
    inputs = {name: torch.zeros(size) for name, size in sizes.items()}

    def refuses(given: Mapping[str, torch.Tensor]) -> str | None:
        return None if fits(**{name: one.shape[0] for name, one in given.items()}) else "no"

    dimensions = [Dimension(name=name, size=size, places=((name, 0),)) for name, size in sizes.items()]
    return dimensions, Inquiry(inputs, refuses)


@pytest.mark.parametrize("step", [2, 3, 7, 13, 14, 16, 32, 112])
@pytest.mark.parametrize("token", [0, 1])
def test_a_step_is_found(step: int, token: int) -> None:
    (n,), inquiry = asked({"n": 2 * step + token}, lambda n: n % step == token)
    assert step_of(n, inquiry) == step


def test_where_no_step_helps_there_is_none() -> None:
    (n,), inquiry = asked({"n": 768}, lambda n: n == 768)
    assert step_of(n, inquiry) is None
    assert len(inquiry.answers) < 40


def test_the_steps_that_are_tried_ascend() -> None:
    assert steps(28) == [2, 3, 4, 5, 6, 7, 8, 9, 14, 27, 28, 29]
    assert max(steps(2048)) == 512


def found(sizes: Mapping[str, int], fits: Callable[..., bool]) -> dict[str, str | int]:
    """The rule of each dimension that follows, and the step of each that is free."""
    dimensions, inquiry = asked(sizes, fits)
    how = rules(dimensions, inquiry)
    assert len(inquiry.answers) <= MOST
    return {one.name: str(it.rule) if it.rule is not None else it.step for one, it in how.items()}


@pytest.mark.parametrize(
    ("sizes", "fits", "expected"),
    [
        ({"past": 5, "total": 6}, lambda past, total: total == past + 1, {"past": 1, "total": "past + 1"}),
        ({"total": 6, "past": 5}, lambda past, total: total == past + 1, {"total": 1, "past": "total - 1"}),
        ({"a": 7, "b": 7}, lambda a, b: a == b, {"a": 1, "b": "a"}),
        ({"x": 7, "y": 21}, lambda x, y: y == 3 * x, {"x": 1, "y": "3 * x"}),
        ({"x": 7, "y": 22}, lambda x, y: y == 3 * x + 1, {"x": 1, "y": "3 * x + 1"}),
        (
            {"length": 12, "height": 3, "width": 4},
            lambda length, height, width: length == height * width,
            {"length": "height * width", "height": 1, "width": 1},
        ),
        (
            {"height": 3, "width": 4, "length": 13},
            lambda length, height, width: length == height * width + 1,
            {"length": "height * width + 1", "height": 1, "width": 1},
        ),
        (
            {"height": 2, "width": 2, "length": 4},
            lambda length, height, width: length == height + width,
            {"length": "height + width", "height": 1, "width": 1},
        ),
        (
            {"past": 5, "total": 8, "new": 3},
            lambda past, total, new: total == past + new,
            {"past": 1, "new": 1, "total": "past + new"},
        ),
        ({"side": 3, "length": 9}, lambda side, length: length == side**2, {"side": 1, "length": "side * side"}),
        (
            {"side": 3, "length": 10},
            lambda side, length: length == side**2 + 1,
            {"side": 1, "length": "side * side + 1"},
        ),
        (
            {"height": 28, "width": 28},
            lambda height, width: height == width and height % 14 == 0,
            {"height": 14, "width": "height"},
        ),
        (
            {"samples": 640, "frames": 4},
            lambda samples, frames: samples == 160 * frames,
            {"samples": "160 * frames", "frames": 1},
        ),
    ],
)
def test_a_rule_is_found(
    sizes: Mapping[str, int], fits: Callable[..., bool], expected: Mapping[str, str | int]
) -> None:
    assert found(sizes, fits) == expected


def test_other_dimensions_are_left_out() -> None:
    expected = {"a": 1, "b": "a + 2"}
    assert found({"a": 3, "b": 5, "width": 8}, lambda a, b, width: width == 8 and b == a + 2) == expected


def test_a_rule_that_holds_at_one_size_only_is_none() -> None:
    assert found({"a": 3, "b": 5}, lambda a, b: (a, b) in {(3, 5), (4, 6)}) == {}


def test_what_eager_always_refuses_has_no_rule() -> None:
    assert found({"a": 3, "b": 5, "c": 768}, lambda a, b, c: False) == {}


def test_how_a_dimension_varies_is_a_value() -> None:
    assert Found() == Found(step=1, rule=None, high=None)
