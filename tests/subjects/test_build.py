"""Proves that a subject is made from the model and the test, or that one sentence says what is missing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.errors import InputsError, PolicyError
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.domains.boxes import Boxes
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.integers import Ids
from pytest_tsexport.subjects.domains.lengths import Lengths
from pytest_tsexport.subjects.domains.masks import Mask
from pytest_tsexport.subjects.fields import Field
from pytest_tsexport.subjects.reference import Answer
from pytest_tsexport.subjects.state import Snapshot
from pytest_tsexport.subjects.subject import Hints, Subject
from pytest_tsexport.subjects.user_examples import Example
from pytest_tsexport.testing import right_outputs, right_sizes, wrong_exports, wrong_state, wrong_values
from pytest_tsexport.testing.files import quiet
from pytest_tsexport.testing.specimen import ids, masked_ids, rows
from tests.subjects.families import build as family


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


def test_ids_run_over_all_rows_of_the_embedding_that_they_index() -> None:
    (field,) = built(wrong_values.LastRow(), inputs=ids(2, 7, high=40)()).fields
    assert field.domain == Ids(dtype=torch.int64, high=60)


def test_zeros_and_ones_that_index_an_embedding_are_ids() -> None:
    for given in ([[0, 1]], [[0], [1]]):
        (field,) = built(wrong_values.LastRow(), inputs={"ids": torch.tensor(given)}).fields
        assert field.domain == Ids(dtype=torch.int64, high=60)


class RowsAt(nn.Module):
    """The rows of a table at positions that were masked."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(9, 4)

    def forward(self, masked_positions: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.table(masked_positions)
        return found


def test_integers_that_index_a_table_are_ids_even_if_they_are_named_mask() -> None:
    (field,) = built(RowsAt(), inputs={"masked_positions": torch.tensor([[3, 5], [2, 6]])}).fields
    assert field.domain == Ids(dtype=torch.int64, high=9)


def test_a_mask_stays_a_mask() -> None:
    by_name = {one.name: type(one.domain) for one in built(wrong_values.MaskedMean(), inputs=masked_ids()()).fields}
    assert by_name == {"ids": Ids, "mask": Mask}


def test_building_does_not_change_the_model() -> None:
    model = wrong_state.CountsCalls().train()
    built(model, inputs=rows()())
    assert model.calls == 0
    assert model.training


def test_a_hook_may_give_the_inputs_and_the_test_overrides_it() -> None:
    asked = Hints(inputs_hook=lambda model: rows(3, 5)())
    assert built(right_sizes.PositionsFromShape(), asked).sizes == {"batch": 3, "dim1": 5}
    assert built(right_sizes.PositionsFromShape(), asked, inputs=rows()()).sizes == {"batch": 2, "dim1": 7}


def test_another_model_may_be_the_reference() -> None:
    other = wrong_exports.Plain()
    subject = built(wrong_exports.Plain(), inputs=rows()(), reference=other)
    assert subject.reference is other
    assert subject.model is not other


def bounded(**bounds: int) -> Subject:
    dims = {0: "batch", 1: torch.export.Dim("sequence", **bounds)}
    given = {name: torch.ones(2, 7, dtype=torch.int64) for name in ("input_ids", "attention_mask")}
    return built(family("bert", "Model"), inputs=given, dynamic_shapes=dict.fromkeys(given, dims))


def test_the_users_maximum_wins_over_the_one_of_the_model() -> None:
    assert bounded(max=20).axis("sequence").high == 20
    assert bounded(max=100).axis("sequence").high == 100
    assert bounded(min=2).axis("sequence").high == 48


def text_with_lengths() -> dict[str, torch.Tensor]:
    return {"input_ids": torch.arange(14).view(2, 7) + 3, "lengths": torch.tensor([7, 4])}


def test_lengths_are_bounded_by_the_text() -> None:
    _, lengths = built(family("xlm"), inputs=text_with_lengths()).fields
    assert lengths.domain == Lengths(dtype=torch.int64, axis="sequence")


@pytest.mark.parametrize(
    ("dims", "axis"),
    [({0: "rows", 1: "time"}, "time"), ({0: "rows"}, 7)],
    ids=["a renamed axis", "a fixed size"],
)
def test_lengths_follow_the_axis_that_the_user_declared(dims: dict[int, str], axis: str | int) -> None:
    shapes = {"input_ids": dims, "lengths": {0: "rows"}}
    subject = built(family("xlm"), inputs=text_with_lengths(), dynamic_shapes=shapes)
    assert subject.fields[1] == Field("lengths", ("rows",), Lengths(dtype=torch.int64, axis=axis))
    assert int(subject.fields[1].draw({"rows": 99, "time": 3}, 0).max()) == (3 if axis == "time" else 7)


def test_an_axis_that_varies_in_one_input_and_is_fixed_in_another_varies() -> None:
    given = {**text_with_lengths(), "attention_mask": torch.ones(2, 7, dtype=torch.int64)}
    shapes = {"input_ids": {0: "rows", 1: "time"}, "attention_mask": {0: "rows"}, "lengths": {0: "rows"}}
    for names in (given, dict(reversed(given.items()))):
        subject = built(family("xlm"), inputs={name: given[name] for name in names}, dynamic_shapes=shapes)
        (lengths,) = (one for one in subject.fields if one.name == "lengths")
        assert lengths.domain == Lengths(dtype=torch.int64, axis="time")


class ReadsPages(nn.Module):
    """Takes boxes as parts of the page, as Bros and UDOP do."""

    def __init__(self) -> None:
        super().__init__()
        self.model = family("layoutlm", "Model")

    def forward(self, input_ids: torch.Tensor, bbox: torch.Tensor) -> torch.Tensor:
        state: torch.Tensor = self.model(input_ids=input_ids, bbox=(bbox.clamp(0, 1) * 1000).long())[0]
        return state


def test_a_derived_domain_that_the_users_tensor_does_not_fit_is_not_used() -> None:
    parts = torch.tensor([0.1, 0.2, 0.5, 0.6]).expand(2, 7, 4).clone()
    given = {"input_ids": torch.arange(14).view(2, 7), "bbox": parts}
    assert isinstance(built(ReadsPages(), inputs=given).fields[1].domain, Floats)
    given["bbox"] = (parts * 1000).long()
    assert isinstance(built(ReadsPages(), inputs=given).fields[1].domain, Boxes)


def test_values_that_hold_tensors_are_compared_by_identity() -> None:
    inputs = rows()()
    subjects = [built(wrong_exports.Plain(), inputs=inputs) for _ in range(2)]
    examples = [Example(inputs, {}) for _ in range(2)]
    answers = [Answer(leaves=inputs) for _ in range(2)]
    states = [Snapshot.of(subjects[0].model) for _ in range(2)]
    for one, other in (subjects, examples, answers, states):
        assert one == one  # noqa: PLR0124
        assert one != other
        assert [one, other].index(other) == 1
        assert len({one, other}) == 2


class ReturnsText(nn.Module):
    def forward(self, x: torch.Tensor) -> str:
        return "text"


class ReturnsLoop(nn.Module):
    """Returns a list that holds itself."""

    def forward(self, x: torch.Tensor) -> list[object]:
        loop: list[object] = [x]
        loop.append(loop)
        return loop


class RaisesLines(nn.Module):
    """Raises a long text of several lines, with a control character."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise ValueError("\nfirst\nsecond\x1b[31m\n" + "x" * 100_000)


class Unshown(Exception):
    """Cannot say what happened."""

    def __str__(self) -> str:
        raise ValueError("no text")


class RaisesUnshown(nn.Module):
    """Raises what cannot be shown."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise Unshown


class ReturnsNothing(nn.Module):
    def forward(self, x: torch.Tensor) -> None:
        return None


REFUSED: list[tuple[Callable[[], nn.Module], Mapping[str, Any], type[Exception], str]] = [
    (
        wrong_exports.Plain,
        {},
        InputsError,
        r"^inputs cannot be derived for Plain; give inputs=\{argument name: tensor\}$",
    ),
    (
        wrong_exports.Plain,
        {"inputs": {"y": torch.zeros(2, 7)}},
        InputsError,
        "^inputs names 'y', which Plain.forward does not take; use one of x",
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
        "^ReturnsText returns a value that cannot be exported: output itself is a str, which is not a tensor$",
    ),
    (
        ReturnsLoop,
        {"inputs": rows()()},
        InputsError,
        "^ReturnsLoop returns a value that cannot be exported: it holds itself$",
    ),
    (
        RaisesLines,
        {"inputs": rows()()},
        InputsError,
        r"^RaisesLines does not run on its inputs \(x \(2, 7\)\): first second \[31m (x){282}…$",
    ),
    (
        RaisesUnshown,
        {"inputs": rows()()},
        InputsError,
        r"^RaisesUnshown does not run on its inputs \(x \(2, 7\)\): Unshown, whose message cannot be shown$",
    ),
    (
        ReturnsNothing,
        {"inputs": rows()()},
        InputsError,
        "^ReturnsNothing returns no tensor for its inputs, so there is nothing to compare$",
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
        "^shapes names axis 'batch'; no axis varies$",
    ),
]


@pytest.mark.parametrize(("model", "meaning", "error", "text"), REFUSED)
def test_what_does_not_fit_is_refused_in_one_sentence(
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
def test_weights_without_values_are_refused_in_one_sentence(layer: Callable[[], nn.Module], text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch announces that lazy modules are new
        model = nn.Sequential(layer())
    with pytest.raises(InputsError, match=text):
        build(model, Meaning(inputs={"input": torch.ones(2, 4)}), name="x")


class CompilesAtFirstCall(nn.Module):
    """Right: it traces a part of itself when it is first called, which torch refuses while operators are watched."""

    function: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 3)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.embed(input_ids)
        if self.function is None:
            with quiet():
                self.function = torch.jit.trace(lambda x: x * 2, torch.ones(2))
        return answer


def test_a_model_that_compiles_a_part_of_itself_runs_on_its_inputs() -> None:
    subject = built(CompilesAtFirstCall(), inputs={"input_ids": torch.arange(8).view(2, 4)})
    assert subject.outputs == ("output",)
    assert subject.fields[0].domain == Ids(dtype=torch.int64, high=11)
