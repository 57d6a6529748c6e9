"""Proves when a failure says that the example's own values are answered rightly, and how to draw such values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import strategies as st
from torch import nn

from pytest_tsexport.testing import exporters, judge
from pytest_tsexport.testing.specimen import ids, rows
from pytest_tsexport.testing.wrappers import Wrapper
from pytest_tsexport.testing.wrong_values import OneIdInFifty

SAYS = "the rows of the example; if callers send only such values of x, draw them with strategies="


class SumsOfOneHot(nn.Module):
    """The weight of the place that is hot, for rows that hold one 1."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(7))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight


class Looks(Wrapper):
    """Looks the weight up: the same for rows that hold one 1, and for no others."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight: torch.Tensor = self.model.weight  # type: ignore[assignment]
        return weight[x.argmax(-1)]


def one_hot() -> dict[str, torch.Tensor]:
    return {"x": torch.eye(7)[[2, 5, 1]]}


def right_for(model: nn.Module, **keywords: Any) -> str | None:
    found = judge(model, checks=["parity"], max_examples=40, **keywords)["parity"]
    return dict(found.rows).get("right for")


def drawn(shape: tuple[int, ...]) -> st.SearchStrategy[torch.Tensor]:
    return st.integers(0, 6).map(lambda hot: torch.eye(7)[hot].expand(shape).clone())


@pytest.mark.slow
def test_values_outside_the_domain_of_the_model_are_told_with_the_way_to_draw_others() -> None:
    assert right_for(SumsOfOneHot(), inputs=one_hot(), export=exporters.instead(Looks)) == SAYS


@pytest.mark.slow
def test_what_it_says_makes_the_export_right() -> None:
    given: Callable[..., Any] = drawn
    verdict = judge(
        SumsOfOneHot(),
        checks=["parity"],
        max_examples=40,
        inputs=one_hot(),
        export=exporters.instead(Looks),
        strategies={"x": given},
    )["parity"]
    assert verdict.outcome.name == "PASSED"


@pytest.mark.slow
@pytest.mark.parametrize(("model", "inputs"), [(OneIdInFifty(), ids()()), (nn.Linear(7, 3), {"input": rows()()["x"]})])
def test_nothing_is_said_of_ids_or_of_a_file_that_is_wrong_for_the_example_too(model: nn.Module, inputs: Any) -> None:
    export = exporters.plain if isinstance(model, OneIdInFifty) else exporters.spoilt(exporters.add_to_weights)
    assert right_for(model, inputs=inputs, export=export) is None
