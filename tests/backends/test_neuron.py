"""Proves that the backend calls an SDK as documented, from the compiler arguments to the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.neuron import Neuron
from pytest_tsexport.tensors.fingerprint import Fingerprint
from pytest_tsexport.testing import judge, right_outputs, right_sizes, wrong_values
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Inputs, ids, masked_ids, rows, two_rows
from tests.backends.conftest import Installed, accused, exported
from tests.subjects.families import build as family

SDKS = ("neuronx", "independent", "neuron")
QUICK: dict[str, Any] = {"max_examples": 20, "checks": "-round_trip"}
MODELS = (
    (made.TiedHead, ids()),
    (made.TwoOutputs, rows()),
    (made.TwoInputs, two_rows()),
    (wrong_values.MaskedMean, masked_ids()),
    (right_sizes.Attends, rows(2, 7, 4)),
    (right_sizes.Recurrent, rows(2, 7, 4)),  # torch warns while it is traced
    (right_outputs.NestedOutputs, rows()),
)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("model", MODELS, ids=lambda pair: pair[0].__name__)
@pytest.mark.parametrize("name", SDKS)
def test_right_models_pass(sdk: Installed, name: str, model: Any) -> None:
    sdk(name)
    assert accused(judge(model[0](), model[1](), backend="neuron", **QUICK)) == {}


@pytest.mark.parametrize("name", SDKS)
def test_bert_passes_every_check(sdk: Installed, name: str) -> None:
    """They include a fresh process that imports the SDK."""
    sdk(name)
    found = judge(family("bert"), backend="neuron", max_examples=20)
    assert accused(found) == {}
    assert found["round_trip"].headline == "runs with torch and the operators of neuron, bit for bit the same"


@pytest.mark.parametrize("name", SDKS)
def test_the_source_does_not_change(sdk: Installed, name: str) -> None:
    sdk(name)
    model = made.TiedHead().train()
    before = Fingerprint.of(model)
    exported(model, ids()()).close()
    assert before.changes(Fingerprint.of(model)) == ()
    assert model.training


class Named(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": x.tanh(), "hidden": x.sin()}


@pytest.mark.parametrize("name", SDKS)
def test_outputs_keep_their_names(sdk: Installed, name: str) -> None:
    sdk(name)
    found = judge(Named(), rows()(), backend="neuron", **QUICK)
    assert accused(found) == {}
    assert found["parity"].signature == "x f32 -> logits f32, hidden f32"


@pytest.mark.parametrize("given", ["--optlevel 1 --auto-cast none", ["--optlevel", "1", "--auto-cast", "none"]])
@pytest.mark.parametrize("there", [True, False], ids=["device", "no device"])
def test_compiler_arguments_of_the_marker_are_passed_on(sdk: Installed, given: object, *, there: bool) -> None:
    sdk("neuronx")
    sdk.device(there=there)
    assert accused(judge(made.Plain(), rows()(), backend="neuron", neuron_args=given, checks="trace")) == {}
    (call,) = sdk.calls
    assert call["args"] == ["--optlevel", "1", "--auto-cast", "none", *([] if there else ["--target", "inf2"])]
    assert call["cpu_backend"] is not there


def test_a_target_of_the_user_is_the_only_one(sdk: Installed) -> None:
    sdk("neuronx")
    judge(made.Plain(), rows()(), backend="neuron", neuron_args="--target=trn1 --target trn2", checks="trace")
    assert sdk.calls[0]["args"] == ["--target=trn1", "--target", "trn2"]


def test_inf1_gets_its_own_keywords(sdk: Installed) -> None:
    sdk("neuron")
    keywords: dict[str, Any] = {"neuron_args": "--fast-math none", "shapes": {"batch": "dynamic"}}
    assert accused(judge(made.Plain(), rows()(), backend="neuron", **QUICK, **keywords)) == {}
    assert sdk.calls == [
        {"call": "trace", "args": ["--fast-math", "none"], "keywords": ["compiler_args", "dynamic_batch_size"]}
    ]


def test_compiler_arguments_of_the_option_are_passed_on(sdk: Installed, pytester: pytest.Pytester) -> None:
    sdk("neuronx")
    pytester.makepyfile(
        """
        import pytest
        import torch

        @pytest.mark.torchscript(neuron_args="--optlevel 3", checks=["trace"])
        def test_it():
            return torch.nn.Tanh(), {"input": torch.randn(2, 7)}
        """
    )
    pytester.runpytest("--ts-backend=neuron", "--ts-neuron-args=--optlevel 1 --target trn1").assert_outcomes(passed=1)
    assert sdk.calls[0]["args"] == ["--optlevel", "1", "--target", "trn1"]


@pytest.mark.parametrize("name", SDKS)
def test_with_dynamic_batching_each_row_equals_eager(sdk: Installed, name: str) -> None:
    sdk(name)
    model = made.TiedHead().eval()
    at_traced = ids()()["ids"]
    given = exported(model, {"ids": at_traced}, shapes={"batch": "dynamic"})
    rows_of = torch.randint(0, 50, (5, 7))
    (answer,) = given.module(rows_of)
    eager = torch.cat([model(row[None]) for row in rows_of])
    torch.testing.assert_close(answer, eager.detach(), atol=0.3 if name == "neuron" else 1e-5, rtol=0)
    with pytest.raises((RuntimeError, ValueError)):
        given.module(torch.randint(0, 50, (2, 6)))
    given.close()


@pytest.mark.parametrize("name", SDKS)
def test_without_dynamic_batching_another_batch_raises(sdk: Installed, name: str) -> None:
    sdk(name)
    given = exported(made.TiedHead(), ids()())
    with pytest.raises((RuntimeError, ValueError)):
        given.module(torch.randint(0, 50, (3, 7)))
    given.close()


@pytest.mark.parametrize(
    ("name", "version", "casting"),
    [
        ("neuronx", "2.8.0.2.10.16998", "matmult bf16"),
        ("neuronx", "2.9.0.2.11.1", "none"),
        ("neuronx", "2.9.0.2.15.32035", "none"),
        ("neuron", "1.13.1.2.11.13.0", "all bf16"),
    ],
)
def test_the_default_casting_follows_from_the_version(sdk: Installed, name: str, version: str, casting: str) -> None:
    sdk(name, version=version)
    assert str(Neuron().device().casting) == casting
    found = judge(made.TiedHead(), ids()(), backend="neuron", **QUICK)
    assert accused(found) == {}
    assert found["trace"].notes[0].endswith(f"{version}, --auto-cast {casting}")


def test_a_requested_cast_is_not_a_fault(sdk: Installed) -> None:
    """In `test_neuron_faults.py` the same cast without a request is a fault."""
    sdk("neuronx", "drifted_cast")
    asked = judge(made.TiedHead(), ids()(), backend="neuron", neuron_args="--auto-cast matmult", **QUICK)
    assert accused(asked) == {}


def test_a_file_written_by_the_call_of_inf1_is_judged(sdk: Installed) -> None:
    """As in `torch.neuron.trace(model, [token_tensor, segments_tensors])`."""
    sdk("neuron")

    def compile_it(model: nn.Module, inputs: Inputs, path: Path) -> None:
        torch.neuron.trace(model, list(inputs.values())).save(str(path))  # type: ignore[attr-defined]

    found = judge(made.TwoInputs(), two_rows()(), backend="neuron", export=compile_it, **QUICK)
    assert accused(found) == {}
    assert sdk.calls[0]["keywords"] == []


class Unused(nn.Module):
    """Takes an input that it does not use, with another size."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = made.Plain()

    def forward(self, x: torch.Tensor, unused: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.inner(x)
        return answer


@pytest.mark.parametrize("name", ["independent", "neuronx"])
def test_a_dropped_input_keeps_its_size(name: str, sdk: Installed) -> None:
    sdk(name)
    inputs = {**rows()(), "unused": torch.ones(5)}
    found = judge(Unused(), inputs, backend="neuron", checks=["trace", "shapes"], max_examples=20)
    assert not accused(found)
    assert "unused is dropped: the answer does not depend on it" in found["trace"].notes
