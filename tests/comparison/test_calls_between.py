"""Proves that state which equal calls do not move is found, and what a failure says about the calls before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.cases.case import at
from pytest_tsexport.cases.findings import CaseResult
from pytest_tsexport.comparison.compare_case import compare_case
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import exporters, right_state
from pytest_tsexport.testing import wrong_between as wrong
from pytest_tsexport.testing.right_unshown import restored
from pytest_tsexport.testing.specimen import rows


def compared(model: nn.Module, seed: int = 0, *, values: str = "uniform", **keywords: Any) -> CaseResult:
    policy = from_keywords({"inputs": rows()(), **keywords})
    found = export(model, policy, name="it")._evidence("parity")
    return compare_case(found, at(found.subject, {}, seed=seed, values=values))


@pytest.mark.slow
@pytest.mark.parametrize("build", [wrong.WarmsUpItsMean, wrong.SubtractsLastFrame, wrong.SubtractsKeyFrame])
def test_equal_calls_do_not_move_the_state_and_other_values_do(build: Callable[[], nn.Module]) -> None:
    assert compared(build(), seed=1).status == "equal"
    one = compared(build())
    assert one.status == "wrong"
    assert one.text.startswith("on call 4 after a call with other values: output ")


@pytest.mark.slow
def test_what_is_wrong_for_the_values_in_between_alone_is_told_by_those_values() -> None:
    one = compared(wrong.StaysOpen())
    assert (one.status, one.case.values) == ("wrong", "extremes")
    assert one.text.startswith("output (2, 7): off by ")
    assert one.instead_of is None


def test_state_that_the_file_keeps_as_eager_does_is_right_and_what_tracing_moved_is_wrong() -> None:
    assert compared(wrong.PeakInBuffer(), export=restored).status == "equal"
    assert compared(wrong.PeakInBuffer(), export=wrong.moved_by_tracing).status == "wrong"


def test_a_file_that_answers_in_one_tensor_is_wrong_unless_eager_does_so_too() -> None:
    reused = exporters.instead(wrong.AnswersInOneTensor)
    assert compared(wrong.Halves(), seed=1, export=reused).status == "equal"
    one = compared(wrong.Halves(), export=reused)
    assert one.difference is not None
    assert one.difference.kind == "reused"
    text = "output of an earlier call changes when it is called again: it returns a buffer that it overwrites"
    assert one.text == text
    assert compared(right_state.ReusesItsOutput()).status == "equal"


class RefusesLarge(nn.Module):
    """Refuses the values in between, and counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if float(x.abs().max()) > 5:
            raise ValueError("too large")
        return x * (1 if self.calls < 3 else 2)


def test_where_eager_refuses_the_values_in_between_the_calls_are_equal() -> None:
    one = compared(RefusesLarge())
    assert one.status == "wrong"
    assert one.text.startswith("on call 3 with the same inputs: ")
