"""The `neuron-sim` backend: a SIMULATION of Neuron on the CPU, for machines without the SDK and the chip."""

from __future__ import annotations

import torch

from pytest_tsexport.backends.base import Compilation, Compiler, Device, bind
from pytest_tsexport.backends.casting import Casting, casting_of
from pytest_tsexport.backends.simulator import compiler
from pytest_tsexport.backends.simulator.device import NAMESPACE, register
from pytest_tsexport.backends.torchscript.format import TorchScript
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import detached
from pytest_tsexport.tensors.weights import untie


class NeuronSim:
    """Compiles by the simulation. A pass here is not a pass on Neuron."""

    name = "neuron-sim"
    contract = "fixed"
    isolated = False
    format = TorchScript()

    def __init__(self, wanted: Compilation | None = None) -> None:
        self._wanted = wanted or Compilation()

    def compiling(self, wanted: Compilation) -> Compiler:
        """This backend with compiler arguments. Raises `ExportError` for a casting that is not simulated."""
        compiler.casting(wanted.args)
        return NeuronSim(wanted)

    def why_unavailable(self) -> str | None:
        """Always available: every machine has a CPU."""
        return None

    def device(self) -> Device:
        """The CPU, which plays the chip."""
        casting = casting_of(self._wanted.args, Casting())
        return Device(
            namespace=NAMESPACE,
            prologue=f"import {register.__module__}",
            casting=casting,
            remarks=(f"--auto-cast {casting}", *compiler.ignored(self._wanted.args)),
        )

    def why_not_run(self, error: Exception) -> str | None:  # noqa: ARG002  # required by the protocol
        """Its artifacts run on every machine."""
        return None

    def trace(self, subject: Subject) -> torch.jit.ScriptModule:
        """The model as the simulation compiles it; `subject.model` is not changed."""
        bound = bind(untie(subject.model), tuple(subject.inputs), subject.constants).eval()
        inputs = tuple(detached(subject.inputs).values())
        made = compiler.trace(bound, inputs, compiler_args=self._wanted.args)
        return compiler.dynamic_batch(made) if self._wanted.dynamic_batch else made
