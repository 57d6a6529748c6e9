"""Proves which cases `parity` visits first, and what it says and advises about each kind of fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import strategies as st
from torch import nn

from pytest_tsexport.cases.case import Case
from pytest_tsexport.cases.essential import essential_at_traced_size
from pytest_tsexport.cases.findings import CaseResult, Findings, Status
from pytest_tsexport.cases.listed import traced_cases
from pytest_tsexport.cases.search import Plan
from pytest_tsexport.checks import parity
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.exporting.context import Callbacks
from pytest_tsexport.exporting.export_model import Process
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import Faulty, Offset, exporters, judge, wrappers
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_state as state
from pytest_tsexport.testing import wrong_values as values
from pytest_tsexport.testing.specimen import Inputs, masked_ids, rows
from pytest_tsexport.verdict import Outcome

KEPT = {"sizes": {"batch": 2}, "seed": 77, "values": "special", "mask": "ones"}


def plan_of(monkeypatch: pytest.MonkeyPatch, **keywords: Any) -> Plan:
    plans: list[Plan] = []

    def spy(plan: Plan, judge: Callable[[Case], CaseResult | None]) -> Findings:
        plans.append(plan)
        return Findings(judged=(), planned=plan.total)

    monkeypatch.setattr("pytest_tsexport.checks.parity.search", spy)
    kept = [KEPT, {**KEPT, "sizes": {"batch": 3}}]
    callbacks = Callbacks(known=lambda _subject, _name: kept)
    policy = from_keywords({"inputs": rows()(), **keywords})
    export(made.Plain(), policy, name="it", callbacks=callbacks).check("parity")
    (plan,) = plans
    return plan


@pytest.mark.parametrize(("cases", "listed"), [(200, None), (5, 2), (1, 0)])
def test_kept_cases_and_examples_of_the_traced_size_are_essential_and_come_first(
    cases: int, listed: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = [{"x": torch.zeros(size, 7)} for size in (2, 3, 2)]
    plan = plan_of(monkeypatch, max_examples=cases, examples=examples)
    traced = list(traced_cases(plan.subject))
    assert [case.seed for case in plan.essential[:1]] == [77]
    assert [case.example for case in plan.essential[:3]] == [None, 0, 2]
    assert plan.essential[3:] == essential_at_traced_size(plan.subject)
    assert plan.listed == traced[:listed]
    assert (plan.total, plan.off_size) == (cases, False)


class RaisesForNegative(wrappers.Wrapper):
    """Takes as many values as are positive to be all of them, which the trace froze."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)
        return answer + x[x > 0].reshape(int((x > 0).sum())).sum() * 0


class AddsOne(wrappers.Wrapper):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)
        return answer + 1


FREEZES = "look for Python in forward that the trace froze: an if on values, .item(), a number made of a tensor"
SHAPE = "look for a shape or an index in forward that follows from values: a mask, the experts that are hit"
STATE = "forward keeps state on the module, which the trace froze: pass it in and out instead"
EXPORTER = "see what the exporter does with the model: .eval(), the dtype, the number and the order of outputs"

OFFSET = Faulty("offset", lambda model: Offset(model, 1.0))
RAISES = Faulty("raises", RaisesForNegative)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "keywords", "headline", "fix"),
    [
        (made.Plain, {"backend": OFFSET}, "differs from eager at the traced size", FREEZES),
        (made.Plain, {"backend": RAISES}, "raises at the traced size", SHAPE),
        (state.CountsCalls, {}, "differs from eager at the traced size", STATE),
        (
            made.Plain,
            {"export": exporters.instead(AddsOne)},
            "differs from eager at the traced size",
            EXPORTER,
        ),
    ],
    ids=["values", "shapes", "state", "exporter"],
)
def test_what_to_do_follows_from_what_went_wrong(
    model: type[nn.Module], keywords: Mapping[str, Any], headline: str, fix: str
) -> None:
    found = judge(model(), rows()(), checks="parity", max_examples=20, **keywords)["parity"]
    shown = dict(found.rows)
    assert (found.outcome, found.headline) == (Outcome.FAILED, headline)
    assert list(shown)[:3] == ["traced at", "counterexample", "differs"]
    assert shown["fix"] == fix


DEVICE = "see what the device does differently: --auto-cast, 32-bit integers, frozen branches"


@pytest.mark.parametrize(
    ("about", "status", "text", "fix"),
    [
        ({}, "wrong", "off by 1", FREEZES),
        ({}, "raises", "RuntimeError: no", SHAPE),
        ({}, "wrong", "on call 2 with the same inputs: off by 1", STATE),
        ({"device": "a device"}, "wrong", "off by 1", DEVICE),
        ({"device": "a device"}, "wrong", "on call 2 with the same inputs: off by 1", STATE),
        ({"device": "a device"}, "raises", "RuntimeError: no", SHAPE),
        ({"device": "a device", "given": True}, "wrong", "off by 1", EXPORTER),
        ({"given": True}, "raises", "RuntimeError: no", EXPORTER),
        ({"export": exporters.plain}, "wrong", "off by 1", EXPORTER),
    ],
)
def test_state_comes_first_then_who_made_the_file_and_what_it_runs_on(
    about: Mapping[str, Any], status: Status, text: str, fix: str
) -> None:
    evidence: Any = SimpleNamespace(
        device=about.get("device"),
        process=Process(given=about.get("given", False)),
        policy=from_keywords({"export": about.get("export")}),
    )
    one = CaseResult(case=Case(sizes=()), status=status, breach=True, text=text)
    assert parity._fix(evidence, one) == fix


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "inputs", "case"),
    [
        (made.Plain, rows(), "values uniform        in 37 of 37 cases, seed 0"),
        (values.MaskedMean, masked_ids(), "values uniform, mask ones        in 32 of 32 cases, seed 0"),
    ],
)
def test_a_counterexample_is_named_by_its_values_and_by_its_mask_if_there_is_one(
    model: type[nn.Module], inputs: Callable[[], Inputs], case: str
) -> None:
    found = judge(model(), inputs(), checks="parity", max_examples=40, backend=OFFSET)["parity"]
    assert dict(found.rows)["counterexample"] == case
    assert (found.planned, found.first_breach) == (40, 1)


class Seven(wrappers.Wrapper):
    """Wrong where the first value is seven, which no drawn input has."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)
        return answer + (x[0, 0] == 7)


def test_a_users_example_that_fails_is_named_by_its_number_and_is_not_kept() -> None:
    examples = [{"x": torch.full((2, 7), float(number))} for number in (6, 7)]
    export = exporters.instead(Seven)
    found = judge(made.Plain(), rows()(), checks="parity", examples=examples, max_examples=40, export=export)["parity"]
    assert dict(found.rows)["counterexample"] == "example 1        in 1 of 39 cases, seed 0"
    assert (found.counterexample, found.first_breach) == (None, 2)


class OnlyHalves(nn.Module):
    """Eager and the file look up where a value lies from one half, and find nothing anywhere else."""

    table: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("table", torch.ones(8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.table[(x - 0.5).abs().mul(1e9).clamp(max=99).long()] + x


@pytest.mark.slow
def test_where_both_refuse_every_case_nothing_was_compared() -> None:
    other = st.just(torch.full((2, 7), 0.4))
    found = judge(
        OnlyHalves(), {"x": torch.full((2, 7), 0.5)}, checks="parity", max_examples=20, strategies={"x": other}
    )["parity"]
    assert (found.outcome, found.judged) == (Outcome.FAILED, 0)
    assert found.headline == "eager raises on every case at the traced size, so nothing was compared"
    assert found.rows == (
        ("traced at", "x (batch=2, dim1=7)"),
        ("fix", "give inputs= that eager accepts, or strategies= that draw such values"),
    )
