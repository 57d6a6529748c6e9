"""Proves that `round_trip` runs the file in a fresh process with torch alone, and compares bits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from pytest_tsexport.testing import exporters, judge, right_outputs
from pytest_tsexport.testing import wrong_devices as devices
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Inputs, rows
from pytest_tsexport.verdict import Outcome, Verdict


def verdict(model: torch.nn.Module, inputs: Inputs | None = None, **keywords: Any) -> Verdict:
    return judge(model, inputs or rows()(), checks="round_trip", **keywords)["round_trip"]


@pytest.mark.slow
def test_nested_answers_are_the_same_elsewhere() -> None:
    found = verdict(right_outputs.NestedOutputs())
    assert (found.outcome, found.headline) == (Outcome.PASSED, "runs with torch alone, bit for bit the same")
    assert found.judged == found.planned == 3


@pytest.mark.slow
def test_an_operator_of_this_process_alone_is_found() -> None:
    found = verdict(devices.NeedsPython())
    assert (found.outcome, found.headline) == (
        Outcome.FAILED,
        "does not run the same in a process without Transformers",
    )
    assert "tsexport_specimens::halve" in dict(found.rows)["elsewhere"]


@pytest.mark.slow
def test_a_file_that_answers_by_chance_is_not_bit_equal() -> None:
    class Noise(made.Plain):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) + torch.rand(())

    found = verdict(Noise())
    assert found.outcome is Outcome.FAILED
    assert dict(found.rows)["elsewhere"] == "case 0: output 0 is not bit-equal"


def test_a_file_that_cannot_answer_here_either_is_told() -> None:
    class Longer(made.Plain):
        """Traced for rows of 9, and asked with rows of 7."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x @ torch.ones(9, 9)

    def export(model: torch.nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
        exporters.plain(Longer(), {"x": torch.zeros(2, 9)}, path)

    found = verdict(made.Plain(), export=export)
    assert (found.outcome, found.headline) == (
        Outcome.FAILED,
        "already raises in this process, so there is nothing to round-trip",
    )
