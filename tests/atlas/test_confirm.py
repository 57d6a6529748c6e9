"""torch alone is asked about each fault of a run: what is there is shown, and what is not there is not confirmed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from docs.make_atlas.confirm import compared, faults, main
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.verdict import Outcome
from tests.atlas.runs import failed, right, run, verdict


class Doubled(nn.Module):
    """Right at every size."""

    def forward(self, x: torch.Tensor) -> dict[str, Any]:
        return {"answer": (x * 2, [x + 1])}


class Loops(Doubled):
    """Adds up a row in Python: the trace adds up as many numbers as the traced row has."""

    def forward(self, x: torch.Tensor) -> dict[str, Any]:
        return {"answer": sum(x[:, place] for place in range(x.shape[1]))}


class Cuts(Doubled):
    """The shape of the answer is that of the traced one."""

    def forward(self, x: torch.Tensor) -> dict[str, Any]:
        return {"answer": x[:, : int(x.shape[1])]}


class Views(Doubled):
    """The trace raises at another size."""

    def forward(self, x: torch.Tensor) -> dict[str, Any]:
        return {"answer": x.view(int(x.shape[0]), int(x.shape[1]))}


class Draws(Doubled):
    """Eager differs from itself."""

    def forward(self, x: torch.Tensor) -> dict[str, Any]:
        return {"answer": x + torch.rand(())}


def asked(model: nn.Module) -> str:
    """What torch says about the model, traced with rows of 4 and called with rows of 6."""
    subject = build(model.eval(), Meaning(inputs={"x": torch.rand(2, 4)}, dynamic_shapes={"x": {1: "row"}}), name="it")
    return compared(model, subject, {"x": torch.rand(2, 6)})


def test_a_fault_is_shown() -> None:
    assert asked(Loops()).startswith("off by up to ")
    assert asked(Cuts()) == "has shape (2, 4), eager's has (2, 6)"
    assert asked(Views()).startswith("raises RuntimeError: ")


def test_what_is_no_fault_is_not_confirmed() -> None:
    assert asked(Doubled()) == ""
    assert asked(Draws()) == ""


def test_only_what_accuses_an_export_by_jit_is_asked_about() -> None:
    counterexample = {"sizes": {"batch": 2}, "seed": 0, "values": "uniform", "mask": "ones"}
    accuses = failed("shapes", "silently wrong", counterexample=counterexample)
    traces = verdict("trace", Outcome.FAILED, of="bloom")
    simulated = failed("shapes", "silently wrong", counterexample=counterexample, backend="neuron-sim")
    assert [one["check"] for one in faults(run(*right("gpt2"), traces, accuses, simulated))] == ["shapes", "trace"]


@pytest.mark.slow
@pytest.mark.transformers
def test_the_verdicts_of_a_run_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    longer = {"sizes": {"batch": 2, "sequence": 9}, "seed": 0, "values": "uniform", "mask": "ones"}
    verdicts = [failed("shapes", "silently wrong", of=one, counterexample=longer) for one in ("rwkv", "bert")]
    path = tmp_path / "run.json"
    path.write_text(json.dumps(run(*verdicts)), encoding="utf-8")
    assert main([str(path)]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first == "bert shapes: NOT CONFIRMED"
    assert second.startswith("rwkv shapes: off by up to ")
