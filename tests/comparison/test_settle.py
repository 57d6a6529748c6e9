"""Proves which differences measured noise and ties explain, and that everything else is a fault."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.cases.case import at, tensors
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.settle import Settled, Settling
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import export
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.testing import Faulty
from pytest_tsexport.testing.specimen import rows


class Columns(nn.Module):
    """A huge column, an ordinary one, and zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.linear(x)
        return torch.stack([states[:, 0] * 1e9, states[:, 1], states[:, 2] * 0], 1)


def made(model: nn.Module, **keywords: Any) -> Evidence:
    torch.manual_seed(0)
    policy = from_keywords({"inputs": rows()(), **keywords})
    backend = Faulty("same", copy.deepcopy)
    return export(model.eval(), policy, name="it", backend=backend)._evidence("parity")


def settled(evidence: Evidence, change: Any, *, seed: int = 0, spent: bool = False) -> Settled:
    """What comes out if the artifact's answer is eager's, changed."""
    inputs = tensors(at(evidence.subject, {}, seed), evidence.subject)
    eager = evidence.reference.case(inputs)[0].leaves
    assert eager is not None
    evidence.tie_break_time.seconds = 1e9 if spent else 0.0
    settling = Settling(
        evidence, lambda reference, converted, _calls: reference.case(converted(inputs)), lambda _call: None
    )
    return settling.settle(0, eager, {name: change(leaf.clone()) for name, leaf in eager.items()})


def plus(*by: float) -> Any:
    return lambda leaf: leaf + torch.tensor(by)


@pytest.mark.parametrize(
    ("by", "right"),
    [
        ((0.0, 0.0, 0.0), True),
        ((100.0, 0.0, 0.0), True),
        ((1e6, 0.0, 0.0), False),
        ((0.0, 1e-8, 0.0), True),
        ((0.0, 1e-4, 0.0), False),
        ((0.0, 0.0, 1e-9), False),
    ],
)
def test_each_place_is_judged_by_its_own_noise(by: tuple[float, ...], *, right: bool) -> None:
    found = settled(made(Columns()), plus(*by))
    assert (found.difference is None) is right
    assert not found.tie_break


def test_what_is_allowed_is_what_was_measured() -> None:
    evidence = made(Columns())
    found = settled(evidence, plus(0.0, 1e-4, 0.0))
    assert found.difference is not None
    assert 1e-7 < found.difference.allowed < 2e-5
    assert settled(evidence, plus(0.0, found.difference.allowed * 0.9, 0.0)).difference is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_no_variant_has_is_a_fault(value: float) -> None:
    found = settled(made(Columns()), lambda leaf: leaf.index_fill(1, torch.tensor([1]), value))
    assert found.difference is not None


class Overflows(nn.Module):
    """In float16 some answers are infinite, and in float32 none is."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(6.1e4).half())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.half() * self.scale


def test_an_overflow_that_the_wider_type_does_not_have_allows_no_finite_number() -> None:
    found = settled(made(Overflows()), lambda leaf: leaf.nan_to_num(0.0, 6e4, -6e4))
    assert found.difference is not None


class Noisy(Columns):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + torch.rand(3)


def test_a_random_answer_has_no_noise_that_would_excuse_it() -> None:
    found = settled(made(Noisy()), plus(0.0, 0.5, 0.0))
    assert found.difference is not None


@pytest.mark.parametrize(("by", "right"), [(0.9e-3, True), (1.1e-3, False)])
def test_what_the_user_allows_is_not_widened(by: float, *, right: bool) -> None:
    evidence = made(Columns(), rtol=0.0, atol=1e-3)
    assert (settled(evidence, plus(0.0, by, 0.0)).difference is None) is right


def test_where_the_time_is_spent_a_difference_is_not_settled() -> None:
    evidence = made(Columns())
    found = settled(evidence, plus(0.0, 1.0, 0.0), spent=True)
    assert (found.difference, found.unsettled) == (None, True)
    evidence.tie_break_time.refuted = True
    assert settled(evidence, plus(0.0, 1.0, 0.0), spent=True).difference is not None


def test_other_names_shapes_and_types_are_faults_at_once() -> None:
    evidence = made(Columns())
    changes = (lambda leaf: leaf[:1], lambda leaf: leaf.double())
    kinds = [settled(evidence, change).difference for change in changes]
    assert [None if one is None else one.kind for one in kinds] == ["shape", "dtype"]


def test_measuring_leaves_the_model_as_it_was() -> None:
    evidence = made(Columns())
    model = evidence.subject.reference
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    settled(evidence, plus(0.0, 1.0, 0.0))
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())
    assert all(weight.dtype == torch.float32 for weight in model.state_dict().values())


def test_the_same_question_has_the_same_answer() -> None:
    def allowed() -> Leaves:
        torch.manual_seed(0)  # before the weights are drawn: the question is the same one
        compared = settled(made(Columns()), plus(1.0, 1e-7, 0.0)).compared
        return {name: compared.tolerance.of(name).allowed(leaf) for name, leaf in compared.eager.items()}

    one, two = allowed(), allowed()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_equal_answers_load_no_second_copy_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = made(Columns())
    monkeypatch.setattr(Evidence, "operators", property(lambda _self: pytest.fail("the operators were read")))
    assert settled(evidence, lambda leaf: leaf).difference is None
