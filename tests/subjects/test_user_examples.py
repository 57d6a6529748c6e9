"""Proves that real inputs and strategies are taken as they are, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.fields import Field
from pytest_tsexport.subjects.user_examples import examples, strategies
from pytest_tsexport.testing import judge
from pytest_tsexport.testing.specimen import rows
from pytest_tsexport.verdict import Outcome

FLOATS = Floats(dtype=torch.float32)
FIELDS = (Field("x", ("batch", 7), FLOATS), Field("y", ("batch",), FLOATS))
OUT = ("logits", "x")
GIVE = "give a tensor for each of x, y, and for those of logits, x that are to be compared"
REAL = {"y": torch.zeros(3), "x": torch.ones(3, 7)}


def test_an_example_is_ordered_as_the_inputs() -> None:
    (example,) = examples([REAL], FIELDS, OUT)
    assert list(example.inputs) == ["x", "y"]
    assert example.inputs["x"] is REAL["x"]


def test_stored_outputs_and_inputs_are_separated_by_their_names() -> None:
    (example,) = examples([{**REAL, "logits": REAL["y"]}], FIELDS, OUT)
    assert list(example.inputs) == ["x", "y"]
    assert list(example.expected) == ["logits"]
    assert examples([REAL], FIELDS, OUT)[0].expected == {}


@pytest.mark.parametrize("text", [True, False])
def test_a_safetensors_file(tmp_path: Path, *, text: bool) -> None:
    path = tmp_path / "real.safetensors"
    save_file(REAL, path)
    (example,) = examples([str(path) if text else path], FIELDS, OUT)
    assert torch.equal(example.inputs["x"], REAL["x"])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            [{"x": REAL["x"]}],
            f"examples[0] holds x; {GIVE}",
        ),
        (
            [REAL, {**REAL, "z": REAL["y"]}],
            f"examples[1] holds y, x, z; {GIVE}",
        ),
        (
            [3],
            f"examples[0] holds int; {GIVE}",
        ),
        ([{"x": 1, "y": 2}], "examples[0]['x'] is int; give ('batch', 7)"),
        ([{**REAL, "x": torch.ones(3, 6)}], "examples[0]['x'] has shape (3, 6); give ('batch', 7)"),
        ([{**REAL, "x": torch.ones(3)}], "examples[0]['x'] is (3,); give ('batch', 7)"),
        ([{**REAL, "y": torch.ones(2)}], "examples[0]['y'] has shape (2,); give ('batch',)"),
        (["none.safetensors"], "examples[0] names none.safetensors, which does not exist; give a safetensors file"),
        ([""], "examples[0] names '', which is no path; give a safetensors file"),
        (["/"], "examples[0] names /, which is a folder; give a safetensors file"),
        (
            ["x" * 5000],
            f"examples[0] names {'x' * 300}…, which cannot be read (File name too long); give a safetensors file",
        ),
    ],
)
def test_an_example_that_does_not_fit_is_refused_in_one_sentence(values: Sequence[Any], sentence: str) -> None:
    with pytest.raises(InputsError) as refusal:
        examples(values, FIELDS, OUT)
    assert str(refusal.value) == sentence


def test_a_file_that_is_not_a_safetensors_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "real.safetensors"
    path.write_text("text", encoding="utf-8")
    with pytest.raises(InputsError, match=r"^examples\[0\] names .*, which is not a safetensors file: "):
        examples([path], FIELDS, OUT)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"z": st.just(1)}, "strategies names 'z'; use one of x, y"),
        ({"x": 3}, "strategies['x'] is 3; give a strategy, or a function of the shape"),
    ],
)
def test_strategies_that_do_not_fit_are_refused_in_one_sentence(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputsError) as refusal:
        strategies(values, FIELDS)
    assert str(refusal.value) == sentence


class WrongForReal(nn.Module):
    """Wrong for one real input, which is unlike any drawn one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 3 if bool((x == 12345.0).all()) else x * 2


@pytest.mark.slow
@pytest.mark.parametrize("batch", [2, 3])
def test_a_real_input_is_judged_and_named(batch: int) -> None:
    real = {"x": torch.full((batch, 7), 12345.0)}
    found = judge(WrongForReal(), rows()(), examples=[rows(batch, 7)(), real], checks=["parity", "shapes"])
    wrong = found["parity" if batch == 2 else "shapes"]
    assert wrong.outcome is Outcome.FAILED
    assert wrong.worst is not None
    assert wrong.worst.difference == 12345.0


def test_a_real_input_comes_first_however_few_cases_there_are() -> None:
    real = {"x": torch.full((2, 7), 12345.0)}
    found = judge(WrongForReal(), rows()(), examples=[real], checks="parity", max_examples=1)["parity"]
    assert found.outcome is Outcome.FAILED
    assert dict(found.rows)["counterexample"].startswith("example 0")


def test_the_users_strategy_decides_what_is_drawn() -> None:
    drawn = st.just(torch.full((2, 7), 12345.0))
    found = judge(WrongForReal(), rows()(), strategies={"x": drawn}, dynamic_shapes={}, checks="parity")["parity"]
    assert found.outcome is Outcome.FAILED
