"""Proves that a choice which turns on the last bit accuses nobody, and that one which does not is a fault."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_tsexport.testing import judge
from pytest_tsexport.testing.specimen import Inputs, rows
from pytest_tsexport.verdict import Outcome, Verdict


class Scores(nn.Module):
    """Two columns of the weights are alike, so that two scores tie; they are added up in one order or the other."""

    def __init__(self, *, backwards: bool = False, tilt: float = 0.0) -> None:
        super().__init__()
        weight = torch.randn(7, 5, generator=torch.Generator().manual_seed(3))
        weight[:, 3] = weight[:, 0] * (1 + tilt)
        self.weight = nn.Parameter(weight)
        self.backwards = backwards

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        places = range(7)[::-1] if self.backwards else range(7)
        total = torch.zeros(x.shape[0], 5)
        for place in places:
            total = total + x[:, place : place + 1] * self.weight[place]
        return total


class Chooses(Scores):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scores(x).argmax(-1) if not self.backwards else self.scores(x).flip(-1).argmax(-1).mul(-1).add(4)


class Picks(Scores):
    """What is picked is a float that jumps."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        best = self.scores(x)
        places = 4 - best.flip(-1).argmax(-1) if self.backwards else best.argmax(-1)
        return x[:, :5].gather(1, places[:, None])


def exporting(twin: nn.Module) -> object:
    def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
        torch.jit.save(torch.jit.trace(twin.eval(), tuple(inputs.values()), check_trace=False), str(path))

    return export


def parity(model: nn.Module, twin: nn.Module, seed: int = 0) -> Verdict:
    shapes = {"x": {0: "batch"}}
    return judge(model, rows(2, 7)(), checks="parity", seed=seed, export=exporting(twin), dynamic_shapes=shapes)[
        "parity"
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [Chooses, Picks])
def test_a_tie_that_the_export_decides_otherwise_is_no_fault(kind: type[Scores], seed: int) -> None:
    assert parity(kind(), kind(backwards=True), seed).outcome is Outcome.PASSED


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [Chooses, Picks])
def test_a_choice_by_a_thousandth_is_one(kind: type[Scores], seed: int) -> None:
    found = parity(kind(tilt=-1e-3), kind(tilt=1e-3), seed)
    assert found.outcome is Outcome.FAILED
    assert found.headline == "answers otherwise than eager at the traced size"


def test_another_number_of_choices_is_no_tie() -> None:
    class Two(Chooses):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.scores(x).topk(2).indices

    assert parity(Chooses(), Two()).outcome is Outcome.FAILED
