"""Proves that each tensor of a module tree is found under each of its names, without a call of the model's own code."""

from __future__ import annotations

import functools
import io
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed, traced
from pytest_tsexport.tensors.named_tensors import distinct_tensors, named_modules, named_tensors, named_weights


class Overrides(nn.Module):
    """It has a `named_parameters` of its own, as some models of time series have it, and a property that raises."""

    def __init__(self) -> None:
        super().__init__()
        self.first = self.second = nn.Linear(2, 2)
        self.register_buffer("mask", torch.ones(2), persistent=False)
        self.register_parameter("absent", None)

    def named_parameters(self, *_: Any, **__: Any) -> Iterator[Any]:
        raise AssertionError("a model's own method was called")

    named_buffers = named_modules = parameters = named_parameters

    @property
    def computed(self) -> torch.Tensor:
        raise AssertionError("a property was read")


def test_weights_have_each_of_their_names_and_nothing_of_the_model_is_called() -> None:
    model = Overrides()
    assert list(named_weights(model)) == ["first.weight", "first.bias", "second.weight", "second.bias", "mask"]
    assert list(named_tensors(model)) == list(named_weights(model))
    assert [name for name, _ in named_modules(model)] == ["", "first", "second"]


@dataclass(slots=True)
class Slotted:
    table: torch.Tensor


def holding(value: object) -> nn.Module:
    model = nn.Sequential(nn.Linear(2, 2, bias=False))
    model[0].held = value  # type: ignore[assignment]
    return model


ONE, TWO = torch.zeros(1), torch.ones(1)
RECURSIVE: list[object] = [ONE]
RECURSIVE.append(RECURSIVE)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (ONE, ["held"]),
        ([ONE, 3, "x", None], ["held.0"]),
        ((ONE, [TWO]), ["held.0", "held.1.0"]),
        ({"a": ONE, 7: {"b": TWO}}, ["held.a", "held.7.b"]),
        (OrderedDict(a=ONE), ["held.a"]),
        ({ONE}, ["held.0"]),
        (SimpleNamespace(cache=[ONE]), ["held.cache.0"]),
        (Slotted(ONE), ["held.table"]),
        (functools.partial(torch.add, ONE), ["held.args.0"]),
        ([nn.Linear(2, 2)], ["held.0.weight", "held.0.bias"]),
        ([nn.Sequential(nn.Linear(2, 2, bias=False))], ["held.0.0.weight"]),
        (RECURSIVE, ["held.0"]),
        ([[[[[[[ONE]]]]]]], []),
        (torch.Tensor, []),
        (lambda: ONE, []),
        (object(), []),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_plain_tensors_are_named_after_what_holds_them(value: object, names: list[str]) -> None:
    found = named_tensors(holding(value))
    assert list(found) == ["0.weight", *(f"0.{name}" for name in names)]
    assert list(distinct_tensors(holding(value))) == list(found)


def test_a_container_that_two_modules_hold_has_two_names() -> None:
    shared = SimpleNamespace(table=[ONE])
    model = nn.Sequential(nn.ReLU(), nn.ReLU())
    model[0].held = model[1].held = shared  # type: ignore[assignment]
    assert list(named_tensors(model)) == ["0.held.table.0", "1.held.table.0"]


def test_a_registered_module_has_no_second_name_in_a_list() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU())
    model[1].above = [model, model[0]]  # type: ignore[assignment]
    assert list(named_tensors(model)) == ["0.weight"]


def test_a_module_below_itself_ends_the_walk() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False))
    model[0].register_module("above", model)
    assert list(named_tensors(model)) == ["0.weight"]


def test_a_reference_to_a_weight_of_its_own_is_no_second_name() -> None:
    model = nn.ModuleDict({"lstm": nn.LSTM(2, 2, bias=False), "other": nn.ReLU()})
    assert "lstm._flat_weights.0" in named_tensors(model)
    assert list(distinct_tensors(model)) == ["lstm.weight_ih_l0", "lstm.weight_hh_l0"]
    model["other"].rows = [model["lstm"].weight_ih_l0[:1]]  # type: ignore[index, assignment]
    assert "other.rows.0" in distinct_tensors(model)


class Holds(nn.Module):
    """A scripted module with every kind of attribute that TorchScript has for tensors, and some others."""

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.register_buffer("shift", weight.clone())
        self.shift: torch.Tensor
        self.plain = weight.clone()
        self.listed = [weight]
        self.keyed = {"a": [weight]}
        self.paired = (weight, 3)
        self.numbers = [1, 2]
        self.text = "x"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.weight + x + self.plain + self.shift + self.listed[0] + self.keyed["a"][0] + self.paired[0]
        return x + self.numbers[0] + len(self.text)


def scripted(module: nn.Module) -> torch.jit.ScriptModule:
    with torch_jit_allowed():
        return torch.jit.script(module)


def loaded(module: torch.jit.ScriptModule) -> torch.jit.ScriptModule:
    file = io.BytesIO()
    with torch_jit_allowed():
        torch.jit.save(module, file)
        file.seek(0)
        back = torch.jit.load(file)
    assert isinstance(back, torch.jit.ScriptModule)
    return back


def test_a_script_module_shows_its_attributes() -> None:
    alone = scripted(Holds(torch.ones(2)))
    names = {"weight", "shift", "plain", "listed.0", "keyed.a.0", "paired.0"}
    for module in (alone, loaded(alone)):
        assert set(named_tensors(module)) == names
        assert list(named_weights(module)) == ["weight", "shift"]
    inside = traced(nn.Sequential(alone, nn.Linear(2, 2)), (torch.ones(2, 2),))
    for module in (inside, loaded(inside)):
        assert set(named_tensors(module)) == {*(f"0.{name}" for name in names), "1.weight", "1.bias"}


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_loaded_lstm_has_no_second_names() -> None:
    by_trace = traced(nn.LSTM(2, 2), (torch.ones(1, 1, 2),))
    for module in (loaded(by_trace), loaded(scripted(nn.LSTM(2, 2)))):
        assert list(distinct_tensors(module)) == [name for name, _ in nn.LSTM(2, 2).named_parameters()]


class Table:
    """A class of TorchScript: its objects cannot be looked into from Python."""

    def __init__(self, values: torch.Tensor) -> None:
        self.values = values


class HoldsObject(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = Table(torch.ones(2))
        self.nothing: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.table.values


def test_what_torch_cannot_show_is_passed_over() -> None:
    alone = scripted(HoldsObject())
    with torch_jit_allowed():
        frozen = torch.jit.freeze(traced(nn.Linear(2, 2).eval(), (torch.ones(1, 2),)))
    assert [named_tensors(module) for module in (alone, loaded(alone), frozen, loaded(frozen))] == [{}] * 4
