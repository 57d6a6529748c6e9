"""Proves that dynamic batching which stays off is told, and that rows mixed by it are not told to be padded."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.testing import judge
from pytest_tsexport.verdict import Outcome

X = {"x": torch.randn(2, 7)}
BATCHES: dict[str, Any] = {"dynamic_shapes": {"x": {0: "batch"}}, "backend": "neuron-sim", "max_examples": 20}


class Scaled(nn.Module):
    def forward(self, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return x * scale


class MixesRows(nn.Module):
    """Subtracts the mean over the batch."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - x.mean(0, keepdim=True)


class Doubles(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


OFF = "dynamic batching is off: scale has no batch as its first dimension"


def test_an_input_that_keeps_dynamic_batching_off_is_told() -> None:
    found = judge(Scaled(), {**X, "scale": torch.tensor(2.0)}, checks=["trace", "shapes"], **BATCHES)
    assert OFF in found["trace"].notes
    assert found["shapes"].headline == "raises outside the traced size, where the contract is dynamic"
    assert dict(found["shapes"].rows)["fix"] == (
        f"{OFF}; give it the batch as its first dimension, or declare the axis 'fixed'"
    )


def test_with_the_batch_as_its_first_dimension_it_is_right() -> None:
    scale = {"scale": torch.full((2, 1), 2.0)}
    shapes = {"dynamic_shapes": {"x": {0: "batch"}, "scale": {0: "batch"}}}
    found = judge(Scaled(), {**X, **scale}, checks=["trace", "shapes"], **{**BATCHES, **shapes})
    assert {one.outcome for one in found.values()} == {Outcome.PASSED}
    assert not any("dynamic batching" in note for note in found["trace"].notes)


def test_declared_fixed_it_is_right() -> None:
    given = {**X, "scale": torch.tensor(2.0)}
    found = judge(Scaled(), given, checks=["trace", "shapes"], shapes={"batch": "fixed"}, **BATCHES)
    assert {one.outcome for one in found.values()} == {Outcome.PASSED}
    assert not any("dynamic batching" in note for note in found["trace"].notes)


@pytest.mark.slow
def test_rows_that_a_slice_mixes_are_not_told_to_be_padded() -> None:
    found = judge(MixesRows(), X, checks="shapes", **BATCHES)["shapes"]
    assert found.headline == "silently wrong outside the traced size"
    fix = dict(found.rows)["fix"]
    assert fix.startswith("a device computes a batch in slices of the traced size, and forward mixes its rows")
    assert "pad" not in fix
    fixed = judge(MixesRows(), X, checks="shapes", shapes={"batch": "fixed"}, **BATCHES)["shapes"]
    assert fixed.outcome is Outcome.PASSED


def test_a_right_one_says_nothing_of_batching() -> None:
    found = judge(Doubles(), X, checks=["trace", "shapes"], **BATCHES)
    assert {one.outcome for one in found.values()} == {Outcome.PASSED}
    assert not any("dynamic batching" in note for note in found["trace"].notes)
