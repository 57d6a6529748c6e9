"""Proves that what a failure says to do helps: the export is right afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.testing import exporters, judge, wrappers
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Inputs, rows, two_rows
from pytest_tsexport.testing.wrappers import Wrapper
from pytest_tsexport.testing.wrong_between import AnswersInOneTensor, Halves
from pytest_tsexport.testing.wrong_state import CountsCalls
from pytest_tsexport.verdict import Outcome, Verdict

pytestmark = pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")


class ScalesByBatch(nn.Module):
    """The number of rows is frozen."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * int(x.shape[0])


class KeepsLength(nn.Module):
    """A length that is frozen, so that another one raises."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ torch.ones(int(x.shape[1]), 3)


class BranchesOnValues(nn.Module):
    """An `if` on values."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if bool(x.sum() > 0) else x - 1


class SelectsByValues(nn.Module):
    """The same without an `if`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.where(x.sum() > 0, x * 2, x - 1)


class TakesCount(nn.Module):
    """The counter passed in and out."""

    def forward(self, x: torch.Tensor, calls: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x * (calls + 1), calls + 1


class Drops(nn.Module):
    """Dropout, as in training."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(x, 0.5, self.training)


class InDouble(Wrapper):
    """Answers in another type."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)
        return answer.double()


class ClonesAnswer(Wrapper):
    """Each answer is a new tensor."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)
        return answer.clone()


def in_training(model: nn.Module, inputs: Inputs, path: Path) -> None:
    exporters.plain(model.train(), inputs, path)
    model.eval()


def in_half(model: nn.Module, inputs: Inputs, path: Path) -> None:
    given = {name: one.bfloat16() for name, one in inputs.items()}
    exporters.instead(nn.Module.bfloat16)(model, given, path)


ROWS = rows()


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A failure of `check` whose fix holds the words `says`, and what is given after it was followed."""

    says: str
    model: Callable[[], nn.Module]
    check: str = "parity"
    inputs: Callable[[], Inputs] = ROWS
    keywords: Mapping[str, Any] = field(default_factory=dict)
    then: Mapping[str, Any] = field(default_factory=dict)
    then_model: Callable[[], nn.Module] | None = None
    then_inputs: Callable[[], Inputs] | None = None
    then_checks: tuple[str, ...] = ("parity", "shapes")


def with_count() -> Inputs:
    return {**rows()(), "calls": torch.zeros(())}


BATCH = {"dynamic_shapes": {"x": {1: "length"}}}
PLAIN = {"export": exporters.plain}

FOLLOWED = (
    Followed(says="export with guard=True", model=ScalesByBatch, check="shapes", then={"guard": True}),
    Followed(
        says="declare the axis shapes='safe'",
        model=KeepsLength,
        check="shapes",
        keywords={**BATCH, "export": exporters.plain},
        then={**BATCH, "shapes": "safe"},
    ),
    Followed(says="an if on values", model=BranchesOnValues, then_model=SelectsByValues),
    Followed(says="pass it in and out", model=CountsCalls, then_model=TakesCount, then_inputs=with_count),
    Followed(says="call model.eval() first", model=Drops, keywords={"export": in_training}, then=PLAIN),
    Followed(says="export it in float32", model=made.Plain, keywords={"export": in_half}, then=PLAIN),
    Followed(
        says="return eager's dtype",
        model=made.Plain,
        keywords={"export": exporters.instead(InDouble)},
        then=PLAIN,
    ),
    Followed(
        says="export it again from the model that this test returns",
        model=made.Plain,
        keywords={"export": exporters.spoilt(exporters.add_to_weights)},
        then=PLAIN,
    ),
    Followed(
        says="export a forward that takes x, y, in this order",
        model=made.TwoInputs,
        inputs=two_rows(),
        keywords={"export": exporters.instead(wrappers.SwapsInputs)},
        then=PLAIN,
    ),
    Followed(
        says="return eager's outputs in this order: 0, 1",
        model=made.TwoOutputs,
        keywords={"export": exporters.instead(wrappers.SwapsOutputs)},
        then=PLAIN,
    ),
    Followed(
        says="clone the output before it is returned",
        model=Halves,
        keywords={"export": exporters.instead(AnswersInOneTensor)},
        then={"export": exporters.instead(lambda model: ClonesAnswer(AnswersInOneTensor(model)))},
        then_checks=("parity",),  # the buffer has the size of the example too, which is another fault
    ),
)


def verdicts(model: nn.Module, inputs: Inputs, **keywords: Any) -> Mapping[str, Verdict]:
    return judge(model, inputs, checks=("parity", "shapes"), max_examples=40, **keywords)


@pytest.mark.slow
@pytest.mark.parametrize("one", FOLLOWED, ids=lambda one: one.says.replace(" ", "-"))
def test_what_the_failure_says_makes_the_export_right(one: Followed) -> None:
    found = verdicts(one.model(), one.inputs(), **one.keywords)[one.check]
    assert found.outcome is Outcome.FAILED
    assert one.says in dict(found.rows)["fix"]
    after = verdicts((one.then_model or one.model)(), (one.then_inputs or one.inputs)(), **one.then)
    assert {after[name].outcome for name in one.then_checks} == {Outcome.PASSED}
