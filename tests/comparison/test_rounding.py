"""Proves that rounding is allowed what it costs the model, and that a wrong file still fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.base import Compilation, Compiler, Device
from pytest_tsexport.backends.casting import Casting
from pytest_tsexport.backends.neuron_sim import NeuronSim
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.factors import EMULATED_MOST, EMULATED_TIMES
from pytest_tsexport.comparison.rounding import allow_rounding, emulated_answer
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.testing import judge
from pytest_tsexport.verdict import Outcome, Verdict
from tests.quality.turns import one_in
from tests.subjects.families import build

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

CASTS = [(scope, kind) for scope in ("matmult", "all") for kind in ("bf16", "fp16")]
RAN = ("trace", "parity", "shapes", "padding")

every_cast = pytest.mark.parametrize("cast", CASTS, ids=" ".join)


class Casts(NeuronSim):
    """The simulation under one casting, tracing what `wrap` makes of the model."""

    def __init__(self, cast: tuple[str, str], wrap: Callable[[nn.Module], nn.Module] | None = None) -> None:
        super().__init__(Compilation(args=("--auto-cast", cast[0], "--auto-cast-type", cast[1])))
        self._wrap = wrap

    def compiling(self, wanted: Compilation) -> Compiler:
        return self

    def trace(self, subject: Subject) -> torch.jit.ScriptModule:
        return super().trace(subject if self._wrap is None else replace(subject, model=self._wrap(subject.model)))


class Wrong(nn.Module):
    """Answers as the model does, and then something happens to it."""

    def __init__(self, model: nn.Module, happens: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.model = model
        self.happens = happens

    def forward(self, **inputs: torch.Tensor) -> torch.Tensor:
        answer = self.model(**inputs)
        return self.happens(answer if isinstance(answer, torch.Tensor) else answer[0])


def wrong(happens: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[nn.Module], nn.Module]:
    return lambda model: Wrong(model, happens)


class Deep(nn.Module):
    """Layers enough for rounding to add up."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        layers = [nn.Sequential(nn.Linear(16, 16), nn.GELU(), nn.LayerNorm(16)) for _ in range(4)]
        self.layers = nn.Sequential(*layers, nn.Linear(16, 16))
        self.scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.layers(x) * self.scale
        return answer


class Chooses(Deep):
    """Also answers the place of the largest number, which rounding changes if two are close."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]
        answer = super().forward(x)
        return answer, answer.argmax(-1)


class Cancels(nn.Module):
    """Rounding ruins it: a small difference of large products."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(16, 16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        large = self.one(x) * 1000
        answer: torch.Tensor = (large @ torch.eye(16) + self.one(x) * 0.5) - large
        return answer


def drawn() -> dict[str, torch.Tensor]:
    return {"x": torch.randn(2, 7, 16, generator=torch.Generator().manual_seed(3))}


def made(model: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return model().eval()


def found(model: Callable[[], nn.Module], backend: NeuronSim, seed: int = 0, **keywords: Any) -> dict[str, Verdict]:
    inputs = None if model is bert else drawn()
    return judge(
        made(model),
        inputs,
        backend=backend,
        seed=seed,
        **{"checks": ["trace", "parity"], "max_examples": 25, **keywords},
    )


def bert() -> nn.Module:
    model: nn.Module = build("bert")
    return model


def accused(verdicts: dict[str, Verdict]) -> dict[str, tuple[Any, ...]]:
    return {name: (one.headline, one.rows) for name, one in verdicts.items() if one.outcome is Outcome.FAILED}


@pytest.mark.one_in(4)
@every_cast
@one_in(3, "seed", range(3), str)
@pytest.mark.parametrize("model", [bert, Deep, Chooses])
def test_rounding_does_not_fail_a_right_one(model: Callable[[], nn.Module], cast: tuple[str, str], seed: int) -> None:
    verdicts = found(model, Casts(cast), seed, checks=RAN)
    assert accused(verdicts) == {}
    worst = verdicts["parity"].worst
    assert worst is not None
    assert worst.difference > 0


WRONGS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "constant": torch.zeros_like,
    "other rows": lambda answer: answer.flip(0),
    "other columns": lambda answer: answer.roll(1, -1),
    "larger by half": lambda answer: answer * 1.5,
    "moved": lambda answer: answer + answer.std(),
    "the sign": lambda answer: -answer,
    "nan": lambda answer: answer * torch.nan,
    "one row": lambda answer: torch.cat([answer[:1], answer[:1]]),
}


@pytest.mark.one_in(3)
@one_in(3, "case", list(product(WRONGS, CASTS)), lambda case: f"{case[0]} {' '.join(case[1])}")
def test_rounding_does_not_hide_a_wrong_one(case: tuple[str, tuple[str, str]]) -> None:
    happens, cast = case
    parity = found(Deep, Casts(cast, wrong(WRONGS[happens])))["parity"]
    assert parity.outcome is Outcome.FAILED


@pytest.mark.parametrize("scope", ["matmult", "all"])
def test_a_model_that_rounding_ruins_is_ruined_for_whoever_ships_it(scope: str) -> None:
    parity = found(Cancels, Casts((scope, "bf16")))["parity"]
    assert parity.outcome is Outcome.FAILED
    assert parity.worst is not None
    assert parity.worst.difference > parity.worst.allowed > 0


TIMES, MOST = EMULATED_TIMES, EMULATED_MOST
EAGER = {"output": torch.tensor([0.0, 1.0]), "place": torch.tensor([3, 4])}
NOTHING: dict[str, torch.Tensor] = {}


def allowed_for(
    third: dict[str, torch.Tensor] | None, artifact: dict[str, torch.Tensor] = NOTHING, **said: Any
) -> tuple[Leaves, float]:
    """What is compared, and the slack of the output, at matmult bf16 and a spread of one."""
    tolerance = Tolerance(spread={"output": torch.ones(2, dtype=torch.float64)}, share=0.02, **said)
    evidence: Any = SimpleNamespace(device=Casts(("matmult", "bf16")).device(), tolerance=tolerance)
    wrong = {"output": torch.tensor([9.0, 9.0])}
    answered, allowed = allow_rounding(evidence, EAGER, {**EAGER, **(artifact or wrong)}, lambda: third)
    slack = allowed.slack.get("output")
    return answered, 0.0 if slack is None else float(slack.max())


def under_bf16(tolerance: Tolerance) -> Any:
    """Evidence about a file that is compiled under `--auto-cast all`."""
    return SimpleNamespace(device=Casts(("all", "bf16")).device(), tolerance=tolerance)


@pytest.mark.parametrize(("off", "slack"), [(0.001, TIMES * 0.001), (0.01, TIMES * 0.01), (10.0, MOST * 0.02)])
def test_a_few_times_the_emulated_error_is_allowed_and_at_most_a_few_shares(off: float, slack: float) -> None:
    third = {**EAGER, "output": EAGER["output"] + torch.tensor([0.0, off])}
    assert allowed_for(third)[1] == pytest.approx(slack, rel=1e-3)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_where_rounding_makes_no_number_nothing_is_allow_rounding(value: float) -> None:
    assert allowed_for({**EAGER, "output": torch.tensor([0.0, value])})[1] == 0


def test_without_a_third_answer_nothing_is_allow_rounding() -> None:
    assert allowed_for(None)[1] == 0
    assert allowed_for({"another": EAGER["output"]})[1] == 0


class AsksOnce:
    """A device with a casting, and eager, which doubles what it is given."""

    def __init__(self, casting: Casting | None) -> None:
        self.device = None if casting is None else SimpleNamespace(casting=casting)
        self.reference = Reference(Doubles(), {})


class Doubles(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ torch.eye(1) * 2


@pytest.mark.parametrize(
    ("casting", "answer"),
    [
        (None, None),
        (Casting(scope="none", type="bf16"), None),
        (Casting(scope="matmult", type="tf32"), None),
        (Casting(scope="matmult", type="bf16"), 2.0),
        (Casting(scope="matmult", type="fp16"), 2 * (1 + 2**-9)),
    ],
    ids=str,
)
def test_eager_is_asked_in_the_bits_of_the_device_if_the_cpu_has_them(
    casting: Casting | None, answer: float | None
) -> None:
    evidence: Any = AsksOnce(casting)
    found = emulated_answer(evidence, {"x": torch.full((1, 1), 1 + 2**-9)})
    assert (None if found is None else found["output"].item()) == answer


def test_an_answer_of_another_shape_is_compared_as_it_is() -> None:
    """The place has another shape under rounding, and about it nothing can be said."""
    third = {"output": EAGER["output"] + 0.01, "place": torch.tensor([3])}
    answered, slack = allowed_for(third, {"output": EAGER["output"] + 0.5, "place": torch.tensor([3, 9])})
    assert answered["place"].tolist() == [3, 9]
    assert slack > 0


def test_integers_that_rounding_alone_changes_are_allowed_one_by_one() -> None:
    moved = {**EAGER, "place": torch.tensor([5, 4])}
    answered, _ = allowed_for(moved, {"place": torch.tensor([5, 9])})
    assert answered["place"].tolist() == [3, 9]
    answered, _ = allowed_for({**EAGER}, {"place": torch.tensor([5, 4])})
    assert answered["place"].tolist() == [5, 4]


def test_integers_about_which_the_user_said_something_are_exact() -> None:
    moved = {"output": EAGER["output"] + 0.01, "place": torch.tensor([5, 4])}
    answered, slack = allowed_for(
        moved, {"output": EAGER["output"] + 9, "place": torch.tensor([5, 9])}, atol={"place": 0.0}
    )
    assert answered["place"].tolist() == [5, 9]
    assert slack > 0


def test_booleans_that_rounding_alone_changes_are_allowed_as_integers_are() -> None:
    eager = {"output": torch.tensor([0.0, 1.0]), "above": torch.tensor([False, True])}
    rounded = {"output": torch.tensor([0.01, 1.0]), "above": torch.tensor([True, True])}
    evidence = under_bf16(Tolerance(spread={"output": torch.ones(2, dtype=torch.float64)}, share=0.05))
    answered, allowed = allow_rounding(evidence, eager, rounded, lambda: rounded)
    assert answered["above"].tolist() == [False, True]
    assert difference(eager, answered, allowed) is None


def test_rounding_is_emulated_only_for_a_difference_about_which_the_user_said_nothing() -> None:
    def never() -> None:
        raise AssertionError

    evidence = under_bf16(Tolerance(spread={"output": torch.ones(2, dtype=torch.float64)}, share=0.05))
    assert allow_rounding(evidence, EAGER, dict(EAGER), never) == (EAGER, evidence.tolerance)
    evidence.tolerance = Tolerance(rtol=0.0, atol=0.0)
    other = {**EAGER, "output": EAGER["output"] + 1}
    assert allow_rounding(evidence, EAGER, other, never) == (other, evidence.tolerance)


def test_without_casting_nothing_is_allowed_that_bf16_would_be() -> None:
    rounds = wrong(lambda answer: answer.to(torch.bfloat16).float() * 1.01)
    assert found(Deep, Casts(("none", "bf16"), rounds))["parity"].outcome is Outcome.FAILED


def test_a_finer_type_does_not_allow_for_a_coarser_one() -> None:
    class Coarse(Casts):
        """Computes in bf16, and claims fp16."""

        def device(self) -> Device:
            return Casts(("all", "fp16")).device()

    assert accused(found(Deep, Casts(("all", "bf16")))) == {}
    assert "parity" in accused(found(Deep, Coarse(("all", "bf16"))))


class TwoOutputs(Deep):
    """A second output that rounding moves by more than the casting's share of its spread."""

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:  # type: ignore[override]
        answer = super().forward(x)
        return {"first": answer, "second": answer.exp()}


ROOM = {"rtol": {"first": 0.5}, "atol": {"first": 0.5}}


@pytest.mark.parametrize("said", [{}, ROOM, {"metric": {"first": "cosine"}, **ROOM}])
def test_what_the_user_says_about_one_output_leaves_what_rounding_is_allowed_in_another(said: dict[str, Any]) -> None:
    parity = found(TwoOutputs, Casts(("matmult", "bf16")), checks=["parity"], **said)["parity"]
    assert parity.outcome is Outcome.PASSED
    assert parity.worst is not None
    assert (parity.worst.leaf, parity.worst.difference > 0.005) == ("second", True)


@pytest.mark.parametrize("said", [{"atol": 1e-6, "rtol": 0.0}, {"atol": 1e-6, "rtol": 1e-6}])
def test_the_users_own_tolerance_is_not_widened(said: dict[str, Any]) -> None:
    assert "parity" in accused(found(Deep, Casts(("matmult", "bf16")), **said))
