"""Proves that a model is bound by name, flattened and traced, and that only torch's own deprecation is ignored."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from pytest_tsexport import backends
from pytest_tsexport.backends.base import Backend, bind
from pytest_tsexport.backends.jit import Jit
from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.errors import PolicyError
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.testing import Faulty, Refuses, Unavailable, right_outputs
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Inputs, ids, rows


def subject_of(model: nn.Module, inputs: Inputs) -> Subject:
    return build(model, Meaning(inputs=inputs), name="it")


def arguments(module: torch.jit.ScriptModule) -> list[str]:
    return [argument.name for argument in module.forward.schema.arguments[1:]]  # type: ignore[attr-defined]


def test_the_arguments_of_the_export_have_the_names_of_the_model() -> None:
    inputs = {"temperature": torch.tensor(0.5), "x": rows()()["x"]}
    traced = Jit().trace(subject_of(right_outputs.ScalarInput(), inputs))
    assert arguments(traced) == ["x", "temperature"]


def test_a_keyword_only_argument_is_bound() -> None:
    traced = Jit().trace(subject_of(right_outputs.KeywordOnly(), rows()()))
    assert arguments(traced) == ["x"]
    assert torch.equal(traced(rows()()["x"])[0], rows()()["x"] * 2)


def test_the_output_is_a_flat_tuple_of_tensors() -> None:
    subject = subject_of(right_outputs.NestedOutputs(), rows()())
    answer = Jit().trace(subject)(*subject.inputs.values())
    assert isinstance(answer, tuple)
    assert len(answer) == len(subject.outputs) == 4
    assert all(isinstance(leaf, torch.Tensor) for leaf in answer)


def test_constants_are_baked_in() -> None:
    class Scales(nn.Module):
        def forward(self, x: torch.Tensor, *, twice: bool = False) -> torch.Tensor:
            return x * 2 if twice else x

    x = rows()()["x"]
    (answer,) = bind(Scales(), ["x"], {"twice": True})(x)
    assert torch.equal(answer, x * 2)


def test_two_bindings_do_not_share_a_signature() -> None:
    one, two = bind(made.Plain(), ["x"], {}), bind(made.TwoInputs(), ["x", "y"], {})
    assert type(one) is not type(two)


def test_dropout_is_not_baked_in_and_no_gradient_is_needed() -> None:
    model = nn.Sequential(nn.Linear(7, 7), nn.Dropout(0.9)).train()
    subject = subject_of(model, {"input": rows()()["x"]})
    traced = Jit().trace(subject)
    (answer,) = traced(rows()()["x"])
    assert torch.allclose(answer, model[0](rows()()["x"]))
    assert model.training
    assert not traced.training


def test_the_traced_module_has_no_tied_weights_and_the_source_has() -> None:
    model = made.TiedHead()
    traced = Jit().trace(subject_of(model, ids()()))
    addresses = [parameter.data_ptr() for _, parameter in traced.named_parameters()]
    assert len(addresses) == len(set(addresses)) == 3
    assert model.head.weight is model.embed.weight


def test_inputs_are_not_overwritten_by_tracing() -> None:
    class Overwrites(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mul_(0)

    subject = subject_of(Overwrites(), rows()())
    Jit().trace(subject)
    assert bool(subject.inputs["x"].any())


@pytest.mark.parametrize(
    ("message", "category", "ignored"),
    [
        ("`torch.jit.trace` is deprecated. Please switch to `torch.compile`.", DeprecationWarning, True),
        ("`torch.jit.save` is deprecated. Please switch to `torch.export`.", FutureWarning, True),
        ("`torch.jit.load` is not supported in Python 3.14+ and may break.", DeprecationWarning, True),
        ("`torch.jit.trace` is deprecated.", UserWarning, False),
        ("`torch.load` is deprecated.", FutureWarning, False),
        ("the model's `torch.jit.trace` is deprecated", DeprecationWarning, False),
        ("something else", DeprecationWarning, False),
    ],
)
def test_only_torchs_own_deprecation_is_ignored(message: str, category: type[Warning], *, ignored: bool) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with torch_jit_allowed():
            warnings.warn(message, category, stacklevel=1)
    assert (caught == []) is ignored


def test_a_backend_is_found_by_name_by_path_and_as_an_object() -> None:
    assert backends.found("jit").name == "jit"
    assert backends.found("pytest_tsexport.backends.jit:Jit").name == "jit"
    own = Faulty("mine", lambda model: model)
    assert backends.found(own) is own


@pytest.mark.parametrize(
    ("backend", "text"),
    [
        ("neurone", "^backend 'neurone' is not known; use one of jit, neuron, neuron-sim, or module:Class$"),
        (3, r"^3 is not a backend; it needs name, contract, why_unavailable\(\) and trace\(subject\)$"),
        ("pathlib:Path", "is not a backend; it needs name, contract"),
    ],
)
def test_an_object_that_is_not_a_backend_is_refused_in_a_sentence(backend: object, text: str) -> None:
    with pytest.raises(PolicyError, match=text):
        backends.found(backend)


@pytest.mark.parametrize("backend", [Jit(), Faulty("mine", lambda model: model), Unavailable(), Refuses()])
def test_the_backends_of_the_kit_are_backends(backend: object) -> None:
    assert isinstance(backend, Backend)
