"""Proves where the line runs between positions that do not mix by design, and those that weights keep apart."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import nn

from pytest_tsexport.cases.case import Case, at
from pytest_tsexport.comparison import vacuity
from pytest_tsexport.comparison.spread import measure
from pytest_tsexport.comparison.vacuity import influence
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.testing.specimen import ids, rows
from pytest_tsexport.testing.wrong_exports import ZeroInitMixing

UNMIXED = "its positions hardly influence one another (zero-init weights?), so a wrong export would pass"


class Mixes(nn.Module):
    """Positions influence one another through a matrix whose scale is a weight, and a factor that is not a weight."""

    factor: torch.Tensor

    def __init__(self, weight: float, factor: float) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(7, 7, generator=torch.Generator().manual_seed(5)) * weight)
        self.register_buffer("factor", torch.tensor(factor))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.factor * (x @ self.matrix)


def vacuous(model: nn.Module) -> str | None:
    subject = build(model, Meaning(inputs=rows()(), dynamic_shapes={"x": {0: "batch", 1: "length"}}), name="it")
    return measure(subject, Reference(model, subject.constants)).vacuous


def influences(model: nn.Module, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How far one position moves the others, first as the model is, then with larger weights."""
    seen: list[float] = []

    def spy(moved: torch.Tensor, spread: torch.Tensor | None) -> float:
        seen.append(influence(moved, spread))
        return seen[-1]

    with monkeypatch.context() as patch:
        patch.setattr(vacuity, "influence", spy)
        vacuous(model)
    return seen


@pytest.mark.parametrize(("share", "says"), [(0.997, UNMIXED), (1.003, None)])
def test_below_two_tolerances_a_wrong_answer_would_pass(
    share: float, says: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    weight = 1e-4
    for _ in range(4):
        weight *= share * 2 / influences(Mixes(weight, 1.0), monkeypatch)[0]
    assert vacuous(Mixes(weight, 1.0)) == says


@pytest.mark.parametrize(("share", "says"), [(0.997, None), (1.003, UNMIXED)])
def test_what_larger_weights_bring_back_by_less_than_a_hundred_tolerances_is_apart_by_design(
    share: float, says: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    factor = 1e-2
    for _ in range(4):
        factor *= share * 100 / influences(Mixes(1e-9, factor), monkeypatch)[1]
    assert vacuous(Mixes(1e-9, factor)) == says


@pytest.mark.parametrize(
    ("before", "after", "says"), [(2.0, 101.0, None), (1.99, 100.0, None), (1.99, 100.01, UNMIXED), (1.99, 99.0, None)]
)
def test_two_and_a_hundred_tolerances_are_enough_of_an_influence(
    before: float, after: float, says: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = iter([before, after])
    monkeypatch.setattr(vacuity, "influence", lambda *_: next(measured))
    assert vacuous(Mixes(1.0, 1.0)) == says


def test_a_leaf_without_spread_is_influenced_without_end() -> None:
    still, moved = torch.zeros(3), torch.tensor([0.0, 1.0, 0.0])
    assert influence(still, torch.zeros(3)) == influence(moved, None) == float("inf")
    assert influence(moved * 3e-4, torch.ones(3)) == pytest.approx(3)


def test_a_huge_place_or_one_that_never_moves_says_nothing_about_the_influence_on_another() -> None:
    spread = torch.tensor([1e9, 0.0, 1.0])
    assert influence(torch.tensor([1.0, 1e-9, 3e-4]), spread) == pytest.approx(3)
    assert influence(torch.tensor([1e6, 0.0, 0.0]), spread) == pytest.approx(10)


class Silenced(nn.Module):
    """Positions do not influence one another; large weights turn the answer to zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(7, 7, generator=torch.Generator().manual_seed(5)) * 1e-6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (1 - self.matrix.abs().sum()).clamp_min(0)


def test_an_output_that_larger_weights_silence_is_not_brought_back() -> None:
    assert vacuous(Silenced()) is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_weights_that_keep_positions_apart_are_found_in_half_precision_too(dtype: torch.dtype) -> None:
    model = ZeroInitMixing().to(dtype)
    subject = build(model, Meaning(inputs=ids()()), name="it")
    assert measure(subject, Reference(model, subject.constants)).vacuous == UNMIXED


def test_one_position_alone_has_no_other_to_influence() -> None:
    model = Mixes(1e-9, 1.0)
    for axes in ({0: "batch"}, {}):
        subject = build(model, Meaning(inputs=rows()(), dynamic_shapes={"x": axes}), name="it")
        assert measure(subject, Reference(model, subject.constants)).vacuous is None


def test_larger_weights_have_twice_the_deviation_that_keeps_a_signal_as_it_is() -> None:
    matrix, flat, single = nn.Linear(16, 64), nn.Conv1d(4, 32, 3), nn.Linear(1, 1)
    model = nn.Sequential(matrix, flat, single).requires_grad_(False)
    flat.weight.fill_(0.25)
    before = [weight.clone() for weight in model.parameters()]
    vacuity._rescaled(model)
    assert float(matrix.weight.std()) == pytest.approx(2 / 16**0.5)
    assert float(flat.weight.std()) == pytest.approx(2 / 12**0.5)
    unchanged = [torch.equal(one, two) for one, two in zip(before, model.parameters(), strict=True)]
    assert unchanged == [False, True, False, True, True, True]


def test_integers_are_not_rescaled() -> None:
    table = nn.Parameter(torch.arange(6).reshape(2, 3), requires_grad=False)
    vacuity._rescaled(nn.ParameterList([table]))
    assert torch.equal(table, torch.arange(6).reshape(2, 3))


@pytest.mark.parametrize(
    ("dtype", "single"),
    [
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_the_influence_of_a_model_in_half_precision_is_measured_in_float32(
    dtype: torch.dtype, single: torch.dtype
) -> None:
    assert next(vacuity._in_single(nn.Linear(2, 2).to(dtype)).parameters()).dtype == single


def test_the_second_half_of_the_positions_is_what_moves() -> None:
    one, two = torch.zeros(2, 7), torch.zeros(2, 7)
    two[:, :3] = 9.0
    assert elsewhere(one, two, 7) == 0.0
    two[1, 3] = -2.0
    assert elsewhere(one, two, 7) == 2.0
    two[1, 6] = 3.0
    assert elsewhere(one, two, 7) == 3.0
    assert vacuity._elsewhere(one, two, 5) is None
    assert vacuity._elsewhere(torch.zeros(7, 2), torch.ones(7, 2), 7) is None
    assert elsewhere(torch.zeros(7, 7), torch.ones(7, 7), 7) == 1.0


def elsewhere(one: torch.Tensor, two: torch.Tensor, size: int) -> float:
    moved = vacuity._elsewhere(one, two, size)
    assert moved is not None
    return float(moved.max())


def test_a_movement_within_the_rounding_of_a_value_is_none() -> None:
    one = torch.full((2, 7), 1e3)
    assert elsewhere(one, one * (1 + 2**-21), 7) == 0.0
    assert elsewhere(one, one * (1 + 2**-19), 7) > 0.0


def test_the_first_half_of_the_positions_is_given_other_values_in_every_row() -> None:
    subject = build(
        Mixes(1.0, 1.0), Meaning(inputs=rows()(), dynamic_shapes={"x": {0: "batch", 1: "length"}}), name="it"
    )
    inputs = rows()()
    moved = vacuity._first_moved(subject, subject.axis("length"), inputs)
    assert moved is not None
    assert ((moved["x"] != inputs["x"]).any(0)).tolist() == [True] * 3 + [False] * 4
    assert ((moved["x"] != inputs["x"]).any(1)).all()


def test_positions_are_moved_at_the_same_inputs_in_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []

    def spy(subject: Subject, sizes: Mapping[str, int], seed: int = 0) -> Case:
        seeds.append(seed)
        return at(subject, sizes, seed)

    monkeypatch.setattr(vacuity, "at", spy)
    vacuous(Mixes(1.0, 1.0))
    assert seeds == [7]


class AlwaysNaN(nn.Module):
    """It moves, but nobody can see that."""

    def __init__(self, factor: float = float("nan")) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factor


def test_a_model_that_answers_nan_always_is_told_that_and_not_that_it_does_not_move() -> None:
    assert vacuous(AlwaysNaN()) == "its outputs are NaN whatever its inputs are, so any export would pass"
    assert vacuous(AlwaysNaN(0.0)) == "its outputs do not move when its inputs do, so any export would pass"
    assert vacuous(AlwaysNaN(2.0)) is None
