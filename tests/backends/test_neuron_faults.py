"""Proves that silent faults of an SDK are found, and that a right SDK passes.

Each fault is in a compiler (`faults.py`) or in a runtime (`sdks.py`). An environment variable switches it on. The same
model, inputs and keywords pass without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.testing import judge
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Inputs, ids, rows, two_rows
from pytest_tsexport.verdict import Outcome, Verdict
from tests.backends.conftest import Installed, accused

Case = tuple[type[nn.Module], Callable[[], Inputs], Mapping[str, Any]]

BATCHES = {"shapes": {"batch": "dynamic"}}
TIED: Case = (made.TiedHead, ids(), {})
TIED_BATCHES: Case = (made.TiedHead, ids(), BATCHES)
PLAIN: Case = (made.Plain, rows(), {})
PLAIN_BATCHES: Case = (made.Plain, rows(), BATCHES)
TWO_IN: Case = (made.TwoInputs, two_rows(), {})
TWO_OUT: Case = (made.TwoOutputs, rows(), {})

FELL_BACK = "the compiler fell back: it runs on the CPU"
ELSEWHERE = "an output does not come from the compiled part"
CHANGED = "exporting changed the source model"
OTHERWISE = "differs from eager at the traced size"
SILENTLY = "silently wrong outside the traced size"

FOUND: tuple[tuple[str, Case, str, str], ...] = (
    ("mute_fallback", PLAIN, "trace", FELL_BACK),
    ("logged_fallback", TIED, "trace", FELL_BACK),
    ("partial_fallback", PLAIN, "trace", "the compiler fell back: part of it runs on the CPU"),
    ("dropped_input", TWO_IN, "trace", "the compiler dropped y as unused, but eager's answer depends on it"),
    ("dropped_input", TWO_IN, "parity", OTHERWISE),
    ("swapped_outputs", TWO_OUT, "parity", OTHERWISE),
    ("untied_source", TIED, "trace", CHANGED),
    ("cast_source", PLAIN, "trace", CHANGED),
    ("changed_source", TIED, "trace", CHANGED),
    ("wrong_slices", TIED_BATCHES, "shapes", SILENTLY),
    ("wrong_slices", PLAIN_BATCHES, "shapes", SILENTLY),
    ("answer_thrown_away", TWO_OUT, "trace", ELSEWHERE),
    ("shape_of_answer_only", TWO_OUT, "trace", ELSEWHERE),
    ("one_answer_of_the_cpu", TWO_OUT, "trace", ELSEWHERE),
)
"""The check and the headline by which each fault is found, on every SDK."""

UNCAST: tuple[tuple[str, Case, str, str], ...] = (
    ("ignored_keyword", PLAIN, "trace", "the compiler ignored arguments that it does not know"),
    ("drifted_tie", TIED, "parity", OTHERWISE),
    ("drifted_cast", TIED, "parity", OTHERWISE),
    ("drifted_cast", PLAIN, "parity", OTHERWISE),
)
"""The same, on the SDK that casts nothing by default."""

UNHARMED: tuple[tuple[str, Case], ...] = (
    ("training_source", PLAIN),
    ("ends_on_the_cpu", TWO_OUT),
    ("wrong_slices", PLAIN),  # there is only one slice
    ("swapped_outputs", PLAIN),
    ("untied_source", PLAIN),
    ("drifted_tie", PLAIN),
    ("ignored_keyword", PLAIN),  # on Inf1, whose compiler gets no arguments here
)
"""Faults that do no harm to these models."""

RUNS = (("neuronx", 0), ("neuronx", 1), ("neuronx", 2), ("neuron", 3))
"""SDK and seed."""


def judged(case: Case, *, seed: int = 0) -> dict[str, Verdict]:
    model, inputs, keywords = case
    return judge(model(), inputs(), backend="neuron", max_examples=20, seed=seed, checks="-round_trip", **keywords)


@pytest.mark.one_in(4)
@pytest.mark.slow
@pytest.mark.parametrize(("name", "seed"), RUNS)
@pytest.mark.parametrize(("fault", "case", "check", "headline"), FOUND)
def test_a_fault_is_found(
    sdk: Installed, name: str, fault: str, case: Case, check: str, headline: str, seed: int
) -> None:
    sdk(name, fault)
    found = judged(case, seed=seed)[check]
    assert (found.outcome, found.headline) == (Outcome.FAILED, headline)


@pytest.mark.one_in(3)
@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("fault", "case", "check", "headline"), UNCAST)
def test_a_fault_is_found_without_casting(
    sdk: Installed, fault: str, case: Case, check: str, headline: str, seed: int
) -> None:
    sdk("neuronx", fault)
    found = judged(case, seed=seed)[check]
    assert (found.outcome, found.headline) == (Outcome.FAILED, headline)


@pytest.mark.one_in(4)
@pytest.mark.slow
@pytest.mark.parametrize(("name", "seed"), [*RUNS, ("independent", 4)])
@pytest.mark.parametrize("case", [TIED, TIED_BATCHES, PLAIN, PLAIN_BATCHES, TWO_IN, TWO_OUT])
def test_without_a_fault_nothing_is_found(sdk: Installed, name: str, case: Case, seed: int) -> None:
    sdk(name)
    assert accused(judged(case, seed=seed)) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "case"), UNHARMED)
def test_a_harmless_fault_is_not_reported(sdk: Installed, fault: str, case: Case) -> None:
    sdk("neuron" if fault == "ignored_keyword" else "neuronx", fault)
    assert accused(judged(case)) == {}


def test_the_message_of_the_compiler_is_reported(sdk: Installed) -> None:
    sdk("neuronx", "logged_fallback")
    rows_by_label = dict(judged(PLAIN)["trace"].rows)
    assert rows_by_label["in the file"] == "no operator neuron::…"
    assert rows_by_label["said"].endswith("falling back to native python function call")


@pytest.mark.parametrize(
    ("fault", "case", "changed"),
    [
        ("untied_source", TIED, "embed.weight and head.weight are no longer tied"),
        ("changed_source", PLAIN, "linear.weight: its values changed; linear.bias: its values changed"),
        ("cast_source", PLAIN, "linear.weight: dtype torch.float32 became torch.bfloat16; "
         "linear.bias: dtype torch.float32 became torch.bfloat16"),
    ],
)  # fmt: skip
def test_changes_of_the_source_are_reported_and_stay_in_the_isolated_process(
    sdk: Installed, fault: str, case: Case, changed: str
) -> None:
    """The compiler works on the model of the isolated process; the model here does not change."""
    sdk("neuronx", fault)
    model = case[0]().eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    found = judge(model, case[1](), backend="neuron", checks="trace")["trace"]
    assert dict(found.rows)["changed"] == changed
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in before.items())
    if isinstance(model, made.TiedHead):
        assert model.head.weight is model.embed.weight


class Unused(nn.Module):
    """Right: takes an input that it does not use, as some models take `token_type_ids`."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x.tanh()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["neuronx", "independent", "neuron"])
def test_a_dropped_input_without_effect_is_a_note(sdk: Installed, name: str) -> None:
    sdk(name)
    found = judged((Unused, two_rows(), {}))
    assert accused(found) == {}
    assert "y is dropped: the answer does not depend on it" in found["trace"].notes


def test_the_exception_of_the_compiler_is_reported(sdk: Installed) -> None:
    sdk("neuronx", "raises")
    found = judged(PLAIN)
    assert found["trace"].headline == "the model cannot be exported"
    assert ("torch says", "RuntimeError: neuronx-cc failed with 70") in found["trace"].rows
    assert found["parity"].outcome is Outcome.NOT_RUN
