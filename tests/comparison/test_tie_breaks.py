"""Proves that a choice decided by rounding is not a fault, and that any other choice is."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import strategies as st
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
        self.bias = nn.Parameter(torch.tensor([0.31415, 0.5772, -0.2718, 0.31415 * (1 + tilt), -1.4142]))
        self.backwards = backwards

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        places = range(7)[::-1] if self.backwards else range(7)
        total = self.bias.expand(x.shape[0], 5)
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


@pytest.mark.one_in(3)
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [Chooses, Picks])
def test_a_tie_break_that_the_export_decides_differently_is_not_a_fault(kind: type[Scores], seed: int) -> None:
    assert parity(kind(), kind(backwards=True), seed).outcome is Outcome.PASSED


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [Chooses, Picks])
def test_a_choice_by_a_thousandth_is_a_fault(kind: type[Scores], seed: int) -> None:
    found = parity(kind(tilt=-1e-3), kind(tilt=1e-3), seed)
    assert found.outcome is Outcome.FAILED
    assert found.headline == "differs from eager at the traced size"


class Keeps(nn.Module):
    """Sums what a mask keeps, by an exact comparison with an exact threshold."""

    threshold: torch.Tensor

    def __init__(self, scale: int = 1) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 8)
        self.register_buffer("threshold", torch.tensor(1.0))
        self.scale = scale

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        kept = (mask * self.scale).float() >= self.threshold
        best: torch.Tensor = (self.embed(ids) * kept[..., None]).sum(1).argmax(-1)
        return best


class Halves(nn.Module):
    """The middle of a row, by a ratio that is exact; with `ceil`, one place off at even lengths."""

    ratio: torch.Tensor

    def __init__(self, *, ceil: bool = False) -> None:
        super().__init__()
        self.register_buffer("ratio", torch.tensor(0.5))
        self.ceil = ceil

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        middle = torch.ones_like(x).sum(1, keepdim=True) * self.ratio
        place = ((middle.ceil() - 1) if self.ceil else middle.floor()).long()
        return x.argsort(1).gather(1, place)


class Reaches(nn.Module):
    """Which counts reach three; or exceed it, which is another question."""

    def __init__(self, *, exceed: bool = False) -> None:
        super().__init__()
        self.exceed = exceed

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x > 3 if self.exceed else x >= 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_exact_values_are_not_tie_breaks(seed: int) -> None:
    masked = {"ids": torch.randint(0, 20, (2, 7)), "mask": torch.ones(2, 7, dtype=torch.int64)}
    torch.manual_seed(seed)
    model = Keeps()
    twin = Keeps(scale=0)
    twin.load_state_dict(model.state_dict())
    found = judge(model, masked, checks=["parity", "shapes"], seed=seed, export=exporting(twin))
    assert found["parity"].outcome is Outcome.FAILED
    even = rows(2, 8)()
    assert judge(Halves(), even, checks="parity", seed=seed, export=exporting(Halves(ceil=True)))["parity"].outcome is (
        Outcome.FAILED
    )


@pytest.mark.slow
def test_integers_stored_as_floats_are_exact_too() -> None:
    counts = st.integers(0, 2**16).map(
        lambda seed: torch.randint(0, 6, (2, 7), generator=torch.Generator().manual_seed(seed)).float()
    )
    given: dict[str, Any] = {"strategies": {"x": lambda shape: counts}, "dynamic_shapes": {}}
    found = judge(Reaches(), rows()(), checks="parity", export=exporting(Reaches(exceed=True)), **given)
    assert found["parity"].outcome is Outcome.FAILED


class TopTwo(nn.Module):
    """The two best, which are alike in every row; the file gives the first of them twice."""

    def __init__(self, *, twice: bool = False) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 5)
        with torch.no_grad():
            self.linear.weight[1] = self.linear.weight[0]
            self.linear.bias[:2] = 500
        self.twice = twice

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = self.linear(x)
        best = scores.topk(2, -1).indices
        return torch.cat([best[:, :1], best[:, :1]], 1) if self.twice else best, scores


class TwoWays(nn.Module):
    """Two classes whose scores are one sum, added in two orders: each position is a separate tie-break."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 64)
        self.vector = nn.Parameter(torch.randn(64, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states = self.linear(x)
        backwards = (states * self.vector.squeeze(1)).flip(-1).cumsum(-1)[..., -1:]
        return torch.cat([states @ self.vector, backwards], -1).argmax(-1)


def in_double(model: nn.Module, inputs: Inputs, path: Path) -> None:
    torch.jit.save(torch.jit.trace(Double(model).eval(), tuple(inputs.values()), check_trace=False), str(path))


class Opposite(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = 1 - self.model(x)
        return answer


class Double(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x.double())
        return answer


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_each_position_of_a_row_may_be_a_tie_break(seed: int) -> None:
    torch.manual_seed(seed)
    found = judge(TwoWays(), rows(2, 3, 64)(), checks="parity", seed=seed, max_examples=20, export=in_double)["parity"]
    assert found.outcome is Outcome.PASSED
    assert "differ only by a tie-break decided by rounding" in found.notes[0]


@pytest.mark.slow
def test_only_essential_cases_are_judged_once_the_time_for_tie_breaks_is_spent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pytest_tsexport.config.budget.TIE_BREAKS", 0.0)
    found = parity(Chooses(), Chooses(backwards=True))
    assert (found.outcome, found.planned) == (Outcome.PASSED, 100)
    assert 20 <= found.judged < 95
    left = "cases may differ by a tie-break alone, and the time to find out was spent"
    assert f"{100 - found.judged} of 100 {left}" in found.not_covered


@pytest.mark.slow
def test_choices_that_are_made_together_are_settled_together() -> None:
    model = TopTwo()
    twin = TopTwo(twice=True)
    twin.load_state_dict(model.state_dict())
    assert parity(model, twin).outcome is Outcome.FAILED


@pytest.mark.slow
def test_cases_that_a_tie_break_explains_are_noted() -> None:
    found = parity(Chooses(), Chooses(backwards=True))
    assert re.fullmatch(r"\d+ of 100 cases differ only by a tie-break decided by rounding", found.notes[0])
    assert parity(Chooses(), Chooses()).notes == ()


def test_another_number_of_choices_is_not_a_tie_break() -> None:
    class Two(Chooses):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.scores(x).topk(2).indices

    assert parity(Chooses(), Two()).outcome is Outcome.FAILED
