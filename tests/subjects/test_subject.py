"""Proves that a subject is what the model and the test say of it, or one sentence that says what is missing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.config.policy import Meaning
from pytest_tsexport.errors import InputsError, PolicyError
from pytest_tsexport.subjects.subject import Hints, Subject, build
from pytest_tsexport.testing import right_outputs, right_sizes, wrong_exports, wrong_state, wrong_values
from pytest_tsexport.testing.specimen import ids, masked_ids, rows


def built(model: nn.Module, hints: Hints | None = None, **meaning: Any) -> Subject:
    return build(model, Meaning(**meaning), name="it", hints=hints)


def test_inputs_axes_and_outputs_of_a_plain_module() -> None:
    subject = built(right_outputs.NestedOutputs(), inputs=rows()())
    assert subject.name == "it"
    assert subject.sizes == {"batch": 2, "dim1": 7}
    assert subject.outputs == ("logits", "hidden.0", "hidden.2.0", "hidden.2.1.deep")
    assert subject.reference is subject.model
    assert not any(axis.named for axis in subject.axes)


def test_a_dimension_that_eager_refuses_does_not_vary() -> None:
    assert built(wrong_exports.Plain(), inputs=rows()()).sizes == {"batch": 2}


def test_declared_axes_replace_those_that_would_be_found() -> None:
    subject = built(right_sizes.PositionsFromShape(), inputs=rows()(), dynamic_shapes={"x": {1: "length"}})
    assert subject.sizes == {"length": 7}
    assert subject.axis("length").named
    assert subject.fields[0].dims == (2, "length")


def test_ids_run_over_the_rows_of_the_embedding_that_they_reach() -> None:
    (field,) = built(wrong_values.LastRow(), inputs=ids(2, 7, high=40)()).fields
    assert (field.domain.kind, field.domain.low, field.domain.high) == ("ids", 0, 60)


def test_ids_that_happen_to_be_zero_and_one_are_ids_where_they_are_looked_up() -> None:
    for given in ([[0, 1]], [[0], [1]]):
        (field,) = built(wrong_values.LastRow(), inputs={"ids": torch.tensor(given)}).fields
        assert (field.domain.kind, field.domain.high, field.flag) == ("ids", 60, False)


class RowsAt(nn.Module):
    """The rows of a table at positions that were masked."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(9, 4)

    def forward(self, masked_positions: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.table(masked_positions)
        return found


def test_positions_whose_name_says_mask_are_positions() -> None:
    (field,) = built(RowsAt(), inputs={"masked_positions": torch.tensor([[3, 5], [2, 6]])}).fields
    assert (field.domain.kind, field.domain.low, field.domain.high) == ("ids", 0, 9)


def test_a_mask_stays_a_mask() -> None:
    by_name = {one.name: one.domain.kind for one in built(wrong_values.MaskedMean(), inputs=masked_ids()()).fields}
    assert by_name == {"ids": "ids", "mask": "mask"}


def test_building_leaves_the_model_alone() -> None:
    model = wrong_state.CountsCalls().train()
    built(model, inputs=rows()())
    assert model.calls == 0
    assert model.training


def test_a_hook_may_give_the_inputs_and_the_test_is_stronger() -> None:
    asked = Hints(ask=lambda model: rows(3, 5)())
    assert built(right_sizes.PositionsFromShape(), asked).sizes == {"batch": 3, "dim1": 5}
    assert built(right_sizes.PositionsFromShape(), asked, inputs=rows()()).sizes == {"batch": 2, "dim1": 7}


def test_another_model_may_be_the_one_to_be_faithful_to() -> None:
    other = wrong_exports.Plain()
    subject = built(wrong_exports.Plain(), inputs=rows()(), reference=other)
    assert subject.reference is other
    assert subject.model is not other


class ReturnsText(nn.Module):
    def forward(self, x: torch.Tensor) -> str:
        return "text"


class ReturnsNothing(nn.Module):
    def forward(self, x: torch.Tensor) -> None:
        return None


REFUSED: list[tuple[Callable[[], nn.Module], Mapping[str, Any], type[Exception], str]] = [
    (
        wrong_exports.Plain,
        {},
        InputsError,
        r"^inputs cannot be derived for Plain; give inputs=\{argument name: tensor\} to the marker$",
    ),
    (
        wrong_exports.Plain,
        {"inputs": {"y": torch.zeros(2, 7)}},
        InputsError,
        "^inputs names 'y', which Plain.forward has",
    ),
    (
        wrong_exports.Plain,
        {"inputs": {"x": torch.zeros(2, 3)}},
        InputsError,
        r"^Plain does not run on its inputs \(x \(2, 3\)\): ",
    ),
    (
        ReturnsText,
        {"inputs": rows()()},
        InputsError,
        "^ReturnsText answers what no export can: output itself is a str, which is not a tensor$",
    ),
    (
        ReturnsNothing,
        {"inputs": rows()()},
        InputsError,
        "^ReturnsNothing answers no tensor on its inputs, so there is nothing to compare$",
    ),
    (
        wrong_exports.Plain,
        {"inputs": rows()(), "reference": "model"},
        InputsError,
        "^reference is a str; give the nn.Module to be faithful to$",
    ),
    (
        wrong_exports.Plain,
        {"inputs": rows()(), "shapes": {"length": "fixed"}},
        PolicyError,
        "^shapes names axis 'length'; use one of batch$",
    ),
    (
        wrong_exports.Plain,
        {"inputs": rows()(), "dynamic_shapes": {}, "shapes": {"batch": "fixed"}},
        PolicyError,
        "^shapes names axis 'batch'; use one of none: no axis varies$",
    ),
]


@pytest.mark.parametrize(("model", "meaning", "error", "text"), REFUSED)
def test_what_does_not_fit_is_refused_in_a_sentence(
    model: Callable[[], nn.Module], meaning: Mapping[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text) as refusal:
        built(model(), **meaning)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (lambda: nn.LazyLinear(3), "is not initialised; call the model once before returning it"),
        (lambda: nn.Linear(4, 3, device="meta"), "is on the meta device, without values; load its weights"),
    ],
)
def test_weights_without_values_are_refused_in_a_sentence(layer: Callable[[], nn.Module], text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch announces that lazy modules are new
        model = nn.Sequential(layer())
    with pytest.raises(InputsError, match=text):
        build(model, Meaning(inputs={"input": torch.ones(2, 4)}), name="x")
