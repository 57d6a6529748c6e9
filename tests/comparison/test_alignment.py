"""Proves that eager is compared with its weights where torch begins them, and that nothing else about it changes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pytest_tsexport.comparison.alignment import ALIGNMENT, aligned
from pytest_tsexport.tensors.memory import share_elements
from pytest_tsexport.testing import judge
from pytest_tsexport.verdict import Outcome


def odd(values: torch.Tensor, by: int = 6) -> torch.Tensor:
    """The same values, whose memory begins `by` elements after a border."""
    place = torch.empty(values.numel() + by)[by:].view(values.shape)
    return place.copy_(values)


class Mapped(nn.Module):
    """Weights as a checkpoint that is mapped from a file has them; two names of one, and one in even memory."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.wide = nn.Parameter(odd(torch.randn(384, 384, generator=generator)))
        self.again = self.wide
        self.even = nn.Parameter(torch.randn(384, generator=generator))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(torch.tanh(x @ self.wide), self.again) + self.even


def test_weights_off_a_border_are_moved_to_one_and_keep_their_values_and_names() -> None:
    model = Mapped()
    found = aligned(model)
    assert isinstance(found, Mapped)
    assert found is not model
    assert found.wide.data_ptr() % ALIGNMENT == 0 != model.wide.data_ptr() % ALIGNMENT
    assert torch.equal(found.wide, model.wide)
    assert found.again is found.wide
    assert found.even.data_ptr() == model.even.data_ptr()


def test_a_model_is_returned_if_all_its_weights_are_on_a_border() -> None:
    model = nn.Linear(4, 4)
    assert aligned(model) is model


def test_a_model_is_returned_if_its_weights_take_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_tsexport.comparison.alignment.MOST_BYTES", 100)
    model = Mapped()
    assert aligned(model) is model


def test_weights_that_share_memory_stay_where_they_are() -> None:
    model = nn.Module()
    memory = odd(torch.arange(20.0))
    model.one, model.other = nn.Parameter(memory[:12]), nn.Parameter(memory[8:])
    assert aligned(model) is model
    assert share_elements(model.one, model.other)


def test_a_model_that_cannot_be_copied_is_returned() -> None:
    model = Mapped()
    model.lines = (line for line in "ab")  # type: ignore[assignment]
    assert aligned(model) is model


def test_a_plain_trace_of_a_mapped_checkpoint_is_bit_equal_to_eager() -> None:
    found = judge(Mapped(), {"x": torch.rand(1, 384)}, checks=("parity",), max_examples=30)["parity"]
    assert found.outcome is Outcome.PASSED
    assert found.worst is None or found.worst.difference == 0
