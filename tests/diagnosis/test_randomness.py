"""Proves that a file which draws random numbers is told as that, by every check that sees it, and that state is not."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_tsexport.testing import judge
from pytest_tsexport.verdict import Outcome

X = {"x": torch.randn(2, 7, 8)}


class Drops(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Dropout(0.3), nn.Linear(16, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.net(x)
        return answer


class Counts(nn.Module):
    """Adds how often it was called; a trace of a copy that was called begins elsewhere."""

    calls: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return x + self.calls


def forgot_eval(model: nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    made = torch.jit.trace(copy.deepcopy(model).train(), tuple(inputs.values()), check_trace=False)
    torch.jit.save(made, str(path))


def in_evaluation_mode(model: nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    made = torch.jit.trace(copy.deepcopy(model).eval(), tuple(inputs.values()), check_trace=False)
    torch.jit.save(made, str(path))


@pytest.mark.slow
def test_a_random_file_is_told_as_that() -> None:
    found = judge(Drops(), X, checks=["parity", "round_trip"], max_examples=20, export=forgot_eval)
    for one in found.values():
        rows = dict(one.rows)
        assert rows["likely cause"] == (
            "the file answers itself differently on equal calls: it draws random numbers, as dropout does"
        )
        assert rows["fix"].startswith("trace in evaluation mode (call model.eval() first)")
        assert "operator" not in str(one.rows)
    assert found["round_trip"].headline == "the file answers itself differently on equal calls"


class Samples(nn.Module):
    """Draws in evaluation mode too; how often the likeliest one is drawn depends on `scale`."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(scale * torch.eye(8))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = x[:, 0] @ self.weight
        return scores, torch.multinomial(scores.softmax(-1), 1)


class Scores(Samples):
    """Leaves the drawing to callers."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return (x[:, 0] @ self.weight).softmax(-1)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_model_that_draws_in_evaluation_mode_is_told_to_leave_that_to_callers(scale: float) -> None:
    found = judge(Samples(scale), X, checks=["parity"], max_examples=40)["parity"]
    rows = dict(found.rows)
    assert rows["likely cause"].endswith("it calls multinomial, which draws random numbers")
    assert rows["fix"] == "draw no random numbers in forward: return what they are drawn from, and let callers draw"
    followed = judge(Scores(scale), X, checks=["trace", "parity", "round_trip"], max_examples=20)
    assert {one.outcome for one in followed.values()} == {Outcome.PASSED}


@pytest.mark.slow
def test_a_file_that_differs_in_another_process_because_it_draws_is_told_as_that() -> None:
    found = judge(Samples(1.0), X, checks=["round_trip"])["round_trip"]
    assert "eval()" not in dict(found.rows)["fix"]
    assert "operator" not in dict(found.rows)["fix"]


@pytest.mark.slow
def test_a_trace_in_evaluation_mode_is_right() -> None:
    found = judge(Drops(), X, checks=["parity", "round_trip"], max_examples=20, export=in_evaluation_mode)
    assert {one.outcome for one in found.values()} == {Outcome.PASSED}


@pytest.mark.slow
def test_state_is_not_taken_for_randomness() -> None:
    found = judge(Counts(), X, checks=["parity", "round_trip"], max_examples=20, export=in_evaluation_mode)
    assert found["parity"].outcome is Outcome.FAILED
    assert "random" not in str(found["parity"].rows)
    assert found["round_trip"].outcome is Outcome.PASSED
