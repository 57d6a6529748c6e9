"""Proves that what eager refuses at every other size is given up with its reason, and nothing else is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.domains.lengths import FullLengths
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.testing import coupled_inputs as given
from pytest_tsexport.testing import right_axes, wrong_axes
from pytest_tsexport.testing.specimen import rows


def built(model: nn.Module, inputs: Mapping[str, torch.Tensor], **meaning: Any) -> Subject:
    return build(model, Meaning(inputs=inputs, **meaning), name="it")


def rules(subject: Subject) -> dict[str, str | int]:
    return {axis.name: axis.step if axis.rule is None else str(axis.rule) for axis in subject.axes}


def test_steps_of_dimensions_that_nobody_named() -> None:
    subject = built(right_axes.MeansOfPatches(), rows(2, 28)())
    assert rules(subject) == {"batch": 1, "dim1": 14}
    assert subject.given_up == {}


def test_rules_of_dimensions_that_nobody_named() -> None:
    assert rules(built(right_axes.Squares(), rows(2, 5, 5)())) == {"batch": 1, "dim1": 1, "dim2": "dim1"}
    subject = built(right_axes.TokensOfGrid(), given.grid())
    assert rules(subject) == {"batch": 1, "dim1": "grid.0 * grid.1", "grid.0": 1, "grid.1": 1}
    assert [axis.name for axis in subject.free] == ["batch", "grid.0", "grid.1"]


def test_rules_of_declared_axes() -> None:
    subject = built(right_axes.CacheAndNew(), given.cache_of_three(), **given.CACHE)
    assert rules(subject) == {"batch": 1, "past": 1, "total": "past + new", "new": 1}
    assert all(axis.named for axis in subject.axes)


def test_values_follow_an_axis() -> None:
    subject = built(wrong_axes.LongestLength(), given.padded())
    assert rules(subject) == {"batch": 1, "dim1": 1}
    assert subject.fields[1].domain == FullLengths(dtype=torch.int64, axis="dim1")


class TakesNineColumns(nn.Module):
    """Refuses any other width, in words of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] != 9:
            raise ValueError("nine columns")
        return x * 2


def test_what_eager_always_refuses_is_given_up_with_its_reason() -> None:
    line = "eager refuses 10: ValueError: nine columns"
    found = built(TakesNineColumns(), rows(2, 9)())
    assert (rules(found), found.given_up) == ({"batch": 1}, {"dim1": f"dim1 (9): {line}"})
    named = built(TakesNineColumns(), rows(2, 9)(), dynamic_shapes={"x": {0: "batch", 1: "width"}})
    assert (rules(named), named.given_up) == ({"batch": 1, "width": 1}, {"width": f"width (9): {line}"})


class TableOfNine(nn.Module):
    """Has a row for each of nine positions."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(9))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.table[: x.shape[1]]


def test_an_example_at_the_models_maximum_may_be_shorter() -> None:
    subject = built(TableOfNine(), rows(2, 9)())
    assert subject.axis("dim1").high == 9
    assert subject.given_up == {}


def test_the_users_bound_is_not_asked_about() -> None:
    width = torch.export.Dim("width", min=2, max=9)
    subject = built(TakesNineColumns(), rows(2, 9)(), dynamic_shapes={"x": {1: width}})
    assert subject.given_up == {}
