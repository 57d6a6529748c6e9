"""Proves which variants explain an element, and how many are asked."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from pytest_tsexport.comparison.compared import Compared
from pytest_tsexport.comparison.noise import (
    AFTER_REFUTED,
    BEFORE_WIDER,
    CASTS,
    FEW_ORDERS,
    MOST_IDLE,
    ORDERS,
    Noise,
)
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.comparison.variants import FIRST_TIMES, TIMES, Variant
from pytest_tsexport.tensors.tree import Leaves

EAGER, FILE, NEITHER = torch.tensor([0, 0, 5]), torch.tensor([1, 2, 5]), torch.tensor([3, 3, 5])


class Answers:
    """Variants of eager that answer as they are told; it remembers which were asked."""

    def __init__(
        self,
        answer: Callable[[Variant], torch.Tensor | None],
        cast: torch.dtype | None = None,
    ) -> None:
        self.asked: list[Variant] = []
        self._answer = answer
        times = lambda variant: TIMES[variant.number] if variant.kind == "moved" else 1  # noqa: E731
        self.variants = SimpleNamespace(half=False, cast=cast, times=times)

    def leaves(self, variant: Variant, call: int) -> Leaves | None:
        self.asked.append(variant)
        found = self._answer(variant)
        return None if found is None else {"x": found}


def noise(answers: Answers, *operators: str, on_device: bool = False) -> Noise:
    variants: Any = answers
    return Noise(variants, 0, frozenset(operators), on_device=on_device)


def compared(eager: torch.Tensor, actual: torch.Tensor, **said: Any) -> Compared:
    return Compared.of({"x": eager}, {"x": actual}, Tolerance(**said))


def test_each_place_is_explained_by_another_variant() -> None:
    assert BEFORE_WIDER == 3
    moved = {0: torch.tensor([1, 3, 5]), BEFORE_WIDER: torch.tensor([3, 2, 5])}
    answers = Answers(lambda one: moved.get(one.number, NEITHER) if one.kind == "moved" else NEITHER)
    found = noise(answers, "argmax").measured(compared(EAGER, FILE))
    assert (found.is_explained, found.jumps) == (True, True)
    before = [Variant("moved", number) for number in range(BEFORE_WIDER)]
    assert answers.asked == [*before, Variant("wider"), Variant("moved", BEFORE_WIDER)]


def test_an_element_may_be_off_by_thirty_two_times_its_movement() -> None:
    eager, still = torch.tensor([0.0, 0.0]), torch.tensor([1e-6, 0.0])
    for off, explained in ((31e-6, True), (33e-6, False)):
        answers = Answers(lambda _: still)
        found = noise(answers).measured(compared(eager, torch.tensor([off, 0.0])))
        assert (found.is_explained, found.jumps) == (explained, False)
        assert len(answers.asked) == (1 if explained else 1 + len(FIRST_TIMES))
    assert not noise(Answers(lambda _: still)).measured(compared(eager, torch.tensor([0.0, 1e-9]))).is_explained


def test_a_larger_nudge_is_allowed_so_much_less_of() -> None:
    def answer(variant: Variant) -> torch.Tensor:
        return torch.tensor([1.0 if variant.kind == "moved" and variant.number == len(FIRST_TIMES) + 1 else 0.0])

    assert TIMES[len(FIRST_TIMES) + 1] == 4
    for off, explained in ((7.9, True), (8.1, False)):
        found = noise(Answers(answer)).jumped(compared(torch.zeros(1), torch.tensor([off])))
        assert found.is_explained is explained


def test_after_thirty_two_variants_without_progress_no_more_are_asked() -> None:
    answers = Answers(lambda _: NEITHER)
    assert not noise(answers).jumped(compared(EAGER, FILE)).is_explained
    assert len(answers.asked) == MOST_IDLE == 32


def test_after_a_fault_a_few_variants_are_asked() -> None:
    answers = Answers(lambda _: NEITHER)
    noise(answers, "topk").first(compared(EAGER, FILE))
    kinds = [one.kind for one in answers.asked]
    assert kinds == ["wider", *["all reordered"] * FEW_ORDERS, *["moved"] * AFTER_REFUTED]


def test_after_a_fault_no_more_are_asked_than_explain_the_difference() -> None:
    answers = Answers(lambda one: FILE if one == Variant("moved", 1) else NEITHER)
    found = noise(answers).first(compared(EAGER, FILE))
    assert (found.is_explained, answers.asked[-1]) == (True, Variant("moved", 1))


@pytest.mark.parametrize(
    ("operators", "on_device", "kind"),
    [
        (("topk",), False, "all reordered"),
        (("argmax",), False, "reordered"),
        (("argmax",), True, "all reordered"),
        (("linear",), False, None),
    ],
)
def test_any_of_equal_values_is_right_only_if_the_file_or_a_device_may_name_it(
    operators: tuple[str, ...], kind: str | None, *, on_device: bool
) -> None:
    answers = Answers(lambda _: NEITHER)
    noise(answers, *operators, on_device=on_device).jumped(compared(EAGER, FILE))
    orders = [one for one in answers.asked if one.kind != "moved"]
    expected = [1001, 1002, *range(ORDERS)] if kind else []
    assert [(one.kind, one.number) for one in orders] == [(kind, number) for number in expected]


def test_what_a_device_rounds_away_is_nudged_first() -> None:
    answers = Answers(lambda _: torch.tensor([0.01]), cast=torch.bfloat16)
    found = noise(answers).measured(
        compared(torch.zeros(1), torch.tensor([0.04]), share=0.02, shared=True, spread={"x": torch.ones(1)})
    )
    assert found.is_explained
    assert [one.kind for one in answers.asked] == ["cast"] * CASTS


@pytest.mark.parametrize(
    ("eager", "file", "moved", "explained"),
    [
        (1.0, float("nan"), float("nan"), True),
        (float("nan"), 2.0, 2.0, True),
        (float("inf"), 2.0, 2.0, True),
        (float("inf"), 2.0, 3.0, False),
        (1.0, float("nan"), 1.0, False),
    ],
)
def test_a_number_that_is_not_finite_is_right_where_a_variant_has_it(
    eager: float, file: float, moved: float, *, explained: bool
) -> None:
    answers = Answers(lambda _: torch.tensor([moved]))
    found = noise(answers).measured(compared(torch.tensor([eager]), torch.tensor([file])))
    assert found.is_explained is explained


def test_a_variant_without_an_answer_or_of_another_shape_explains_nothing() -> None:
    for answers in (Answers(lambda _: None), Answers(lambda _: FILE[:2])):
        assert not noise(answers).measured(compared(EAGER, FILE)).is_explained


@pytest.mark.parametrize(
    ("operators", "said", "asks"),
    [((), {}, True), ((), {"rtol": 0.0, "atol": 0.1}, False), (("topk",), {"rtol": 0.0, "atol": 0.1}, True)],
)
def test_only_what_chooses_may_differ_from_what_the_user_allows(
    operators: tuple[str, ...], said: dict[str, float], *, asks: bool
) -> None:
    one = compared(torch.zeros(2), torch.ones(2), **said)
    assert noise(Answers(lambda _: None), *operators).may_explain(one) is asks
    assert not noise(Answers(lambda _: None), *operators).may_explain(compared(torch.zeros(2), torch.ones(3), **said))


def test_a_place_that_comes_twice_in_a_ranking_is_not_explained_place_by_place() -> None:
    eager, file = torch.tensor([[0, 1]]), torch.tensor([[1, 1]])
    ranks = noise(Answers(lambda _: torch.tensor([[1, 0]])), "topk")
    explained = ranks.measured(compared(eager, file))
    assert explained.is_explained
    assert not ranks.chosen_together(explained).is_explained
    labels = noise(Answers(lambda _: torch.tensor([[1, 1]])), "topk")
    assert labels.chosen_together(labels.measured(compared(eager, file))).is_explained
