"""Proves how far eager is moved to break its ties, how often, and which of its answers then explain a difference."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.comparison import tie_breaks
from pytest_tsexport.comparison.evidence import TieBreakTime
from pytest_tsexport.comparison.tie_breaks import AFTER_REFUTED, LARGE, MOST_IDLE, NUDGES
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.testing.specimen import Inputs


def test_eager_is_moved_by_powers_of_two_up_to_sixteen_ulp_small_ones_first() -> None:
    assert set(NUDGES) == {2, 4, 8, 16}
    assert NUDGES[0] == 2
    assert len(NUDGES) == 2 * MOST_IDLE


def moved(tensor: torch.Tensor, nudge: int = 4, *, exact: bool = False, seed: int = 0) -> torch.Tensor:
    return tie_breaks._moved(tensor, nudge, torch.Generator().manual_seed(seed), exact=exact)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("nudge", [2, 16])
def test_each_value_is_moved_by_so_many_ulp_at_most(dtype: torch.dtype, nudge: int) -> None:
    tensor = torch.full((40, 30), 1 / 3, dtype=dtype)
    after = moved(tensor, nudge)
    ulp = (after.double() / tensor.double() - 1).abs() / torch.finfo(dtype).eps
    assert (after.dtype, after.shape) == (dtype, tensor.shape)
    assert float(ulp.max()) <= nudge + 1
    assert float(ulp.max()) > nudge / 2
    assert bool((after > tensor).any())
    assert bool((after < tensor).any())


def test_rows_and_the_whole_are_moved_too_because_single_values_average_out() -> None:
    tensor = torch.full((200, 500), 1 / 3, dtype=torch.float64)
    off = moved(tensor) / tensor - 1
    alone = 4 * torch.finfo(torch.float64).eps / 3 / 500**0.5
    assert float(off.mean(1).std()) > 5 * alone
    assert float(off.mean().abs()) > 5 * alone


def test_a_large_tensor_is_moved_by_row_and_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LARGE == 2**20
    tensor = torch.full((20, 30), 1 / 3, dtype=torch.float64)
    monkeypatch.setattr(tie_breaks, "LARGE", tensor.numel())
    assert len(moved(tensor)[0].unique()) > 1
    monkeypatch.setattr(tie_breaks, "LARGE", tensor.numel() - 1)
    by_row = moved(tensor)
    assert all(len(row.unique()) == 1 for row in by_row)
    assert len(by_row.unique()) > 1


def test_a_number_alone_is_moved() -> None:
    number = torch.tensor(1 / 3)
    assert len({float(moved(number, seed=seed)) for seed in range(9)}) > 2


@pytest.mark.parametrize(
    ("dtype", "exact", "computed"),
    [
        (torch.float64, 2**26 - 1, 2**26 + 1),
        (torch.float32, 2**11 - 1, 2**11 + 1),
        (torch.float16, 2**5 - 1, 2**5 + 1),
        (torch.bfloat16, 2**3 - 1, 2**3 + 1),
    ],
)
def test_what_needs_more_than_half_of_the_digits_is_taken_to_be_computed(
    dtype: torch.dtype, exact: int, computed: int
) -> None:
    values = torch.tensor([exact, -exact, 0.0, 1.0, 0.5, exact / 2**4], dtype=dtype)
    assert torch.equal(moved(values, exact=True), values)
    assert not torch.equal(moved(values), values)
    others = torch.full((30,), computed, dtype=dtype)
    assert not torch.equal(moved(others, 16, exact=True), others)


class Answers:
    """Evidence about a model that chooses, and what eager answers in turn when it is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *moved: torch.Tensor) -> None:
        self.asked: list[int] = []
        self.evidence: Any = SimpleNamespace(
            operators=frozenset({"argmax"}),
            tolerance=Tolerance(spread={"x": 1.0}),
            tie_break_time=TieBreakTime(limit=60.0),
        )
        self._moved = moved
        monkeypatch.setattr(tie_breaks, "_nudged", self._nudged)

    def _nudged(self, evidence: object, inputs: Inputs, nudge: int, seed: int) -> dict[str, torch.Tensor]:
        self.asked.append(nudge)
        return {"x": self._moved[min(seed, len(self._moved) - 1)]}

    def explain(self, eager: torch.Tensor, artifact: torch.Tensor) -> bool | None:
        return tie_breaks.is_tie_break(self.evidence, {}, {"x": eager}, {"x": artifact})


EAGER, FILE, NEITHER = torch.tensor([0, 0, 5]), torch.tensor([1, 2, 5]), torch.tensor([3, 3, 5])


def test_each_place_is_explained_by_another_move(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(monkeypatch, torch.tensor([1, 3, 5]), torch.tensor([3, 2, 5]))
    assert answers.explain(EAGER, FILE)
    assert answers.asked == [2, 4]
    assert 0 < answers.evidence.tie_break_time.seconds < 60


def test_after_thirty_two_moves_without_progress_no_more_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Answers(monkeypatch, NEITHER)
    assert nothing.explain(EAGER, FILE) is False
    assert len(nothing.asked) == MOST_IDLE == 32
    once = Answers(monkeypatch, NEITHER, NEITHER, torch.tensor([1, 3, 5]), NEITHER)
    assert once.explain(EAGER, FILE) is False
    assert len(once.asked) == 3 + MOST_IDLE


def test_once_a_difference_is_refuted_four_moves_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(monkeypatch, NEITHER)
    answers.evidence.tie_break_time.refuted = True
    assert answers.explain(EAGER, FILE) is False
    assert len(answers.asked) == AFTER_REFUTED == 4


def test_without_time_nothing_is_asked_and_only_what_was_refuted_before_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = Answers(monkeypatch, FILE)
    answers.evidence.tie_break_time = TieBreakTime(limit=1.0, seconds=2.0)
    assert answers.explain(EAGER, FILE) is None
    answers.evidence.tie_break_time.refuted = True
    assert answers.explain(EAGER, FILE) is False
    assert answers.asked == []


def test_an_answer_of_another_shape_explains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Answers(monkeypatch, FILE[:2]).explain(EAGER, FILE) is False
    assert Answers(monkeypatch, FILE).explain(EAGER, FILE[:2]) is False
    assert Answers(monkeypatch, FILE).explain(EAGER, FILE.int()) is False


def test_floats_that_jump_are_explained_within_the_tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    eager, file = torch.tensor([1.0, 2.0]), torch.tensor([4.0, 2.0])
    assert Answers(monkeypatch, file + 0.9e-4).explain(eager, file)
    assert Answers(monkeypatch, file + 1.2e-4).explain(eager, file) is False


@pytest.mark.parametrize(
    ("operators", "leaf", "asks"),
    [
        ({"linear"}, torch.zeros(2), False),
        ({"linear", "topk"}, torch.zeros(2), True),
        ({"linear"}, torch.zeros(2, dtype=torch.bool), True),
        ({"searchsorted"}, torch.zeros(2), True),
    ],
)
def test_only_what_chooses_or_compares_may_jump(
    operators: set[str], leaf: torch.Tensor, monkeypatch: pytest.MonkeyPatch, *, asks: bool
) -> None:
    answers = Answers(monkeypatch, leaf + 1 if leaf.is_floating_point() else ~leaf)
    answers.evidence.operators = frozenset(operators)
    assert answers.explain(leaf, leaf + 1 if leaf.is_floating_point() else ~leaf) is asks
    assert bool(answers.asked) is asks


@pytest.mark.parametrize(
    ("operators", "eager", "file", "explained"),
    [
        ({"topk"}, [[0, 1, 2]], [[0, 0, 2]], False),
        ({"topk"}, [0, 1, 2], [2, 1, 2], False),
        ({"topk"}, [[[0, 1], [2, 3]]], [[[0, 1], [3, 3]]], False),
        ({"topk"}, [[[0, 1], [0, 1]]], [[[1, 0], [1, 0]]], True),
        ({"topk"}, [[0, 1, 2]], [[1, 0, 2]], True),
        ({"topk"}, [[0, 0, 2]], [[1, 1, 2]], True),
        ({"topk", "argmax"}, [[0, 1, 2]], [[0, 0, 2]], True),
        ({"argmax"}, [[0, 1, 2]], [[0, 0, 2]], True),
    ],
)
def test_a_ranking_that_has_a_place_twice_is_no_tie_break(
    operators: set[str],
    eager: list[Any],
    file: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    *,
    explained: bool,
) -> None:
    answers = Answers(monkeypatch, torch.tensor(file))
    answers.evidence.operators = frozenset(operators)
    assert answers.explain(torch.tensor(eager), torch.tensor(file)) is explained


class Shows(nn.Module):
    """Answers with its weights, one of which has two names, and with its inputs."""

    scale: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.ones(2, 2))
        self.tied = self.matrix
        self.vector = nn.Parameter(torch.ones(2))
        self.register_buffer("scale", torch.ones(2, 2))

    def forward(self, x: torch.Tensor, ids: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"x": x, "ids": ids, **{name: getattr(self, name) for name in ("matrix", "tied", "vector", "scale")}}


def test_matrices_and_inputs_are_moved_and_exact_vectors_buffers_and_integers_are_not() -> None:
    model = Shows()
    evidence: Any = SimpleNamespace(reference=Reference(model, {}), subject=SimpleNamespace(constants={}))
    inputs = {"x": torch.tensor([1.0, 1 / 3]), "ids": torch.tensor([7])}
    before = {name: leaf.clone() for name, leaf in model(**inputs).items()}
    after = tie_breaks._nudged(evidence, inputs, 16, 3)
    assert after is not None
    assert [name for name in before if not torch.equal(after[name], before[name])] == ["x", "matrix", "tied"]
    assert torch.equal(after["matrix"], after["tied"])
    assert after["x"][0] == 1.0
    assert torch.equal(model.matrix, torch.ones(2, 2))
