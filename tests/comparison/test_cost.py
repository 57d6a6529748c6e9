"""Proves what the cost of an input is compared by, and that finding it out costs little."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from pytest_tsexport.comparison.cost import TIMES, cost
from pytest_tsexport.subjects.reference import Answer, Context, Inputs, Reference

SHORT, LONG = {"input": torch.ones(1, 64)}, {"input": torch.ones(4, 64)}


class Counts(Reference):
    """Counts how often it is called with each number of rows."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model, {})
        self.calls: Counter[int] = Counter()

    def call(self, model: nn.Module, inputs: Inputs, context: Context = nullcontext) -> Answer:
        self.calls[len(inputs["input"])] += 1
        return super().call(model, inputs, context)


def test_flops_are_exact_and_the_time_is_a_ratio() -> None:
    assert re.fullmatch(r"4\.0 x the FLOPs, \d+\.\d x the time", cost(Reference(nn.Linear(64, 64), {}), SHORT, LONG))
    assert cost(Reference(nn.Linear(64, 64), {}), LONG, SHORT).startswith("0.2 x the FLOPs, ")


def test_where_nothing_is_multiplied_only_the_time_is_said() -> None:
    assert re.fullmatch(r"\d+\.\d x the time", cost(Reference(nn.Identity(), {}), SHORT, LONG))


def test_the_flops_take_one_call_and_the_time_five() -> None:
    reference = Counts(nn.Identity())
    cost(reference, SHORT, LONG)
    assert TIMES == 5
    assert reference.calls == {1: 6, 4: 6}


def test_the_fastest_of_the_calls_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([[3.0, 2.0, 4.0], [9.0, 8.0, 5.0]])
    monkeypatch.setattr("pytest_tsexport.comparison.cost.repeat", lambda *_, **__: next(seconds))
    assert cost(Reference(nn.Identity(), {}), SHORT, LONG) == "2.5 x the time"
