"""The `neuron` backend: the AWS Neuron SDK, by `torch_neuronx.trace`, or by `torch_neuron.trace` on Inf1.

The SDK is given the model itself, as users give it. It runs in an isolated process, where its changes of the model are
recorded.
"""

from __future__ import annotations

import os

import torch

from pytest_tsexport.backends import neuron_sdk
from pytest_tsexport.backends.base import Compilation, Compiler, Device, bind, evaluating
from pytest_tsexport.backends.casting import Casting, casting_of
from pytest_tsexport.backends.neuron_sdk import TARGET, find, has_device, the_sdk
from pytest_tsexport.backends.torchscript.format import TorchScript
from pytest_tsexport.errors import ExportError
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import detached


class Neuron:
    """Compiles by the SDK: other sizes than the traced one raise; with dynamic batching, a batch is cut into slices."""

    name = "neuron"
    contract = "fixed"
    isolated = True
    format = TorchScript()

    def __init__(self, wanted: Compilation | None = None) -> None:
        self._wanted = wanted or Compilation()

    def compiling(self, wanted: Compilation) -> Compiler:
        """This backend with compiler arguments. Raises `ExportError` for a casting that no compiler knows."""
        if wanted.processes > 1 and "NEURON_RT_VISIBLE_CORES" not in os.environ:
            # A process takes every core of the machine, and keeps it. (See docs/explanation/neuron-sdk.md#devices.)
            os.environ.setdefault("NEURON_RT_NUM_CORES", "1")
        casting_of(wanted.args, Casting())
        return Neuron(wanted)

    def why_unavailable(self) -> str | None:
        """Why no SDK can be used; None if there is one, which is imported here, so that its files can be loaded."""
        sdk = find()
        if not isinstance(sdk, str):
            return None
        wanted = "install torch_neuronx or torch_neuron with trace() and a version of 1.13 or newer"
        return f"no Neuron SDK is here ({sdk}); {wanted}, or rehearse on the CPU with --ts-backend=neuron-sim"

    def device(self) -> Device:
        """The chip that the SDK compiles for."""
        sdk, args = the_sdk(), self._wanted.args
        casting = casting_of(args, sdk.default_casting(args))
        target = (
            (f"compiled for {TARGET}: this machine has no device, and no --target is given",)
            if sdk.target(args)
            else ()
        )
        remarks = (f"{sdk.name} {sdk.version}, --auto-cast {casting}", *target)
        return Device(namespace="neuron", prologue=sdk.prologue, casting=casting, remarks=remarks)

    def why_not_run(self, error: Exception) -> str | None:
        """A sentence if the kernel knows no device: without one every artifact raises, whether it is right or not."""
        if has_device():
            return None
        raised = f"{neuron_sdk.DEVICES} knows no neuron device, and running it raised {self.format.one_line(error)}"
        return f"a compiled file cannot run here: {raised}"

    def trace(self, subject: Subject) -> torch.jit.ScriptModule:
        """The compiled model. Raises whatever the SDK raises."""
        inputs = tuple(detached(subject.inputs).values())
        with evaluating(subject.model):
            bound = bind(subject.model, tuple(subject.inputs), subject.constants)
            bound.train(subject.model.training)
            made = the_sdk().trace(bound, inputs, self._wanted.args, batch=self._wanted.dynamic_batch)
        if not isinstance(made, torch.jit.ScriptModule):
            raise ExportError(f"the SDK's trace() returned a {type(made).__name__}, not a ScriptModule")
        return made
