"""Proves that each change is said once, at its full name, in words that fit what was there and what is there now."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.tensors.changes import changes
from pytest_tsexport.tensors.module_record import record
from pytest_tsexport.testing.wrong_sources import patch_forward


class Layer(nn.Module):
    """It has a config, a cache that is not there yet, and a class attribute."""

    kind = "layer"

    def __init__(self, config: SimpleNamespace) -> None:
        super().__init__()
        self.config, self.cache = config, None
        self.linear = nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.linear(x)
        return answer


class Model(nn.Module):
    """Two layers that have the config of the model."""

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(size=2, names=["a", "b"], inner=SimpleNamespace(dtype=torch.float32))
        self.layers = nn.ModuleList([Layer(self.config), Layer(self.config)])
        self.table = {"a": torch.zeros(2)}
        self.scorer = max

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


def texts(change: Callable[[Any], object]) -> list[str]:
    model = Model()
    before = record(model)
    change(model)
    return [one.text for one in changes(before, record(model))]


def swap_forward_of_class(model: Any) -> None:
    """Each layer has a class of its own, so that no other model changes."""
    patched = type("Layer", (nn.Module,), {**vars(Layer), "forward": lambda _, x: x})
    for layer in model.layers:
        layer.__class__ = patched


def two_hooks(model: Any) -> None:
    model.layers[0].register_forward_hook(lambda *_: None)
    model.layers[0].register_forward_hook(lambda *_: 1)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda _: None, []),
        (lambda model: setattr(model.config, "size", 3), ["config.size: 2 became 3"]),
        (lambda model: setattr(model.layers[0], "config", None), ["layers.0.config: SimpleNamespace became None"]),
        (lambda model: model.config.names.append("c"), ["config.names.2 is new"]),
        (
            lambda model: model.config.names.reverse(),
            ["config.names.0: 'a' became 'b'", "config.names.1: 'b' became 'a'"],
        ),
        (
            lambda model: setattr(model.config.inner, "dtype", torch.float16),
            ["config.inner.dtype: torch.float32 became torch.float16"],
        ),
        (lambda model: setattr(model.config, "size", "x" * 99), [f"config.size: 2 became '{'x' * 39}…"]),
        (
            lambda model: setattr(model.layers[0], "cache", torch.zeros(3)),
            ["layers.0.cache: None became a tensor of shape (3,)"],
        ),
        (lambda model: setattr(model, "cache", torch.zeros(3)), ["cache is new"]),
        (lambda model: model.table.clear(), ["table.a is gone"]),
        (lambda model: model.table["a"].add_(1), ["table.a: its values changed"]),
        (lambda model: setattr(model, "table", []), ["table: dict became list"]),
        (lambda model: setattr(model, "scorer", min), ["scorer of the model was replaced"]),
        (lambda model: setattr(model, "scorer", None), ["scorer: a function became None"]),
        (lambda model: patch_forward(model.layers[1]), ["forward of layers.1 was replaced"]),
        (
            lambda model: setattr(model.layers[1], "forward", functools.partial(Layer.forward, model.layers[1])),
            ["forward of layers.1 was replaced"],
        ),
        (lambda model: setattr(model, "helper", lambda x: x), ["helper is new"]),
        (swap_forward_of_class, ["forward of the class Layer was replaced"]),
        (lambda model: setattr(model.layers[0], "kind", "other"), ["layers.0.kind is new"]),
        (two_hooks, ["a forward hook of layers.0 was added", "a forward hook of layers.0 was added"]),
        (
            lambda model: model.layers[0].linear.register_buffer("bias_scale", torch.zeros(1)),
            ["layers.0.linear.bias_scale is new"],
        ),
        (lambda model: model.layers.__setitem__(0, nn.ReLU()), ["layers.0: Layer became ReLU"]),
        (lambda model: model.layers.insert(2, nn.ReLU()), ["layers.2 is new"]),
    ],
)
def test_a_change_in_words(change: Callable[[Any], object], expected: list[str]) -> None:
    assert texts(change) == expected


def test_a_replaced_hook_is_one_change() -> None:
    def replace(model: Any) -> None:
        handle.remove()
        model.layers[0].register_forward_hook(lambda *_: 2)

    model = Model()
    handle = model.layers[0].register_forward_hook(lambda *_: 1)
    before = record(model)
    replace(model)
    assert [one.text for one in changes(before, record(model))] == ["a forward hook of layers.0 was replaced"]


def test_a_hook_that_is_called_in_another_way_was_replaced() -> None:
    def hook(*_: object) -> None:
        """Does nothing."""

    model = nn.Linear(2, 2)
    handle = model.register_forward_hook(hook)
    before = record(model)
    handle.remove()
    model.register_forward_hook(hook, always_call=True)
    assert [one.text for one in changes(before, record(model))] == ["a forward hook of the model was replaced"]


def test_backward_hooks_have_no_order() -> None:
    model = nn.Linear(2, 2)
    model.register_full_backward_hook(lambda *_: None)
    model.register_full_backward_hook(lambda *_: 1)
    before = record(model)
    model._backward_hooks.move_to_end(next(iter(model._backward_hooks)))  # type: ignore[attr-defined]
    assert list(changes(before, record(model))) == []


def test_a_method_bound_to_another_module_was_replaced() -> None:
    model = Model()
    first, second = model.layers
    first.forward = Layer.forward.__get__(first)
    before = record(model)
    first.forward = Layer.forward.__get__(second)
    assert [one.text for one in changes(before, record(model))] == ["forward of layers.0 was replaced"]


def test_a_changed_weight_does_not_replace_the_methods_bound_to_its_module() -> None:
    model = Model()
    model.helper = Layer.forward.__get__(model.layers[0])
    before = record(model)
    with torch.no_grad():
        model.get_parameter("layers.0.linear.bias").add_(1)
    assert [one.text for one in changes(before, record(model))] == ["layers.0.linear.bias: its values changed"]


def test_a_module_under_two_names_is_said_once() -> None:
    model = Model()
    model.add_module("twin", model.layers[0])
    before = record(model)
    model.config.size = 5
    with torch.no_grad():
        model.get_parameter("layers.0.linear.bias").add_(1)
    found = [one.text for one in changes(before, record(model))]
    assert found == ["config.size: 2 became 5", "layers.0.linear.bias: its values changed"]


def test_a_method_of_another_module_was_replaced() -> None:
    model = Model()
    model.helper = Layer.forward.__get__(model.layers[0])
    before = record(model)
    model.helper = Layer.forward.__get__(model.layers[1])
    assert [one.text for one in changes(before, record(model))] == ["helper of the model was replaced"]


def test_a_hook_that_was_made_anew_is_the_same_although_its_module_changed() -> None:
    def hook_of(module: nn.Module) -> Callable[..., bool]:
        return lambda *_: module.training

    model = nn.Linear(2, 2)
    handle = model.register_forward_pre_hook(hook_of(model))
    before = record(model)
    handle.remove()
    model.register_forward_pre_hook(hook_of(model))
    with torch.no_grad():
        model.bias.add_(1)
    assert [one.text for one in changes(before, record(model))] == ["bias: its values changed"]


def test_the_code_of_a_method_and_a_property_of_the_class_show() -> None:
    class Own(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

        @property
        def size(self) -> int:
            return 1

    def other(self: Own, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    before = record(Own())
    Own.forward.__code__ = other.__code__
    Own.size = property(lambda self: 2)  # type: ignore[assignment]
    name = Own.__qualname__
    found = [one.text for one in changes(before, record(Own()))]
    assert found == [f"forward of the class {name} was replaced", f"size of the class {name} was replaced"]
