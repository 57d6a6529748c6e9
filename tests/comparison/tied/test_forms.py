"""Proves how a tensor is like a weight, and that a change is carried into the form that the tensor has."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.comparison.tied.forms import AS_IT_IS, Form, is_distinct, likeness, remade, value

WEIGHT = torch.randn(6, 4, generator=torch.Generator().manual_seed(2))
OTHER = torch.randn(6, 4, generator=torch.Generator().manual_seed(3))
CUBE = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize(
    ("theirs", "how"),
    [
        (WEIGHT.clone(), "equal"),
        (WEIGHT.T.contiguous().T, "equal"),
        (WEIGHT.bfloat16(), "cast"),
        (WEIGHT.double(), "cast"),
        (WEIGHT.bfloat16().float(), "other values"),
        (WEIGHT.T.clone(), "transposed"),
        (WEIGHT[:3].clone(), "cut"),
        (WEIGHT[:3, :2].bfloat16(), "cut"),
        (WEIGHT[1:4].clone(), "other shape"),
        (torch.cat([WEIGHT, OTHER]), "padded"),
        (torch.cat([OTHER, WEIGHT]), "other shape"),
        (WEIGHT[:3].repeat(1, 2), "other shape"),
        (OTHER, "other values"),
        (WEIGHT.flatten(), "reshaped"),
        (WEIGHT[:0], "other shape"),
        (WEIGHT.to_sparse(), "other values"),
    ],
)
def test_how_a_tensor_is_like_a_weight(theirs: torch.Tensor, how: str) -> None:
    assert likeness(WEIGHT, theirs)[0] == how


def test_a_square_matrix_may_be_transposed_too() -> None:
    square = WEIGHT[:4]
    assert likeness(square, square.T)[0] == "transposed"
    assert likeness(square + square.T, square + square.T)[0] == "equal"


def test_the_value_does_not_depend_on_strides_or_bits() -> None:
    phase = torch.polar(torch.ones(4), torch.linspace(0, 3, 4))
    assert value(phase.conj()) == value(phase.conj().resolve_conj()) != value(phase)
    assert value(WEIGHT[:1].expand(3, 4)) == value(WEIGHT[:1].repeat(3, 1))
    assert value(WEIGHT) != value(WEIGHT.flatten())
    assert value(torch.zeros(3, device="meta")) is None


@pytest.mark.parametrize(
    ("theirs", "how", "form"),
    [
        (WEIGHT[..., None], "reshaped", Form(shape=(6, 4, 1))),
        (WEIGHT.view(2, 12), "reshaped", Form(shape=(2, 12))),
        (WEIGHT.T.reshape(1, 4, 6), "transposed", Form((1, 0), (1, 4, 6))),
        (WEIGHT.T.half(), "transposed", Form((1, 0))),
        (WEIGHT.flatten().bfloat16(), "reshaped", Form(shape=(24,))),
        (WEIGHT * 0.5, "multiplied", Form(factor=0.5)),
        (WEIGHT.T * -3.0, "transposed", Form((1, 0), factor=-3.0)),
        (WEIGHT[:3][None], "reshaped", Form(shape=(1, 6, 4))),
        (torch.cat([WEIGHT, OTHER]).T, "transposed", Form((1, 0))),
        (torch.cat([WEIGHT, OTHER])[None], "reshaped", Form(shape=(1, 6, 4))),
    ],
)
def test_the_form_of_a_tensor(theirs: torch.Tensor, how: str, form: Form) -> None:
    found = likeness(WEIGHT, theirs)
    assert found[0] == how
    assert (found[1].order, found[1].shape) == (form.order, form.shape)
    assert found[1].factor == pytest.approx(form.factor, rel=1e-6)
    laid = found[1].of(WEIGHT).to(theirs.dtype)
    assert laid.dim() == theirs.dim()
    both = tuple(slice(0, min(sizes)) for sizes in zip(laid.shape, theirs.shape, strict=True))
    torch.testing.assert_close(laid[both], theirs[both])


@pytest.mark.parametrize(
    "theirs",
    [
        WEIGHT * torch.tensor([2.0, 2, 2, 3]),
        WEIGHT * (1 + 2e-7),
        torch.nextafter(WEIGHT, torch.tensor(9.0)),
        torch.nextafter(WEIGHT, torch.tensor(9.0)).T,
        WEIGHT.roll(1).flatten(),
        WEIGHT[1:].T,
        torch.cat([OTHER, WEIGHT]).T,
        WEIGHT * 0,
    ],
    ids=["columns", "rounded", "next", "next, transposed", "rolled", "without first", "behind", "zeros"],
)
def test_what_is_not_the_weight_in_any_form(theirs: torch.Tensor) -> None:
    assert remade(WEIGHT, theirs) is None
    assert likeness(WEIGHT, theirs)[0] in ("other values", "other shape")


def test_the_axes_of_a_cube_may_be_in_any_order() -> None:
    for order in ((0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0)):
        assert remade(CUBE, CUBE.permute(order).clone()) == ("transposed", Form(order))
    assert remade(CUBE, CUBE.permute(2, 0, 1).reshape(4, 6)) == ("transposed", Form((2, 0, 1), (4, 6)))


def test_a_first_row_of_zeros_hides_no_form() -> None:
    padding = WEIGHT.clone()
    padding[0] = 0
    assert remade(padding, padding.flatten() * 3) == ("reshaped", Form(shape=(24,), factor=3.0))
    assert remade(padding, padding.roll(1, 0).flatten()) is None


def test_a_part_is_a_form_only_where_it_may_be_cut() -> None:
    part = WEIGHT[:3][None].clone()
    assert remade(WEIGHT, part) == ("reshaped", Form(shape=(1, 6, 4)))
    assert remade(WEIGHT, part, may_cut=False) is None
    assert remade(WEIGHT, torch.cat([WEIGHT, OTHER]), may_cut=False) == ("padded", AS_IT_IS)


def test_a_tensor_that_repeats_its_elements_has_no_other_form() -> None:
    assert remade(WEIGHT[:1].expand(3, 4), WEIGHT[:1].repeat(3, 1).flatten()) is None


@pytest.mark.parametrize(
    ("tensor", "is_one"),
    [
        (WEIGHT, True),
        (torch.zeros(9), False),
        (torch.tensor([1.0, 0, 1, 0, 0]), False),
        (WEIGHT[0, :3], False),
        (torch.arange(9), False),
        (torch.cat([torch.zeros(5000), torch.randn(5000)]), True),
    ],
)
def test_a_weight_is_distinct_if_it_has_three_numbers(tensor: torch.Tensor, *, is_one: bool) -> None:
    assert is_distinct(tensor) is is_one
