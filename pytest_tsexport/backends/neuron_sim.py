"""subject -> traced module, by the stand-in for Neuron: a SIMULATION on the CPU, for machines without SDK and chip."""

from __future__ import annotations

import torch

from pytest_tsexport.backends.base import Compilation, Compiler, Device, bind
from pytest_tsexport.backends.casting import Casting, casting_of
from pytest_tsexport.backends.simulator import compiler
from pytest_tsexport.backends.simulator.device import NAMESPACE, register
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import detached
from pytest_tsexport.tensors.weights import untie


class NeuronSim:
    """The `neuron-sim` backend: what holds of it is a rehearsal, and no pass on Neuron."""

    name = "neuron-sim"
    contract = "fixed"
    isolated = False

    def __init__(self, wanted: Compilation | None = None) -> None:
        self._wanted = wanted or Compilation()

    def compiling(self, wanted: Compilation) -> Compiler:
        """This backend with compiler arguments. Raises `ExportError` for a casting that it does not stand for."""
        compiler.casting(wanted.args)
        return NeuronSim(wanted)

    def why_unavailable(self) -> str | None:
        """Never: every machine has a CPU."""
        return None

    def device(self) -> Device:
        """The CPU, in the part of a chip."""
        casting = casting_of(self._wanted.args, Casting())
        return Device(
            namespace=NAMESPACE,
            prologue=f"import {register.__module__}",
            casting=casting,
            remarks=(f"--auto-cast {casting}", *compiler.unheeded(self._wanted.args)),
        )

    def why_not_run(self, error: Exception) -> str | None:  # noqa: ARG002  # the protocol's
        """Never: every machine has a CPU."""
        return None

    def trace(self, subject: Subject) -> torch.jit.ScriptModule:
        """The model as the stand-in compiles it; `subject.model` is left alone."""
        bound = bind(untie(subject.model), tuple(subject.inputs), subject.constants).eval()
        inputs = tuple(detached(subject.inputs).values())
        made = compiler.trace(bound, inputs, compiler_args=self._wanted.args)
        return compiler.dynamic_batch(made) if self._wanted.dynamic_batch else made
