"""Proves that a model on an accelerator is judged there, and that a file which fits another device is red.

CI has no accelerator: `python -m pytest tests/test_accelerator.py` is for a machine that has one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.testing import judge
from pytest_tsexport.verdict import Outcome

DEVICE = "cuda"
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")

CHECKS = ("trace", "tied_weights", "parity", "shapes", "round_trip")


class Positions(nn.Module):
    """It makes a tensor where its input is."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.linear(x) + torch.arange(x.shape[0], device=x.device).unsqueeze(1)
        return answer


class NamesDevice(nn.Module):
    """One of its outputs is on the CPU, where its export leaves it on the device."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 7)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = self.linear(x)
        return y, y.sum(1).cpu() if torch._C._get_tracing_state() is None else y.sum(1)


def rows(device: str = DEVICE, dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
    return {"x": torch.randn(2, 7, generator=torch.Generator().manual_seed(3)).to(device, dtype)}


def on_the_cpu(model: nn.Module, inputs: dict[str, Any], path: Path) -> None:
    made = torch.jit.trace(model.cpu(), tuple(one.cpu() for one in inputs.values()))
    torch.jit.save(made, str(path))
    model.to(DEVICE)


def outcomes(found: dict[str, Any]) -> dict[str, str]:
    return {check: one.outcome.name for check, one in found.items()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_a_right_model_is_green(dtype: torch.dtype) -> None:
    found = judge(Positions().to(DEVICE, dtype), rows(dtype=dtype), checks=CHECKS, max_examples=30)
    assert {one.outcome for one in found.values()} <= {Outcome.PASSED, Outcome.NOT_APPLICABLE}, outcomes(found)


def test_inputs_are_derived_where_the_weights_are() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=37
    )
    model = transformers.BertModel(config).eval().to(DEVICE)
    found = judge(model, checks=(*CHECKS, "padding"), max_examples=30)
    assert {one.outcome for one in found.values()} <= {Outcome.PASSED, Outcome.NOT_APPLICABLE}, outcomes(found)


def test_a_file_that_was_traced_on_the_cpu_does_not_fit() -> None:
    found = judge(Positions().to(DEVICE), rows(), checks=("parity",), max_examples=10, export=on_the_cpu)
    assert found["parity"].outcome is Outcome.FAILED
    assert "device" in str(found["parity"].rows)


def test_an_output_on_another_device_is_a_difference() -> None:
    found = judge(NamesDevice().to(DEVICE), rows(), checks=("parity",), max_examples=10)
    assert dict(found["parity"].rows)["differs"] == "output 1 is on cuda:0, eager's is on cpu"


def test_a_file_of_the_device_is_judged_on_the_cpu_with_a_model_there(tmp_path: Path) -> None:
    model = Positions().eval()
    torch.jit.save(torch.jit.trace(model.to(DEVICE), (rows()["x"],)), str(tmp_path / "cuda.pt"))
    found = judge(model.cpu(), rows("cpu"), checks=("parity",), max_examples=10, artifact=tmp_path / "cuda.pt")
    assert found["parity"].outcome is Outcome.FAILED
    assert "cuda" in str(found["parity"].rows)
