"""Proves that a fingerprint shows every change of a model that an export may make, and no other."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

from pytest_tsexport.tensors.fingerprint import Fingerprint, described
from pytest_tsexport.testing import right_sources, right_state, wrong_sources
from pytest_tsexport.testing import wrong_exports as made

FAR = 2**16
"""Far more than the bytes of a small weight."""


def changes(model: nn.Module, change: Callable[[nn.Module], object]) -> tuple[str, ...]:
    before = Fingerprint.of(model)
    with torch.no_grad():
        change(model)
    later = Fingerprint.of(model)
    found = before.differences(later)
    return described((*found, *before.parted(later, found)))


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
        (lambda model: model.eval(), "the training mode of the model: True became False (and of 1 more)"),
        (lambda model: model.linear.eval(), "the training mode of linear: True became False"),
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


def test_views_of_one_buffer_are_not_called_weights_that_are_tied() -> None:
    class Halves(nn.Module):
        """Two buffers that overlap in one memory."""

        def __init__(self) -> None:
            super().__init__()
            memory = torch.arange(6.0)
            self.register_buffer("front", memory[:4])
            self.register_buffer("back", memory[2:])

    def part(model: nn.Module) -> None:
        model.front = model.front.clone()  # type: ignore[operator]

    assert changes(Halves(), part) == ("front and back are no longer parts of one memory",)


def test_only_the_names_that_stay_are_looked_at_for_ties() -> None:
    model = made.TiedHead()
    assert changes(model, lambda model: delattr(model, "head")) == ("head is gone",)


def test_a_tie_with_one_more_name_is_a_new_tie_and_not_a_lost_one() -> None:
    model = nn.ModuleList(nn.Linear(3, 3) for _ in range(3))
    first, second, third = model
    second.weight = first.weight

    def tie(_: nn.Module) -> None:
        third.weight = first.weight

    found = changes(model, tie)
    assert found == ("0.weight and 1.weight and 2.weight are tied now", "2.weight: its values changed")


@pytest.mark.parametrize("name", wrong_sources.HARMS)
def test_what_an_exporter_may_leave_behind_is_named(name: str) -> None:
    harm, text = wrong_sources.HARMS[name]
    assert changes(wrong_sources.equipped().eval(), harm)[0] == text


def test_a_buffer_that_is_gone_is_said_once() -> None:
    assert changes(wrong_sources.equipped(), lambda model: delattr(model, "kept")) == ("kept is gone",)


@pytest.mark.parametrize("name", right_sources.CHANGES)
def test_what_is_undone_does_not_show(name: str) -> None:
    def change(model: nn.Module) -> None:
        undo = right_sources.CHANGES[name](model)
        if undo is not None:
            undo()

    assert changes(wrong_sources.equipped().eval(), change) == ()


NOT_COPIED = ("a gradient hook of layers.1.weight was removed", "layers.1.weight.no_decay is gone")
"""What `copy.deepcopy` drops of a parameter."""


@pytest.mark.parametrize(
    ("build", "lost"),
    [(wrong_sources.equipped, NOT_COPIED), (made.TiedHead, ()), (right_state.CachesByDecorator, ())],
)
def test_a_copy_has_the_same_fingerprint(build: Callable[[], nn.Module], lost: tuple[str, ...]) -> None:
    model = build()
    assert Fingerprint.of(model).changes(Fingerprint.of(copy.deepcopy(model))) == lost


def test_the_training_modes_are_one_line_and_the_last() -> None:
    def change(model: nn.Module) -> None:
        model.get_submodule("linear").eval()
        model.register_buffer("more", torch.zeros(1))

    assert changes(made.Plain(), change) == ("more is new", "the training mode of linear: True became False")


@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.uint16, torch.float8_e4m3fn, torch.complex64, torch.bfloat16, torch.int8], ids=str
)
def test_a_change_of_one_value_shows_in_every_dtype(dtype: torch.dtype) -> None:
    def change(model: nn.Module) -> None:
        other = weight.clone()
        other.view(torch.uint8)[-1] ^= 1
        model.register_buffer("weight", other)

    weight = torch.tensor([1, 0, 1, 1]).to(dtype)
    assert changes(holding(weight), lambda model: model.register_buffer("weight", weight.clone())) == ()
    assert changes(holding(weight), change) == ("weight: its values changed",)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_a_quantised_buffer_has_a_fingerprint() -> None:
    table = torch.quantize_per_tensor(torch.linspace(0, 3, 7), 0.1, 0, torch.quint8)
    other = torch.quantize_per_tensor(torch.linspace(0, 3, 7), 0.2, 0, torch.quint8)
    assert changes(holding(table), lambda model: model.register_buffer("weight", table.clone())) == ()
    assert changes(holding(table), lambda model: model.register_buffer("weight", other)) == (
        "weight: its values changed",
    )


@pytest.mark.parametrize("weight", [torch.zeros(0), torch.zeros(3, device="meta"), torch.eye(2).to_sparse()])
def test_weights_without_readable_bytes_have_a_fingerprint(weight: torch.Tensor) -> None:
    assert changes(holding(weight), lambda _: None) == ()
