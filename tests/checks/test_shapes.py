"""Proves that `shapes` holds an export to its contract at every other size, and reports the smallest breach."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import strategies as st
from torch import nn

from pytest_tsexport.cases.case import Case
from pytest_tsexport.cases.findings import CaseResult, Findings
from pytest_tsexport.cases.listed import edge_cases
from pytest_tsexport.cases.search import Plan
from pytest_tsexport.testing import coupled_inputs, judge, right_axes, right_sizes, wrong_axes, wrong_values
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_sizes as sizes
from pytest_tsexport.testing.specimen import Inputs, masked_ids, rows
from pytest_tsexport.verdict import Outcome, Verdict

NAMED = {"x": {0: "batch", 1: "length"}}


def verdict(model: nn.Module, inputs: Inputs | None = None, **keywords: Any) -> Verdict:
    given = rows()() if inputs is None else inputs
    return judge(model, given, checks="shapes", **{"max_examples": 60, **keywords})["shapes"]


def test_a_right_one() -> None:
    found = verdict(right_sizes.PositionsFromShape())
    assert (found.outcome, found.headline) == (Outcome.PASSED, "keeps the contract at every other size")
    assert 10 <= found.judged <= found.planned == 60
    assert found.notes == ()
    batch, length = found.not_covered
    assert batch.startswith("batch above 33 and ")
    assert length.startswith("dim1 above 513 and most of ")


class StopsWhenCalm(nn.Module):
    """A loop that ends by values: a trace ends it where it ended for the example."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(4):
            step = 0.5 * torch.tanh(x)
            x = x + step
            if step.abs().mean() < 0.2:
                break
        return x


@pytest.mark.slow
def test_a_fault_of_values_is_not_blamed_on_the_size_at_which_it_is_met() -> None:
    found = verdict(StopsWhenCalm(), {"x": torch.full((2, 7, 8), 3.0)})
    assert found.outcome is Outcome.FAILED
    if not found.headline.startswith("already wrong"):
        assert found.headline == "wrong at the traced size too, for some values: see parity"
    assert "pad" not in dict(found.rows)["fix"]


class LongerByOne(nn.Module):
    """Its answer has the traced length for good."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, x[:, :1]], 1)[:, : int(x.shape[1]) + 1], x.sum(1)  # type: ignore[return-value]


@pytest.mark.slow
def test_another_shape_is_told_as_shapes_and_by_the_place_of_the_output() -> None:
    rows_of = dict(verdict(LongerByOne()).rows)
    assert rows_of["differs"].startswith("output 0 has shape ")
    assert "inf" not in rows_of["differs"]


def test_the_size_of_an_exporter_that_pads_is_shown() -> None:
    def padded(model: nn.Module, inputs: Inputs, path: Path) -> None:
        torch.jit.save(torch.jit.trace(model, torch.zeros(2, 12), check_trace=False), str(path))

    found = verdict(sizes.CutsToTracedLength(), export=padded)
    assert dict(found.rows)["traced at"] == "x (batch=2, dim1=7); the exporter traced x (2, 12)"


@pytest.mark.one_in(2)
@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "counterexample"),
    [
        (sizes.BakesBatch, "(batch=1, dim1=1)"),
        (sizes.BakesLength, "(batch=1, dim1=1)"),
        (sizes.BakesBranch, "(batch=1, dim1=11)"),
        (sizes.BakesBatchOfOne, "(batch=1, dim1=1)"),
        (sizes.EvenOnly, "(batch=1, dim1=2)"),
        (sizes.FirstSixteen, "(batch=1, dim1=17)"),
        (sizes.RescalesWhenLong, "(batch=1, dim1="),
        (sizes.CutsToTracedLength, "(batch=1, dim1=8)"),
        (sizes.OnlyMultiples, "(batch="),
        (sizes.LongInDouble, "(batch=1, dim1=9)"),
        (sizes.LongBatch, "(batch=3, dim1=1)"),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_the_counterexample_is_the_smallest(model: type[nn.Module], counterexample: str, seed: int) -> None:
    found = judge(model(), rows()(), checks="shapes", seed=seed)["shapes"]
    assert found.headline == "silently wrong outside the traced size"
    assert dict(found.rows)["counterexample"].startswith(counterexample)


@pytest.mark.slow
def test_the_rows_of_a_failure() -> None:
    found = verdict(sizes.BakesBranch())
    rows = dict(found.rows)
    assert list(rows) == ["traced at", "counterexample", "differs", "right for", "likely cause", "fix"]
    assert rows["traced at"] == "x (batch=2, dim1=7)"
    assert rows["differs"].startswith("output (1, 11): off by ")
    assert rows["right for"].startswith("batch 1-")
    assert "wrong from dim1 1" in rows["right for"]
    assert rows["likely cause"].endswith(", in BakesBranch")
    assert found.worst is not None
    assert found.worst.difference > found.worst.allowed


@pytest.mark.parametrize(("cases", "listed"), [(200, 120), (100, 60), (3, 30)])
def test_three_fifths_of_the_cases_are_listed_and_every_edge_is(
    cases: int, listed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest are drawn, so that several axes vary at once. The edges are visited however few cases there are."""
    plans: list[Plan] = []

    def spy(plan: Plan, judge: Callable[[Case], CaseResult | None]) -> Findings:
        plans.append(plan)
        return Findings(judged=(), planned=plan.total)

    monkeypatch.setattr("pytest_tsexport.checks.shapes.search", spy)
    wide = {"x": torch.randn(2, 40)}
    verdict(right_sizes.PositionsFromShape(), wide, max_examples=cases)
    (plan,) = plans
    edges = list(edge_cases(plan.subject))
    assert (len(plan.listed), plan.total, plan.off_size) == (listed, cases, True)
    assert plan.listed[: len(edges)] == edges
    assert len(set(plan.listed)) == len(plan.listed)


def test_a_size_that_raises_is_safe_and_is_noted() -> None:
    found = verdict(right_sizes.RaisesOffSize())
    assert found.outcome is Outcome.PASSED
    assert found.notes == ("dim1 ≠ 7 raises",)


def test_a_size_that_raises_is_not_dynamic() -> None:
    found = verdict(right_sizes.RaisesOffSize(), shapes="dynamic")
    assert found.headline == "raises outside the traced size, where the contract is dynamic"
    assert dict(found.rows)["counterexample"].startswith("(batch=1, dim1=1)")


@pytest.mark.slow
def test_an_axis_that_the_user_named_is_dynamic_by_default() -> None:
    assert verdict(right_sizes.RaisesOffSize(), dynamic_shapes=NAMED).outcome is Outcome.FAILED
    assert verdict(right_sizes.RaisesOffSize(), dynamic_shapes=NAMED, shapes="safe").outcome is Outcome.PASSED


@pytest.mark.slow
def test_a_contract_for_one_axis_leaves_the_other_its_own() -> None:
    one = {"dim1": "dynamic"}
    assert verdict(right_sizes.RaisesOffBatch(), shapes={"batch": "dynamic"}).outcome is not Outcome.PASSED
    assert verdict(right_sizes.RaisesOffSize(), shapes={"batch": "dynamic"}).outcome is Outcome.PASSED
    assert verdict(right_sizes.RaisesOffSize(), shapes=one).outcome is Outcome.FAILED


@pytest.mark.slow
def test_fixed_means_that_any_other_size_raises() -> None:
    found = verdict(right_sizes.PositionsFromShape(), shapes="fixed")
    assert found.headline.startswith("computes outside the traced size, where the contract of ")
    assert verdict(right_sizes.RaisesOffSize(), shapes={"dim1": "fixed"}).outcome is Outcome.PASSED


def test_raising_everywhere_keeps_the_contract_and_says_so() -> None:
    found = verdict(right_sizes.RaisesOffSize(), dynamic_shapes={"x": {1: "length"}}, shapes="fixed")
    assert (found.outcome, found.headline) == (Outcome.PASSED, "raises at every other size")


@pytest.mark.slow
def test_sizes_that_both_refuse_keep_a_fixed_contract_and_say_nothing_about_another() -> None:
    class Projects(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x @ torch.ones(7, 7)

    length = {"x": {1: "length"}}
    found = verdict(Projects(), dynamic_shapes=length, shapes="fixed")
    assert (found.outcome, found.headline) == (Outcome.PASSED, "raises at every other size")
    assert found.judged >= 50
    for contract in ("safe", "dynamic"):
        found = verdict(Projects(), dynamic_shapes=length, shapes=contract)
        assert (found.outcome, found.judged) == (Outcome.FAILED, 0)
        assert re.match(r"only 0 of \d+ cases could be judged, fewer than 10; eager raises in \d+: ", found.headline)
        assert any(line.startswith("length (7): eager refuses 8: RuntimeError: ") for line in found.not_covered)


def test_where_no_dimension_varies_the_question_does_not_arise() -> None:
    found = verdict(made.Plain(), dynamic_shapes={})
    assert (found.outcome, found.headline) == (Outcome.NOT_APPLICABLE, "no dimension of its inputs varies")


def test_cases_in_which_both_raise_are_counted_apart() -> None:
    found = verdict(right_sizes.EagerAlsoRaises())
    assert found.outcome is Outcome.PASSED
    (note,) = found.notes
    assert re.fullmatch(rf"in [1-9]\d* of {found.planned} cases both raise, so nothing was compared", note)


@pytest.mark.slow
def test_a_file_that_raises_at_size_0_alone_is_no_breach_and_a_wrong_one_is() -> None:
    class AddsForNone(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([x, x.new_zeros(1, 8)]) if x.shape[0] == 0 else x * 2

    class RaisesForNone(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2 if x.shape[0] == 0 else x.view(x.shape[0], -1) * 2

    for model, outcome in ((AddsForNone(), Outcome.FAILED), (RaisesForNone(), Outcome.PASSED)):
        given = {"x": torch.randn(2, 8)}
        shapes = {"x": {0: torch.export.Dim("rows", min=0, max=9)}}
        found = judge(model, given, checks="shapes", dynamic_shapes=shapes, shapes="dynamic", max_examples=30)["shapes"]
        assert found.outcome is outcome


@pytest.mark.slow
@pytest.mark.parametrize("dims", [coupled_inputs.GRID, {}], ids=["declared", "asked"])
def test_sizes_that_depend_on_one_another_change_together(dims: dict[str, Any]) -> None:
    found = verdict(right_axes.TokensOfGrid(), coupled_inputs.grid(), **dims)
    assert (found.outcome, found.judged, found.notes) == (Outcome.PASSED, found.planned, ())
    assert any(line.endswith("eager refuses it") and " * " in line for line in found.not_covered)


@pytest.mark.slow
def test_a_fixed_file_is_asked_at_sizes_that_do_not_fit() -> None:
    found = verdict(right_axes.CacheAndMask(), coupled_inputs.cache(), guard=True)
    assert (found.outcome, found.headline) == (Outcome.PASSED, "raises at every other size")


@pytest.mark.slow
def test_a_number_that_the_code_names_is_visited_on_the_batch() -> None:
    found = verdict(wrong_axes.CapsBatch())
    assert dict(found.rows)["counterexample"].startswith("(batch=26, dim1=1) ")


def test_where_eager_raises_nothing_is_asked() -> None:
    found = verdict(right_sizes.EagerAloneRaises())
    assert found.outcome is Outcome.PASSED
    assert any(note.startswith("runs where eager raises: ") for note in found.notes)


class WrongAndPicky(nn.Module):
    """The branch on length is frozen, eager refuses what is longer than 20, and the file any other batch."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] > 20:
            raise ValueError("at most 20 positions")
        return torch.eye(int(x.shape[0])).flip(0) @ (x * 3 if x.shape[1] > 10 else x)


@pytest.mark.slow
def test_where_something_is_wrong_it_is_no_note_that_something_raises() -> None:
    found = verdict(WrongAndPicky())
    assert (found.outcome, found.notes) == (Outcome.FAILED, ())
    shown = dict(found.rows)
    assert shown["counterexample"].startswith("(batch=2, dim1=11)        smallest of ")
    assert "raises for batch 1, 3" in shown["right for"]
    assert found.counterexample is not None
    assert found.counterexample["sizes"] == {"batch": 2, "dim1": 11}


def test_a_model_that_raises_almost_everywhere_is_not_green() -> None:
    class Picky(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if x.shape[1] not in (7, 8):
                raise ValueError("7 or 8")
            return x * 2

    found = verdict(Picky(), dynamic_shapes={"x": {1: "length"}})
    assert found.outcome is Outcome.FAILED
    assert found.headline.startswith("only ")


@pytest.mark.slow
def test_bounds_that_the_user_declared_are_not_left() -> None:
    length = torch.export.Dim("length", min=2, max=10)
    assert verdict(sizes.BakesBranch(), dynamic_shapes={"x": {1: length}}).outcome is Outcome.PASSED
    longer = torch.export.Dim("length", min=2, max=12)
    assert verdict(sizes.BakesBranch(), dynamic_shapes={"x": {1: longer}}).outcome is Outcome.FAILED


class WrongAtMultiples(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 3 if x.shape[1] % 64 == 0 else x * 2


@pytest.mark.slow
def test_the_powers_of_two_that_blocks_are_made_of_are_visited() -> None:
    assert verdict(WrongAtMultiples()).outcome is Outcome.FAILED


def test_a_strategy_that_draws_one_size_alone_is_not_green_at_others() -> None:
    fixed = st.integers(0, 99).map(lambda seed: torch.randn(2, 7, generator=torch.Generator().manual_seed(seed)))
    found = verdict(sizes.BakesBranch(), strategies={"x": fixed})
    assert found.outcome is Outcome.FAILED
    assert found.headline == (
        "strategies['x'] drew shape (2, 7) where (2, 1) is asked for; give a function of the shape"
    )


@pytest.mark.slow
def test_an_input_traced_at_length_one() -> None:
    found = verdict(sizes.MaskOfLengthOne(), rows(2, 1)())
    assert found.headline == "silently wrong outside the traced size"
    assert dict(found.rows)["counterexample"].startswith("(batch=1, dim1=2)")


@pytest.mark.slow
def test_a_frozen_mask_is_not_taken_for_a_fault_of_sizes() -> None:
    found = verdict(wrong_values.AllOnesFastPath(), masked_ids()())
    assert (found.outcome, found.headline) == (
        Outcome.FAILED,
        "already wrong at the traced size, so no other size was checked",
    )
