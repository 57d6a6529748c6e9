"""Passes a test's compiler arguments to its backend, and says what the artifacts of a compiler run on."""

from __future__ import annotations

from collections.abc import Iterator
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
    batches = list(_dynamic_batches(backend, policy, subject))
    return bool(batches) and not _without(batches[0], subject)


def _dynamic_batches(backend: Backend, policy: Policy, subject: Subject) -> Iterator[str]:
    """The axes that are the first dimension of an input and whose contract is `dynamic`."""
    first = {field.dims[0] for field in subject.fields if field.dims}
    for axis in subject.axes:
        contract = policy.meaning.contract_of(axis.name, named=axis.named, default=backend.contract)
        if axis.name in first and contract == "dynamic":
            yield axis.name


def _without(axis: str, subject: Subject) -> list[str]:
    """The inputs whose first dimension is another one: with them a compiler cannot cut a batch into slices."""
    return [field.name for field in subject.fields if field.dims[:1] != (axis,)]


def runs_on(made: Made, artifact: Artifact, policy: Policy) -> Device | None:
    """What the artifact of a compiler runs on; a file that was compiled earlier keeps the casting in its manifest."""
    if not isinstance(made.backend, Compiler):
        return None
    device, compiled = made.backend.device(), artifact.manifest.get("casting")
    if not made.process.given:
        return _with_batching(device, made, policy)
    casting = device.casting if compiled is None else Casting(**compiled)
    return replace(device, casting=casting, remarks=(f"compiled earlier, --auto-cast {casting}",))


def _with_batching(device: Device, made: Made, policy: Policy) -> Device:
    """The device, and whether a batch is computed in slices there; a remark says why not, if a test asks for it."""
    axis = next(_dynamic_batches(made.backend, policy, made.subject), None)
    if axis is None:
        return device
    without = _without(axis, made.subject)
    if not without:
        return replace(device, dynamic_batch=True)
    why = f"dynamic batching is off: {', '.join(without)} has no {axis} as its first dimension"
    return replace(device, why_batch_is_fixed=why, remarks=(*device.remarks, why))
