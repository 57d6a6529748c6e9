"""Proves that the innermost line outside torch is found, and whose code it is."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_tsexport.exporting.raised_at import LONGEST, RaisedAt, raised_at

HERE = Path(__file__).name


class Divides(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return divided(x)


def divided(x: torch.Tensor) -> torch.Tensor:
    return x / (1 // 0)


class Multiplies(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.mm(x, x)


class Wraps(nn.Module):
    """What an exporter puts around a model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x[7])
        return answer


X = torch.ones(2, 3)


def found(call: Callable[[], object], model: nn.Module, *, by_exporter: bool) -> RaisedAt | None:
    try:
        call()
    except Exception as error:
        return raised_at(error, model, by_exporter=by_exporter)
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("by_exporter", [False, True])
def test_a_function_that_the_model_calls_is_its_code(*, by_exporter: bool) -> None:
    model = Divides()
    at = found(lambda: model(X), model, by_exporter=by_exporter)
    assert at is not None
    assert (at.function, at.source, at.owner, at.in_torch) == ("divided", "return x / (1 // 0)", "model", False)
    assert at.place.startswith(f"{HERE}:")
    assert bool(at.called_at) is by_exporter


def test_an_operator_that_raises_is_torchs() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(4, 4))
    at = found(lambda: model(X), Divides(), by_exporter=True)
    assert at is not None
    assert (at.in_torch, at.owner) == (True, "exporter")
    at = found(lambda: Multiplies()(X), Multiplies(), by_exporter=False)
    assert at is not None
    assert (at.function, at.owner) == ("Multiplies.forward", "model")


def test_a_wrapper_around_the_model_is_the_exporters_code() -> None:
    model = Divides()
    at = found(lambda: Wraps(model)(X), model, by_exporter=True)
    assert at is not None
    assert (at.function, at.owner, at.called_at) == ("Wraps.forward", "exporter", "")


def test_what_neither_the_model_nor_an_exporter_raises_is_the_backends() -> None:
    at = found(lambda: 1 // 0, Divides(), by_exporter=False)
    assert at is not None
    assert at.owner == "backend"


def test_a_line_of_python_itself_is_passed_over() -> None:
    at = found(lambda: copy.deepcopy(threading.Lock()), Divides(), by_exporter=True)
    assert at is not None
    assert at.place.startswith(f"{HERE}:")


def test_without_a_traceback_there_is_no_line() -> None:
    assert raised_at(ValueError("from another process"), Divides(), by_exporter=True) is None


def test_as_text() -> None:
    at = RaisedAt(place="a.py:3", function="A.forward", source="x", owner="model", called_at="b.py:5")
    assert str(at) == "a.py:3, in A.forward (the model's code, called from b.py:5): x"
    assert str(RaisedAt(place="b.py:5", function="f", source="", owner="exporter")) == (
        "b.py:5, in f (the exporter's code)"
    )


def test_a_long_line_is_cut() -> None:
    at = found(
        lambda: {"a name that is there": 1, "another": 2}["a name of many words that is not there at all"],  # cut here
        Divides(),
        by_exporter=True,
    )
    assert at is not None
    assert len(at.source) == LONGEST + 1
    assert at.source.endswith("…")
