"""Proves that a fingerprint shows every change of a model that an export may make, and no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from pytest_tsexport.tensors.fingerprint import Fingerprint
from pytest_tsexport.testing import wrong_exports as made

FAR = 2**16
"""Far more than the bytes of a small weight."""


def changes(model: nn.Module, change: Callable[[nn.Module], object]) -> tuple[str, ...]:
    before = Fingerprint.of(model)
    with torch.no_grad():
        change(model)
    return before.changes(Fingerprint.of(model))


def holding(weight: torch.Tensor) -> nn.Module:
    model = nn.Module()
    model.register_buffer("weight", weight)
    return model


def swap(one: int, other: int) -> Callable[[nn.Module], None]:
    def change(model: nn.Module) -> None:
        weight = model.get_buffer("weight")
        weight[one], weight[other] = weight[other].clone(), weight[one].clone()

    return change


def add(place: int, number: float) -> Callable[[nn.Module], None]:
    def change(model: nn.Module) -> None:
        model.get_buffer("weight")[place] += number

    return change


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2), (0, 3), (0, 65521), (5, 5 + 65521), (0, FAR), (7, 2 * FAR)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.int8, torch.bfloat16], ids=str)
def test_swapping_two_values_shows(one: int, other: int, dtype: torch.dtype) -> None:
    weight = torch.zeros(2 * FAR + 9, dtype=dtype)
    weight[one], weight[other] = 1, 2
    assert changes(holding(weight), swap(one, other)) == ("weight: its values changed",)


@pytest.mark.parametrize("place", [0, 1, -1])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32], ids=str)
def test_one_changed_value_shows_wherever_it_is(place: int, dtype: torch.dtype) -> None:
    assert changes(holding(torch.ones(100, dtype=dtype)), add(place, 1)) == ("weight: its values changed",)


def test_two_changes_that_cancel_in_a_sum_show() -> None:
    model = holding(torch.full((9,), 5, dtype=torch.uint8))

    def change(model: nn.Module) -> None:
        add(2, 1)(model)
        add(6, -1)(model)

    assert changes(model, change) == ("weight: its values changed",)


def test_a_model_that_did_not_change_has_no_changes() -> None:
    model = made.TiedHead()
    assert changes(model, lambda _: None) == ()
    weights = [weight.detach().clone() for weight in model.parameters()]

    def rewrite(model: nn.Module) -> None:
        for parameter, weight in zip(model.parameters(), weights, strict=True):
            parameter.copy_(weight)

    assert changes(model, rewrite) == ()


def test_a_layout_in_memory_is_not_a_value() -> None:
    model = holding(torch.arange(6.0).view(2, 3))
    transposed = torch.arange(6.0).view(2, 3).t().contiguous().t()
    assert changes(model, lambda model: model.register_buffer("weight", transposed)) == ()


def test_a_weight_with_gaps_in_memory_has_a_fingerprint() -> None:
    assert changes(holding(torch.arange(10.0)[::2]), add(1, 1)) == ("weight: its values changed",)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda model: model.double(), "linear.weight: dtype torch.float32 became torch.float64"),
        (lambda model: model.to("meta"), "linear.weight: device cpu became meta"),
        (
            lambda model: model.linear.weight.requires_grad_(requires_grad=False),
            "linear.weight: requires_grad True became False",
        ),
        (
            lambda model: setattr(model.linear, "weight", nn.Parameter(torch.zeros(3, 7))),
            "linear.weight: shape (7, 7) became (3, 7)",
        ),
        (lambda model: model.eval(), "the training mode of the model (2 modules)"),
        (lambda model: model.linear.eval(), "the training mode of linear (1 modules)"),
        (lambda model: model.register_buffer("more", torch.zeros(1)), "more is new"),
        (lambda model: delattr(model.linear, "bias"), "linear.bias is gone"),
    ],
)
def test_every_other_change_shows(change: Callable[[nn.Module], object], text: str) -> None:
    assert changes(made.Plain(), change)[0] == text


def test_an_untied_weight_shows_and_its_values_did_not_change() -> None:
    def untie(model: nn.Module) -> None:
        assert isinstance(model, made.TiedHead)
        model.head.weight = nn.Parameter(model.embed.weight.detach().clone())

    assert changes(made.TiedHead(), untie) == ("embed.weight and head.weight are no longer tied",)


@pytest.mark.parametrize("weight", [torch.zeros(0), torch.zeros(3, device="meta"), torch.eye(2).to_sparse()])
def test_weights_without_readable_bytes_have_a_fingerprint(weight: torch.Tensor) -> None:
    assert changes(holding(weight), lambda _: None) == ()
