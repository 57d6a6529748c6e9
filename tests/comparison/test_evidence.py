"""Proves that each run of a check has separate evidence, and that what is measured once is shared."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.base import Device
from pytest_tsexport.backends.casting import Casting
from pytest_tsexport.cases.case import at
from pytest_tsexport.comparison.evidence import Evidence, TieBreakTime
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import Export, export
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import rows


@pytest.fixture
def exported() -> Export:
    return export(made.Plain(), from_keywords({"inputs": rows()()}), name="plain")


def test_what_a_run_may_leave_behind_is_new_for_each_run(exported: Export) -> None:
    one, two = exported._evidence("parity"), exported._evidence("parity")
    assert one.reference is not two.reference
    assert one.runner is not two.runner
    assert one.runner.module is not two.runner.module
    assert one.tie_break_time is not two.tie_break_time
    assert one.tie_break_time is one.tie_break_time
    assert one.variants is one.variants is not two.variants
    assert one.exact_ties is one.exact_ties is not two.exact_ties


def test_what_is_measured_once_is_shared(exported: Export) -> None:
    one, two = exported._evidence("parity"), exported._evidence("shapes")
    assert one.spread is two.spread
    assert one.operators is two.operators
    assert "linear" in one.operators


def test_each_check_draws_numbers_of_its_own_and_the_same_each_time(exported: Export) -> None:
    parity, again, shapes = (exported._evidence(check) for check in ("parity", "parity", "shapes"))
    assert parity.random().random() == again.random().random() != shapes.random().random()


def test_another_seed_draws_others_and_no_seed_is_seed_zero(exported: Export) -> None:
    def drawn(seed: int | None) -> float:
        found = exported._evidence("parity")
        policy = replace(found.policy, options=replace(found.policy.options, seed=seed))
        return replace(found, measured=replace(found.measured, policy=policy)).random().random()

    assert drawn(None) == drawn(0)
    assert len({drawn(seed) for seed in (0, 1, 2, -1)}) == 4


def test_the_same_seed_draws_others_for_another_subject(exported: Export) -> None:
    one = exported._evidence("parity")
    other = replace(one, measured=replace(one.measured, subject=replace(one.subject, name="another")))
    assert one.check_seed != other.check_seed


class Noisy(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.randn(x.shape)


def test_the_spread_of_a_random_model_does_not_depend_on_who_asks_first() -> None:
    def spread(draws: int) -> float:
        policy = from_keywords({"inputs": rows()()})
        found = export(Noisy(), replace(policy, options=replace(policy.options, seed=3)), name="noisy")
        torch.rand(draws)
        return float(found._evidence("parity").spread.by_place["output"].sum())

    assert spread(0) == spread(5)


def test_time_for_tie_breaks_is_spent_beyond_its_limit() -> None:
    allowance = TieBreakTime(limit=2.0)
    assert not allowance.spent
    allowance.seconds = 2.0
    assert not allowance.spent
    allowance.seconds = 2.1
    assert allowance.spent


def test_an_essential_case_may_spend_more_on_tie_breaks() -> None:
    assert not TieBreakTime(limit=2.0, seconds=2.1, unlimited=True).spent


def test_the_budget_is_counted_in_cpu_time_of_the_thread_unless_a_device_does_the_work(exported: Export) -> None:
    found = exported._evidence("parity")
    assert found.now is time.thread_time
    assert found.clock().now is time.thread_time
    device = Device(namespace="chip", prologue="", casting=Casting())
    compiled = replace(found, measured=replace(found.measured, device=device), backend="neuron")
    assert compiled.now is time.monotonic
    assert replace(compiled, backend="neuron-sim").now is time.thread_time
    elsewhere = replace(found.subject, reference=made.Plain().to("meta"))
    assert replace(found, measured=replace(found.measured, subject=elsewhere)).now is time.monotonic


@pytest.mark.parametrize(
    ("check", "search", "tie_breaks"), [("parity", 21.0, 12.6), ("shapes", 30.0, 18.0), ("padding", 9.0, 5.4)]
)
def test_a_check_has_its_share_of_a_minute(check: str, search: float, tie_breaks: float, exported: Export) -> None:
    found = exported._evidence(check)
    assert found.clock().budget == pytest.approx(search)
    assert found.clock().limit == 1800.0
    assert found.clock() is not found.clock()
    assert found.tie_break_time.limit == pytest.approx(tie_breaks)
    assert found.tie_break_time.seconds == 0.0


def test_the_tolerance_is_what_the_user_gave_and_else_the_spread(exported: Export) -> None:
    found = exported._evidence("parity")
    assert found.tolerance.spread is found.spread.by_place
    assert (found.tolerance.shared, found.tolerance.share, found.tolerance.cast) == (False, 0.0, False)
    said = {"rtol": 0.1, "atol": {"output": 0.2}, "metric": "cosine", "reference": made.Plain()}
    given = export(made.Plain(), from_keywords({"inputs": rows()(), **said}), name="it")._evidence("parity").tolerance
    assert (given.rtol, given.atol, given.metric, given.share) == (0.1, {"output": 0.2}, "cosine", 0.0)
    assert (given.cast, given.shared) == (True, True)


def test_only_kept_counterexamples_of_this_subject_are_used(exported: Export) -> None:
    one = exported._evidence("shapes")
    mine = {"sizes": {"batch": 3}, "seed": 4, "values": "special", "mask": "ones"}
    found = replace(one, known=lambda: [mine, {**mine, "sizes": {"length": 3}}, {}])
    assert found.kept() == [at(one.subject, {"batch": 3}, seed=4, values="special")]
    assert one.kept() == []


def test_a_check_judges_a_hundred_cases_and_says_nothing_unless_it_is_told_otherwise(exported: Export) -> None:
    one = exported._evidence("parity")
    found = Evidence(check="parity", measured=one.measured, backend="jit", contract="safe", process=one.process)
    assert (found.cases, found.runs, found.kept(), found.device) == (100, True, [], None)
    found.progress("a line")
