"""Proves that operators are read from a loaded file or from a trace of the model, which reports nothing itself."""

from __future__ import annotations

import warnings

import torch
from torch import nn

from pytest_tsexport.backends.jit import Jit
from pytest_tsexport.backends.torchscript.inspector import TorchScriptInspector
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_sizes
from pytest_tsexport.testing.specimen import rows


def subject_of(model: nn.Module) -> Subject:
    return build(model, Meaning(inputs=rows()()), name="it")


def test_operators_are_named_without_their_namespace() -> None:
    module = Jit().trace(subject_of(made.TwoOutputs()))
    assert TorchScriptInspector().operators(module) == {"tanh", "sin", "mul"}


def test_operators_of_submodules_count() -> None:
    assert "linear" in TorchScriptInspector().operators(Jit().trace(subject_of(made.Plain())))


def test_operators_of_a_model_are_those_of_its_trace_without_its_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = TorchScriptInspector().model_operators(subject_of(wrong_sizes.BakesBatch()))
    assert found


def test_a_model_that_cannot_be_traced_has_no_known_operators() -> None:
    assert TorchScriptInspector().model_operators(subject_of(made.CannotTrace())) == frozenset()


def test_a_module_that_is_not_a_script_module_has_no_steps_and_no_numbers() -> None:
    assert TorchScriptInspector().numbers(nn.Linear(7, 7)) == frozenset()  # type: ignore[arg-type]
    assert TorchScriptInspector().graph(nn.Linear(7, 7), 1) is None  # type: ignore[arg-type]


def test_a_model_that_raises_at_other_inputs_has_no_steps() -> None:
    subject = subject_of(made.Plain())
    assert TorchScriptInspector().retraced(subject, {"x": torch.zeros(2, 3)}) is None
    assert TorchScriptInspector().retraced(subject, {"x": torch.zeros(3, 7)}) is not None
