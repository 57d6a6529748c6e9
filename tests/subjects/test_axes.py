"""Proves what inputs that the user gave say about themselves: their names, and the axes that callers may vary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.errors import InputsError, PolicyError
from pytest_tsexport.subjects.axes import checked, declared, dependent, discovered, forward_arguments
from pytest_tsexport.subjects.fields import Axis, Description, Field
from pytest_tsexport.subjects.inquiry import Inquiry
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


def test_inputs_are_ordered_as_in_forward() -> None:
    assert list(checked(Takes(), {"mask": ROW, "ids": IDS}).tensors) == ["ids", "mask"]


def test_inputs_of_a_model_that_takes_any_name_keep_their_order() -> None:
    assert list(checked(TakesAnything(), {"y": ROW, "x": IDS}).tensors) == ["y", "x"]


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({"ids": [1, 2]}, r"inputs holds no tensor; give \{argument name: tensor\} for what varies from call to call"),
        (
            {"ids": {1, 2}},
            r"inputs\['ids'\] is of type set; give a tensor, a number, or a dict, list or tuple of",
        ),
        ({"ids": {1: IDS}}, r"inputs\['ids'\] is a dict with keys that are not texts; give a tensor"),
        ({"ids": IDS[:0]}, r"inputs\['ids'\] is empty, of shape \(0, \d+\); give at least one element"),
        ({"ids": None}, r"inputs holds no tensor; give"),
        ({}, "inputs is empty; give {argument name: tensor}, or leave it out to have it derived"),
        ({"idz": IDS}, "inputs names 'idz', which Takes.forward does not take; use one of ids, mask, scale"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_in_one_sentence(inputs: Mapping[str, Any], text: str) -> None:
    with pytest.raises(InputsError, match=text):
        checked(Takes(), inputs)


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


@pytest.mark.parametrize("switch", [torch.tensor(True), torch.tensor([1]), torch.ones(2, 1, dtype=torch.bool)])
def test_a_frozen_switch_is_found(switch: torch.Tensor) -> None:
    found = judge(Switched(), {"x": ROW, "causal": switch}, checks="parity", max_examples=20)["parity"]
    assert found.headline == "differs from eager at the traced size"


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (2 * torch.export.Dim("half", min=1, max=16), "holds 2*half, a derived Dim; give an axis name or a plain Dim"),
        (
            torch.export.Dim("length", min=8),
            "bounds 'length' from 8, but the example has 7; give an example within the bounds",
        ),
        (
            torch.export.Dim("length", min=2, max=6),
            "bounds 'length' to 2-6, but the example has 7; give an example within the bounds",
        ),
    ],
)
def test_a_dim_that_the_example_or_the_search_cannot_satisfy_is_refused(dim: Any, text: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        declared({"ids": IDS}, {"ids": {1: dim}})
    assert str(refusal.value) == f"dynamic_shapes['ids'] {text}"


def test_a_dim_without_a_maximum_does_not_bound_the_search() -> None:
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
def test_dynamic_shapes_that_do_not_fit_are_refused_in_one_sentence(shapes: Mapping[str, Any], text: str) -> None:
    with pytest.raises(PolicyError, match=text):
        declared({"ids": IDS, "mask": IDS}, shapes)


Given = Mapping[str, torch.Tensor]


def found(inputs: Given, accepts: Callable[[Given], bool]) -> tuple[tuple[Field, ...], tuple[Axis, ...]]:
    description = discovered(Inquiry(inputs, lambda given: None if accepts(given) else "no"))
    return description.fields, description.axes


def sizes_of(axes: tuple[Axis, ...]) -> dict[str, int]:
    return {axis.name: axis.size for axis in axes}


def test_a_dimension_that_eager_accepts_at_another_size_is_an_axis() -> None:
    fields, axes = found({"x": torch.zeros(2, 7, 4)}, lambda given: given["x"].shape[2] == 4)
    assert fields[0].dims == ("batch", "dim1", 4)
    assert sizes_of(axes) == {"batch": 2, "dim1": 7}


def test_dimensions_at_one_place_and_of_one_size_vary_together() -> None:
    def accepts(given: Mapping[str, torch.Tensor]) -> bool:
        return given["ids"].shape == given["mask"].shape

    fields, axes = found({"ids": IDS, "mask": IDS}, accepts)
    assert [one.dims for one in fields] == [("batch", "dim1")] * 2
    assert sizes_of(axes) == {"batch": 2, "dim1": 7}


def test_a_dimension_that_eager_refuses_does_not_vary() -> None:
    fields, axes = found({"x": ROW}, lambda given: False)
    assert (fields[0].dims, axes) == ((2, 7), ())


def test_two_axes_at_one_place_have_different_names() -> None:
    _, axes = found({"x": torch.zeros(2, 7), "y": torch.zeros(3, 7)}, lambda given: True)
    assert sizes_of(axes) == {"batch": 2, "dim1": 7, "y.0": 3}


def test_an_input_without_dimensions_has_no_axis() -> None:
    assert found({"x": torch.tensor(1.0)}, lambda given: True)[1] == ()


@pytest.mark.parametrize(("size", "high"), [(7, 7), (6, None)])
def test_a_named_axis_ends_where_eager_does(size: int, high: int | None) -> None:
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.positions = nn.Embedding(7, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = x + self.positions(torch.arange(x.shape[1]))[:, 0]
            return found

    x = torch.randn(2, size)
    fields, axes = declared({"x": x}, {"x": {0: "batch", 1: "length"}})
    found = dependent(Description(fields=fields, axes=axes), Inquiry.of(Table(), {"x": x}))
    assert [(axis.name, axis.high) for axis in found.axes] == [("batch", None), ("length", high)]
