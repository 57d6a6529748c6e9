"""Proves that an input which a file does not take is told, and is left out only where no answer moves with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.testing import files, judge
from pytest_tsexport.verdict import Outcome

INPUTS = {"ids": torch.arange(10).view(2, 5), "mask": torch.ones(2, 5, dtype=torch.long)}


class Masked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(30, 8)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        answer: torch.Tensor = self.table(ids)
        return answer if mask is None else answer * mask.unsqueeze(-1)


class IgnoresMask(Masked):
    def forward(self, ids: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        answer: torch.Tensor = self.table(ids)
        return answer


def without_mask(model: nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    torch.jit.save(torch.jit.trace(model, (inputs["ids"],), check_trace=False), str(path))


def with_mask(model: nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
    torch.jit.save(torch.jit.trace(model, tuple(inputs.values()), check_trace=False), str(path))


def test_an_input_with_which_the_answer_moves_belongs_into_the_file() -> None:
    found = judge(Masked(), INPUTS, checks=["parity", "shapes", "padding"], export=without_mask)
    for one in found.values():
        assert (one.outcome, one.headline) == (
            Outcome.FAILED,
            "the file takes no mask, and eager's answer moves with it",
        )
        assert one.rows == (
            ("in the file", "forward takes ids"),
            ("fix", "pass mask through the exporter: export a forward that takes ids, mask"),
        )
    assert is_right(Masked(), INPUTS, export=with_mask)


def test_an_input_with_which_no_answer_moves_may_be_left_out() -> None:
    found = judge(IgnoresMask(), INPUTS, checks="parity", export=without_mask)["parity"]
    assert found.headline == "the file takes no mask, and eager's answer did not move with it"
    assert dict(found.rows)["fix"] == "leave mask out of inputs=, or export a forward that takes it"
    assert is_right(IgnoresMask(), {"ids": INPUTS["ids"]}, export=without_mask)


@pytest.mark.parametrize("model", [Masked, IgnoresMask])
def test_a_finished_file_is_told_in_the_same_way(model: type[Masked], tmp_path: Path) -> None:
    one = model()
    with files.quiet():
        without_mask(one, INPUTS, tmp_path / "it.pt")
    found = judge(one, INPUTS, checks="parity", artifact=tmp_path / "it.pt")["parity"]
    assert found.headline.startswith("the file takes no mask, and eager's answer ")


def is_right(model: nn.Module, inputs: Mapping[str, torch.Tensor], **keywords: Any) -> bool:
    found = judge(model, inputs, checks=["trace", "parity"], max_examples=20, **keywords)
    return {one.outcome for one in found.values()} == {Outcome.PASSED}
