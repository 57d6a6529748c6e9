"""Proves what is read off inputs that the user gave: their names, their values, the axes that callers may vary."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.errors import InputsError, PolicyError
from pytest_tsexport.subjects.axes import checked, declared, discovered, domain_of, forward_arguments
from pytest_tsexport.subjects.fields import Axis, Field
from pytest_tsexport.testing import judge

ROW = torch.randn(2, 7)
IDS = torch.arange(14).view(2, 7)


class Takes(nn.Module):
    def forward(self, ids: torch.Tensor, mask: torch.Tensor | None = None, *, scale: float = 1.0) -> torch.Tensor:
        return ids


class TakesAnything(nn.Module):
    def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
        return inputs["x"]


class TakesAnyNumber(nn.Module):
    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return inputs[0]


@pytest.mark.parametrize(
    ("model", "names"),
    [(Takes(), ("ids", "mask", "scale")), (TakesAnything(), None), (nn.Linear(1, 1), ("input",))],
)
def test_the_arguments_of_forward(model: nn.Module, names: tuple[str, ...] | None) -> None:
    assert forward_arguments(model) == names


def test_inputs_are_put_in_the_order_of_forward() -> None:
    assert list(checked(Takes(), {"mask": ROW, "ids": IDS})) == ["ids", "mask"]


def test_a_model_that_takes_anything_keeps_the_users_order() -> None:
    assert list(checked(TakesAnything(), {"y": ROW, "x": IDS})) == ["y", "x"]


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({"ids": [1, 2]}, r"inputs\['ids'\] is of type list; give a tensor"),
        ({"ids": IDS[:0]}, r"inputs\['ids'\] is empty, of shape \(0, \d+\); give at least one element"),
        ({"ids": None}, r"inputs\['ids'\] is of type NoneType; give a tensor"),
        ({}, "inputs is empty; give {argument name: tensor}, or leave it out to have it derived"),
        ({"idz": IDS}, "inputs names 'idz', which Takes.forward has not; use one of ids, mask, scale"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_in_a_sentence(inputs: Mapping[str, Any], text: str) -> None:
    with pytest.raises(InputsError, match=text):
        checked(Takes(), inputs)


@pytest.mark.parametrize(
    ("example", "kind", "low", "high"),
    [
        (torch.tensor([0.5, -3.0]), "floats", 0, 2),
        (torch.ones(2, 3, dtype=torch.int64), "mask", 0, 2),
        (torch.tensor([0, 1]), "mask", 0, 2),
        (torch.tensor([True]), "mask", 0, 2),
        (torch.tensor([0, 5]), "integers", 0, 6),
        (torch.tensor([3, 9]), "integers", 3, 10),
        (torch.tensor([], dtype=torch.int64), "integers", 0, 2),
        (torch.tensor([-4, 2]), "integers", -4, 3),
    ],
)
def test_the_values_that_an_input_may_hold(example: torch.Tensor, kind: str, low: int, high: int) -> None:
    domain = domain_of(example)
    assert (domain.kind, domain.low, domain.high, domain.dtype) == (kind, low, high, example.dtype)


@pytest.mark.parametrize(
    ("example", "scale"),
    [
        (torch.tensor([2.0, -4.0]), 3.0),
        (torch.zeros(2), 1.0),
        (torch.full((2,), 1e-3), 1e-3),
        (torch.tensor([3 + 4j, 0]), 2.5),
        (torch.tensor([-2e5, 1e5]), 1.5e5),
        (torch.full((2,), -2e5), 2e5),
    ],
)
def test_floats_are_drawn_at_the_scale_of_the_example(example: torch.Tensor, scale: float) -> None:
    assert domain_of(example).scale == pytest.approx(scale)


@pytest.mark.parametrize("shut", [-math.inf, torch.finfo(torch.float32).min, -1e9, -1e4])
def test_what_shuts_a_position_in_an_additive_mask_is_no_scale(shut: float) -> None:
    assert domain_of(torch.tensor([[0.0, shut], [0.0, 0.0]])).scale == 1.0
    assert domain_of(torch.tensor([[0.5, shut], [-0.5, 0.5]])).scale == 0.5


def test_an_example_without_a_finite_value_is_drawn_at_scale_one() -> None:
    assert domain_of(torch.tensor([math.nan, math.inf])).scale == 1.0


@pytest.mark.parametrize(
    ("name", "dims", "example", "flag"),
    [
        ("causal", (), torch.tensor(True), True),
        ("causal", (1,), torch.tensor([1]), True),
        ("causal", ("batch", 1), torch.tensor([[1], [0]]), True),
        ("causal", ("batch", "dim1"), torch.tensor([[1], [1]]), True),
        ("causal", ("batch",), torch.tensor([1, 0]), False),
        ("use_mask", (), torch.tensor(True), True),
        ("use_mask", (1,), torch.tensor([True]), True),
        ("mask", ("length",), torch.tensor([True]), False),
        ("attention_mask", ("batch", "length"), torch.tensor([[1], [1]]), False),
        ("attention_mask", (2, 1), torch.tensor([[1], [1]]), False),
        ("count", (), torch.tensor(3), False),
    ],
)
def test_what_switches_is_told_from_the_mask_of_one_token(
    name: str, dims: tuple[str | int, ...], example: torch.Tensor, *, flag: bool
) -> None:
    assert Field(name, dims, domain_of(example)).flag is flag


def test_declared_axes_are_shared_by_name() -> None:
    fields, axes = declared({"ids": IDS, "mask": IDS, "bias": torch.zeros(7)}, {"ids": {0: "batch", 1: "length"}})
    assert [one.dims for one in fields] == [("batch", "length"), (2, 7), (7,)]
    assert axes == (Axis(name="batch", size=2, named=True), Axis(name="length", size=7, named=True))


@pytest.mark.parametrize(
    "shape", [{0: "batch", -1: "length"}, ("batch", "length"), ["batch", "length"], {1: "length", 0: "batch"}]
)
def test_dimensions_may_be_given_in_each_form_of_torch_export(shape: Any) -> None:
    fields, axes = declared({"ids": IDS}, {"ids": shape})
    assert fields[0].dims == ("batch", "length")
    assert {axis.name: axis.size for axis in axes} == {"batch": 2, "length": 7}


def test_a_dimension_that_is_none_or_a_number_does_not_vary() -> None:
    assert declared({"ids": IDS}, {"ids": {0: None, 1: 7}})[1] == ()
    assert declared({"ids": IDS}, {"ids": None})[1] == ()


def test_a_dim_bounds_the_search() -> None:
    dim = torch.export.Dim("length", min=3, max=50)
    (axis,) = declared({"ids": IDS}, {"ids": {1: dim}})[1]
    assert axis == Axis(name="length", size=7, low=3, high=50, named=True)


class Switched(nn.Module):
    """A branch on an input, which a trace freezes."""

    def forward(self, x: torch.Tensor, causal: torch.Tensor) -> torch.Tensor:
        return x.cumsum(1) if bool(causal.all()) else x * 2


@pytest.mark.parametrize("flag", [torch.tensor(True), torch.tensor([1]), torch.ones(2, 1, dtype=torch.bool)])
def test_a_frozen_flag_is_found(flag: torch.Tensor) -> None:
    found = judge(Switched(), {"x": ROW, "causal": flag}, checks="parity", max_examples=20)["parity"]
    assert found.headline == "differs from eager at the traced size"


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (2 * torch.export.Dim("half", min=1, max=16), "holds 2*half, a derived Dim; give an axis name or a plain Dim"),
        (
            torch.export.Dim("length", min=8),
            "bounds 'length' from 8, where the example has 7; give an example within the bounds",
        ),
        (
            torch.export.Dim("length", min=2, max=6),
            "bounds 'length' to 2-6, where the example has 7; give an example within the bounds",
        ),
    ],
)
def test_a_dim_that_the_example_or_the_search_cannot_keep_is_refused(dim: Any, text: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        declared({"ids": IDS}, {"ids": {1: dim}})
    assert str(refusal.value) == f"dynamic_shapes['ids'] {text}"


def test_a_dim_without_a_maximum_has_none() -> None:
    (axis,) = declared({"ids": IDS}, {"ids": {1: torch.export.Dim("length")}})[1]
    assert (axis.low, axis.high) == (0, None)


@pytest.mark.parametrize(
    ("shapes", "text"),
    [
        ({"idz": {0: "batch"}}, "dynamic_shapes names 'idz'; use one of ids, mask"),
        ({"ids": {2: "batch"}}, r"dynamic_shapes\['ids'\] names dimension 2; ids has 2"),
        ({"ids": {"x": "batch"}}, r"dynamic_shapes\['ids'\] names dimension 'x'; ids has 2"),
        ({"ids": {0: 1.5}}, r"dynamic_shapes\['ids'\] holds 1\.5; give an axis name or a torch\.export\.Dim"),
        ({"ids": {0: ""}}, r"dynamic_shapes\['ids'\] holds ''; give an axis name or a torch\.export\.Dim"),
        (
            {"ids": {0: "n"}, "mask": {1: "n"}},
            "axis 'n' is 2 in one input and 7 in mask; give each size its own name",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_refused_in_a_sentence(shapes: Mapping[str, Any], text: str) -> None:
    with pytest.raises(PolicyError, match=text):
        declared({"ids": IDS, "mask": IDS}, shapes)


def sizes_of(axes: tuple[Axis, ...]) -> dict[str, int]:
    return {axis.name: axis.size for axis in axes}


def test_axes_are_found_by_asking_eager() -> None:
    fields, axes = discovered({"x": torch.zeros(2, 7, 4)}, lambda given: given["x"].shape[2] == 4)
    assert fields[0].dims == ("batch", "dim1", 4)
    assert sizes_of(axes) == {"batch": 2, "dim1": 7}


def test_dimensions_of_one_place_and_size_vary_together() -> None:
    def accepts(given: Mapping[str, torch.Tensor]) -> bool:
        return given["ids"].shape == given["mask"].shape

    fields, axes = discovered({"ids": IDS, "mask": IDS}, accepts)
    assert [one.dims for one in fields] == [("batch", "dim1")] * 2
    assert sizes_of(axes) == {"batch": 2, "dim1": 7}


def test_an_axis_that_eager_refuses_does_not_vary() -> None:
    fields, axes = discovered({"x": ROW}, lambda given: False)
    assert (fields[0].dims, axes) == ((2, 7), ())


def test_two_axes_of_one_place_have_names_of_their_own() -> None:
    _, axes = discovered({"x": torch.zeros(2, 7), "y": torch.zeros(3, 7)}, lambda given: True)
    assert sizes_of(axes) == {"batch": 2, "dim1": 7, "y.0": 3}


def test_an_input_without_dimensions_has_no_axis() -> None:
    assert discovered({"x": torch.tensor(1.0)}, lambda given: True)[1] == ()
