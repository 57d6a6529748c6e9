"""evidence -> rows: what a compiler did silently, or only warned about, and where each output is computed.

A device's operators are looked up in the file's code, which can be read even where the file cannot be loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch

from pytest_tsexport.backends.base import Device
from pytest_tsexport.cases.case import at, tensors
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.diagnosis.inputs_left_out import moves_with
from pytest_tsexport.exporting.diagnostics import DROPPED, FELL_BACK, UNKNOWN
from pytest_tsexport.verdict import Row

FIXES = {
    "made": "fix what the compiler refused (see its log), or leave this backend out for the model",
    "given": "give a file that this backend made: --ts-export-dir keeps those that it makes",
}

BEYOND_32_BITS = -(2**40) - 3
"""An integer that 32 bits do not hold. A positive one might be a length, and eager would allocate a tensor of it."""

Rows = list[Row]
"""A headline under an empty label, and the rows below it."""


def fault(evidence: Evidence) -> Rows | None:
    """Why the file is not the compiled model; None if it is, or if no compiler is involved."""
    if evidence.device is None:
        return None
    device = evidence.device
    return _on_cpu(evidence, device) or _ignored(evidence) or _not_from_device(evidence, device) or _dropped(evidence)


def remarks(evidence: Evidence) -> tuple[str, ...]:
    """Notes on a right one: versions, casting, dropped inputs that the answer does not depend on."""
    if evidence.device is None:
        return ()
    unused = [f"{name} is dropped: the answer does not depend on it" for name in dropped(evidence)]
    return (*evidence.device.remarks, *unused)


def differs_beyond_32_bits(evidence: Evidence) -> tuple[str, ...]:
    """Notes on integer inputs that eager takes beyond 32 bits and for which the artifact differs from it."""
    if evidence.device is None:
        return ()
    fields = [field for field in evidence.subject.fields if field.domain.dtype == torch.int64]
    free = [field.name for field in fields if field.domain.open_ended]
    return tuple(
        f"differs from eager for {name} past 2^31: a device computes in 32 bits"
        for name in free
        if _differs_at(evidence, name, BEYOND_32_BITS)
    )


def _differs_at(evidence: Evidence, name: str, number: int) -> bool:
    inputs = dict(tensors(at(evidence.subject, {}), evidence.subject))
    inputs[name] = torch.full_like(inputs[name], number)
    eager = evidence.reference.case(inputs)[0].leaves
    if eager is None:
        return False
    answered = evidence.runner.case(inputs, 1)[0].leaves
    return answered is None or difference(eager, answered, evidence.tolerance) is not None


def is_compiled(evidence: Evidence) -> bool:
    """Whether the file holds an operator of its device; True if it needs no device."""
    device = evidence.device
    return device is None or evidence.artifact.calls_operators_of(device.namespace)


def _on_cpu(evidence: Evidence, device: Device) -> Rows | None:
    fell = next(_said(evidence, FELL_BACK), None)
    compiled = is_compiled(evidence)
    if compiled and fell is None:
        return None
    headline = f"the compiler fell back: {'part of it' if compiled else 'it'} runs on the CPU"
    return [
        ("", "the file was not compiled for this device" if evidence.process.given else headline),
        ("in the file", "operators of the device and of the CPU" if compiled else f"no operator {device.namespace}::…"),
        *([("said", fell.string)] if fell is not None else []),
        ("fix", FIXES["given" if evidence.process.given else "made"]),
    ]


def _ignored(evidence: Evidence) -> Rows | None:
    warned = next(_said(evidence, UNKNOWN), None)
    if warned is None:
        return None
    fix = "give arguments that this version of the compiler knows; it ignores the others"
    return [("", "the compiler ignored arguments that it does not know"), ("said", warned.string), ("fix", fix)]


def _not_from_device(evidence: Evidence, device: Device) -> Rows | None:
    """An output that does not depend on any operator of the device: other code computed it."""
    if not evidence.runs:
        return None
    inspector = evidence.artifact.format.inspector
    behind = inspector.provenance(evidence.runner.module, len(evidence.artifact.arguments))
    elsewhere = [
        place
        for place, one in enumerate(behind)
        if one.is_computed_by_torch and not one.is_computed_by(device.namespace)
    ]
    if not elsewhere:
        return None
    names = evidence.subject.outputs
    outputs = ", ".join(names[place] if len(names) == len(behind) else f"output {place}" for place in elsewhere)
    return [
        ("", "an output does not come from the compiled part"),
        ("in the file", f"{outputs}: computed by torch's own operators alone"),
        ("fix", "export the compiled module itself, with no CPU code beside it"),
    ]


def _dropped(evidence: Evidence) -> Rows | None:
    """An input that the compiler dropped although eager's answer moves with it."""
    moving = next((name for name in dropped(evidence) if moves_with(evidence, name)), None)
    if moving is None:
        return None
    return [
        ("", f"the compiler dropped {moving} as unused, but eager's answer depends on it"),
        ("fix", "look in forward for Python that reads its values: .item(), nonzero(), an if on them"),
    ]


def dropped(evidence: Evidence) -> Iterator[str]:
    """The inputs that the compiler said it dropped."""
    names = tuple(evidence.subject.inputs)
    for found in _said(evidence, DROPPED):
        if int(found[1]) < len(names):
            yield names[int(found[1])]


def _said(evidence: Evidence, pattern: str) -> Iterator[re.Match[str]]:
    """Where the compiler said so; its whole text is the `string` of the match."""
    searched = (re.search(pattern, text, re.IGNORECASE | re.DOTALL) for text in evidence.process.compiler_messages)
    return (found for found in searched if found is not None)
