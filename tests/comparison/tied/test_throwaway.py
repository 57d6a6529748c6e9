"""Proves that a throwaway module answers with changed numbers, and is as before afterwards."""

from __future__ import annotations

import torch

from tests.comparison.tied.modules import Counts, Holds, X, throwaway, weights


def scaled(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return x * weight


def test_an_answer_with_changed_numbers_and_the_numbers_are_put_back() -> None:
    module = throwaway(Holds(scaled, weight=weights("weight")["weight"]))
    before = module.base
    changed = module.changed({"weight": torch.ones(7)})
    assert before is not None
    assert changed is not None
    assert torch.equal(changed["output"], X)
    assert torch.equal(module.tensors["weight"], weights("weight")["weight"])
    after = module.changed({})
    assert after is not None
    assert torch.equal(after["output"], before["output"])


def test_a_name_that_it_does_not_have_is_left_out() -> None:
    module = throwaway(Holds(scaled, weight=weights("weight")["weight"]))
    changed = module.changed({"other": torch.ones(7)})
    assert module.base is not None
    assert changed is not None
    assert torch.equal(changed["output"], module.base["output"])


def test_the_state_of_one_call_is_not_taken_for_the_effect_of_a_change() -> None:
    module = throwaway(Counts(scaled, weight=weights("weight")["weight"]))
    assert module.keeps_state
    assert module.base is not None
    for _ in range(2):
        changed = module.changed({"weight": weights("weight")["weight"]})
        assert changed is not None
        assert torch.equal(changed["output"], module.base["output"])


def test_a_call_that_raises_has_no_answer_and_the_numbers_are_put_back() -> None:
    def picky(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        if bool((weight == 1).all()):
            raise ValueError("not these")
        return x * weight

    module = throwaway(Holds(picky, weight=weights("weight")["weight"]))
    assert module.base is not None
    assert module.changed({"weight": torch.ones(7)}) is None
    assert torch.equal(module.tensors["weight"], weights("weight")["weight"])
    assert throwaway(Holds(picky, weight=torch.ones(7))).base is None
