"""Passes a test's compiler arguments to its backend, and says what the artifacts of a compiler run on."""

from __future__ import annotations

from dataclasses import replace

from pytest_tsexport.backends.base import Backend, Compilation, Compiler, Device
from pytest_tsexport.backends.casting import Casting
from pytest_tsexport.config.policy import Policy
from pytest_tsexport.errors import ExportError, PolicyError
from pytest_tsexport.exporting.artifact import Artifact
from pytest_tsexport.exporting.export_model import Made
from pytest_tsexport.subjects.subject import Subject


def compiling(backend: Backend, policy: Policy, subject: Subject, processes: int) -> Backend:
    """A compiler with the arguments of the test; any other backend unchanged. Raises `PolicyError`, one sentence."""
    if not isinstance(backend, Compiler):
        return backend
    wanted = Compilation(
        args=policy.options.neuron_args or (), dynamic_batch=_varies(backend, policy, subject), processes=processes
    )
    try:
        return backend.compiling(wanted)
    except ExportError as error:
        raise PolicyError(str(error)) from None


def _varies(backend: Backend, policy: Policy, subject: Subject) -> bool:
    """Whether the first dimension of every input is one axis whose contract is `dynamic`."""
    first = {field.dims[0] if field.dims else None for field in subject.fields}
    axes = [axis for axis in subject.axes if first == {axis.name}]
    return any(
        policy.meaning.contract_of(axis.name, named=axis.named, default=backend.contract) == "dynamic" for axis in axes
    )


def runs_on(made: Made, artifact: Artifact) -> Device | None:
    """What the artifact of a compiler runs on; a file that was compiled earlier keeps the casting in its manifest."""
    if not isinstance(made.backend, Compiler):
        return None
    device, compiled = made.backend.device(), artifact.manifest.get("casting")
    if not made.process.given:
        return device
    casting = device.casting if compiled is None else Casting(**compiled)
    return replace(device, casting=casting, remarks=(f"compiled earlier, --auto-cast {casting}",))
