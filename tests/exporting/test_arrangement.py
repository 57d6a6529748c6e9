"""Proves that a file is called with what its schema asks for, and that what does not fit is named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.file_format import Argument
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.exporting.arrangement import ArgumentsError, arranged
from pytest_tsexport.subjects.arguments import filled
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.testing import judge
from pytest_tsexport.verdict import Outcome

IDS = torch.arange(10).view(2, 5)
MASK = torch.ones(2, 5, dtype=torch.long)
FEATURES = {"input_ids": IDS, "attention_mask": MASK}


class Bag(nn.Module):
    """Takes one dict, as sentence-transformers does."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(30, 8)

    def forward(self, features: dict[str, torch.Tensor]) -> torch.Tensor:
        mask = features["attention_mask"].unsqueeze(-1).float()
        answer: torch.Tensor = (self.table(features["input_ids"]) * mask).sum(1) / mask.sum(1)
        return answer


class FreezesTheMask(Bag):
    """Takes one dict, and a trace freezes how many tokens are there."""

    def forward(self, features: dict[str, torch.Tensor]) -> torch.Tensor:
        kept = int(features["attention_mask"].sum())
        answer: torch.Tensor = self.table(features["input_ids"]).sum(1) / kept
        return answer


class Flat(nn.Module):
    """The same model with an argument for each tensor."""

    def __init__(self, bag: nn.Module) -> None:
        super().__init__()
        self.bag = bag

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.bag({"input_ids": input_ids, "attention_mask": attention_mask})
        return answer


class Rated(nn.Module):
    def forward(self, x: torch.Tensor, rate: int = 16000) -> torch.Tensor:
        return x * (rate // 8000)


class Sums(nn.Module):
    def forward(self, parts: list[torch.Tensor], scale: float) -> torch.Tensor:
        return torch.stack(list(parts)).cumsum(0).sum(0) * scale


class Two(NamedTuple):
    one: torch.Tensor
    two: torch.Tensor


class TakesNamedTuple(nn.Module):
    def forward(self, pair: Two) -> torch.Tensor:
        return pair.one - 2 * pair.two


class Strict(nn.Module):
    def forward(self, x: torch.Tensor, rate: int) -> torch.Tensor:
        return x * (rate // 8000)


def subject_of(model: nn.Module, inputs: Mapping[str, Any]) -> Subject:
    return build(model, Meaning(inputs=inputs), name="it")


def takes(**types: str) -> list[Argument]:
    return [
        Argument(name=name, type=kind.removesuffix("="), optional=kind.endswith("=")) for name, kind in types.items()
    ]


def passed(model: nn.Module, inputs: Mapping[str, Any], **types: str) -> dict[str, Any]:
    subject = subject_of(model, inputs)
    return {name: filled(item, subject.inputs) for name, item in arranged(subject, takes(**types)).items()}


DICT = "Dict(str, Tensor)"


def test_a_dict_is_passed_by_its_name() -> None:
    (features,) = passed(Bag(), {"features": FEATURES}, features=DICT).values()
    assert features["input_ids"] is IDS


@pytest.mark.parametrize(
    "types",
    [
        {"features_input_ids": "Tensor", "features_attention_mask": "Tensor"},
        {"attention_mask": "Tensor", "input_ids": "Tensor"},
        {"one": "Tensor", "other": "Tensor"},
    ],
)
def test_a_file_may_take_the_tensors_of_a_dict(types: dict[str, str]) -> None:
    found = passed(Bag(), {"features": FEATURES}, **types)
    assert list(found) == list(types)
    assert {id(one) for one in found.values()} == {id(IDS), id(MASK)}
    if "one" not in types:
        assert all((tensor is IDS) == name.endswith("input_ids") for name, tensor in found.items())


@pytest.mark.parametrize("name", ["features", "input"])
@pytest.mark.parametrize("kind", [DICT, "Dict[str, Tensor]"])
def test_a_file_may_take_all_tensors_in_one_dict(name: str, kind: str) -> None:
    (found,) = passed(Flat(Bag()), FEATURES, **{name: kind}).values()
    assert found == FEATURES


def test_a_number_is_passed_if_the_file_takes_it() -> None:
    inputs = {"x": torch.ones(2, 4), "rate": 8000}
    assert passed(Rated(), inputs, x="Tensor", rate="int")["rate"] == 8000
    assert list(passed(Rated(), inputs, x="Tensor")) == ["x"]
    assert torch.equal(passed(Rated(), inputs, x="Tensor", rate="Tensor")["rate"], torch.tensor(8000))
    assert passed(Rated(), inputs, y="Tensor", sr="int")["sr"] == 8000


def test_an_argument_with_a_default_may_be_left_out() -> None:
    assert list(passed(Rated(), {"x": torch.ones(2, 4)}, x="Tensor", rate="int=")) == ["x"]
    assert list(passed(Rated(), {"x": torch.ones(2, 4)}, y="Tensor", rate="int=")) == ["y"]


@pytest.mark.parametrize(
    ("types", "text"),
    [
        (
            {"x": "Tensor", "rate": "int"},
            r"^the file also takes rate \(int\), and no input has that name; add 'rate' to inputs=, with a whole ",
        ),
        ({"x": "Tensor", "rate": "Tensor"}, "; add 'rate' to inputs=, with a tensor$"),
        (
            {"x": "Tensor", "position_ids": "Tensor"},
            "also takes position_ids .*; Rated.forward does not take it either: return a model that takes what",
        ),
        ({"y": "Tensor", "z": "Tensor"}, "^the file takes y, z; the model's inputs are x; give the inputs= that"),
        ({}, "^the file takes nothing; the model's inputs are x; "),
    ],
)
def test_what_does_not_fit_is_named(types: dict[str, str], text: str) -> None:
    with pytest.raises(ArgumentsError, match=text) as refusal:
        passed(Rated(), {"x": torch.ones(2, 4)}, **types)
    assert refusal.value.left_out == ()


def test_an_input_that_the_file_does_not_take_is_named() -> None:
    with pytest.raises(ArgumentsError, match=r"^the file takes input_ids, and no attention_mask; ") as refusal:
        passed(Flat(Bag()), FEATURES, input_ids="Tensor")
    assert refusal.value.left_out == ("attention_mask",)


def traced_with_a_dict(model: nn.Module, inputs: Mapping[str, Any], path: Path) -> None:
    torch.jit.trace(getattr(model, "bag", model), (dict(FEATURES),), strict=False).save(str(path))


def scripted(model: nn.Module, inputs: Mapping[str, Any], path: Path) -> None:
    assert list(inputs) in (["x"], ["x", "rate"])
    torch.jit.script(Strict()).save(str(path))


X = {"x": torch.randn(2, 4)}
IN_A_DICT: Any = {"features": FEATURES}
WITH_RATE: Any = {**X, "rate": 16000}
PARTS = {"parts": [torch.randn(2, 4), torch.randn(2, 4)], "scale": 0.5}


@pytest.mark.one_in(2)
@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "inputs", "export"),
    [
        (Bag, {"features": FEATURES}, None),
        (Bag, {"features": FEATURES}, traced_with_a_dict),
        (lambda: Flat(Bag()), FEATURES, traced_with_a_dict),
        (Rated, {**X, "rate": 16000}, None),
        (Rated, {**X, "rate": 16000}, scripted),
        (Rated, {**X, "rate": torch.tensor(16000)}, scripted),
        (Sums, PARTS, None),
        (TakesNamedTuple, {"pair": Two(torch.randn(2, 4), torch.randn(2, 4))}, None),
    ],
)
def test_a_right_export_is_green(model: Any, inputs: Mapping[str, Any], export: Any) -> None:
    torch.manual_seed(0)
    more = {} if export is None else {"export": export}
    found = judge(model(), inputs, max_examples=20, **more)
    assert all(one.outcome in (Outcome.PASSED, Outcome.NOT_APPLICABLE) for one in found.values()), found


@pytest.mark.slow
def test_a_frozen_value_in_a_dict_is_found() -> None:
    found = judge(FreezesTheMask(), IN_A_DICT, checks="parity", max_examples=20)["parity"]
    assert found.headline == "differs from eager at the traced size"


@pytest.mark.slow
def test_a_frozen_size_in_a_dict_is_found() -> None:
    class FreezesSize(Bag):
        def forward(self, features: dict[str, torch.Tensor]) -> torch.Tensor:
            answer: torch.Tensor = self.table(features["input_ids"]).sum(1) / int(features["input_ids"].shape[1])
            return answer

    shapes = {"features": {name: {0: "batch", 1: "length"} for name in FEATURES}}
    found = judge(FreezesSize(), IN_A_DICT, checks="shapes", max_examples=20, dynamic_shapes=shapes)
    assert found["shapes"].headline == "silently wrong outside the traced size"


@pytest.mark.parametrize("backend", ["neuron-sim"])
def test_a_compiler_takes_the_tensors_of_a_dict(backend: str) -> None:
    found = judge(Bag(), IN_A_DICT, backend=backend, checks=["trace", "parity"], max_examples=20)
    assert {one.outcome for one in found.values()} == {Outcome.PASSED}


def test_a_guard_cannot_look_into_a_dict() -> None:
    found = judge(Bag(), IN_A_DICT, checks="trace", guard=True)["trace"]
    assert found.headline.startswith("guard cannot check features, a Dict[str, Tensor]; give the module one argument")


def test_a_number_that_the_file_does_not_take_is_a_note() -> None:
    notes = judge(Rated(), WITH_RATE, checks="trace")["trace"].notes
    assert notes == ("rate=16000 is frozen in the file: it does not vary",)
    assert judge(Rated(), WITH_RATE, checks="trace", export=scripted)["trace"].notes == ()


def test_each_check_names_the_argument_that_has_no_input() -> None:
    found = judge(Rated(), X, checks=["parity", "shapes", "round_trip"], export=scripted)
    assert {one.headline for one in found.values()} == {
        "the file also takes rate (int), and no input has that name; add 'rate' to inputs=, with a whole number"
    }
