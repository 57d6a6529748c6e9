"""Proves that each run of a check has separate evidence, and that what is measured once is shared."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from pytest_tsexport.comparison.evidence import TieBreakTime
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
        return found._evidence("parity").spread.by_leaf["output"]

    assert spread(0) == spread(5)


def test_time_for_tie_breaks_is_spent_beyond_its_limit() -> None:
    time = TieBreakTime(limit=2.0)
    assert not time.spent
    time.seconds = 2.0
    assert not time.spent
    time.seconds = 2.1
    assert time.spent
