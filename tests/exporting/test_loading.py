"""Proves that a file is opened for the backend that made it, and a simulated file for its simulation only."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_tsexport import validate
from pytest_tsexport.backends.base import Compilation
from pytest_tsexport.backends.jit import Jit
from pytest_tsexport.backends.neuron_sim import NeuronSim
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.exporting.export_model import Job, trace
from pytest_tsexport.exporting.loading import opened
from pytest_tsexport.subjects.build import build
from pytest_tsexport.testing import judge
from pytest_tsexport.testing.specimen import rows
from pytest_tsexport.testing.wrong_exports import Plain
from pytest_tsexport.verdict import Outcome


class Talks(nn.Module):
    """Issues warnings and log lines that a compiler might issue too."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Plain()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        warnings.warn("no fast kernel is here, falling back to the slow one", stacklevel=1)
        logging.getLogger("model").warning("sdpa: falling back to eager attention")
        answer: torch.Tensor = self.inner(x)
        return answer


@pytest.fixture
def simulated(tmp_path: Path) -> Path:
    subject = build(Plain(), Meaning(inputs=rows()()), name="it")
    made = trace(subject, Job(tmp_path / "it.pt", NeuronSim(), timeout=60))
    assert made.artifact is not None
    return made.artifact.path


def test_a_simulated_file_is_judged_on_its_simulation_only(simulated: Path) -> None:
    assert opened(simulated, NeuronSim())[1] is None
    with pytest.raises(ArtifactError, match="was made by neuron-sim, a simulation; judge it on neuron-sim alone"):
        opened(simulated, Jit())


def test_a_simulated_file_that_does_not_load_is_named_too(simulated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **keywords: object) -> None:
        raise RuntimeError("Unknown builtin op: neuron_sim::forward_v2.")

    monkeypatch.setattr(torch.jit, "load", unknown)
    with pytest.raises(ArtifactError, match="was made by neuron-sim, a simulation; judge it on neuron-sim alone"):
        opened(simulated, Jit())


@pytest.mark.parametrize("kind", ["neuron_sim", "torchvision"])
def test_a_file_that_needs_an_import_is_at_fault_on_every_machine(
    kind: str, simulated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine is not at fault, so its checks are not unavailable."""

    class Strict(NeuronSim):
        def why_not_run(self, error: Exception) -> str | None:
            return "no file runs here"

    def unknown(*args: object, **keywords: object) -> None:
        raise RuntimeError(f"Unknown builtin op: {kind}::of_another.")

    monkeypatch.setattr(torch.jit, "load", unknown)
    with pytest.raises(ArtifactError, match=f"needs the operator {kind}::of_another"):
        opened(simulated, Strict())


@pytest.mark.parametrize("cast", ["none", "matmult"])
def test_a_file_keeps_the_casting_it_was_compiled_with(cast: str, tmp_path: Path) -> None:
    subject = build(Plain(), Meaning(inputs=rows()()), name="it")
    backend = NeuronSim().compiling(Compilation(args=(f"--auto-cast={cast}",)))
    made = trace(subject, Job(tmp_path / "it.pt", backend, timeout=60))
    assert made.artifact is not None
    model = subject.model
    (verdict, *_) = validate(model, rows()(), artifact=made.artifact.path, backends=["neuron-sim"], checks=["trace"])
    assert verdict.notes[0].startswith(f"compiled earlier, --auto-cast {cast}")


@pytest.mark.filterwarnings("ignore:no fast kernel")
def test_messages_of_the_model_are_not_messages_of_the_compiler() -> None:
    found = judge(Talks(), rows()(), backend="neuron-sim", max_examples=10, checks=["trace", "parity"])
    assert {one.outcome for one in found.values()} == {Outcome.PASSED}


def test_arguments_that_are_not_simulated_are_reported() -> None:
    found = judge(Plain(), rows()(), backend="neuron-sim", checks=["trace"], neuron_args="--autocast all --optlevel 2")
    assert "neuron-sim ignores --autocast, --optlevel" in found["trace"].notes
