"""evidence -> rows: what a compiler did without a word, or with a word in a warning: where does the answer come from?

A device's operators are looked for in the file's code, which can be read where the file cannot be loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch

from pytest_tsexport.backends.base import Device
from pytest_tsexport.backends.dataflow import reaches
from pytest_tsexport.cases.case import at, tensors
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.exporting.diagnostics import DROPPED, FELL_BACK, UNKNOWN
from pytest_tsexport.verdict import Row

FIXES = {
    "made": "fix what the compiler refused, which its log tells, or leave this backend out for the model",
    "given": "give a file that this backend made: --ts-export-dir keeps those that it makes",
}

TRIES = 8
"""Times that an input is drawn anew, to see whether eager's answer moves."""

WIDE = -(2**40) - 3
"""A whole number that 32 bits do not hold. A positive one might be a length, which eager would make a tensor of."""

Rows = list[Row]
"""A headline under an empty label, and the rows below it."""


def fault(evidence: Evidence) -> Rows | None:
    """What makes the file another thing than a compiled model; None for a file that needs no compiler."""
    if evidence.device is None:
        return None
    device = evidence.device
    return _on_cpu(evidence, device) or _ignored(evidence) or _not_from_device(evidence, device) or _dropped(evidence)


def remarks(evidence: Evidence) -> tuple[str, ...]:
    """What is worth telling of a right one: versions, casting, inputs that were dropped and that nothing depends on."""
    if evidence.device is None:
        return ()
    unused = [f"{name} is dropped: the answer does not depend on it" for name in dropped(evidence)]
    return (*evidence.device.remarks, *unused)


def wide(evidence: Evidence) -> tuple[str, ...]:
    """Inputs of whole numbers that eager takes beyond 32 bits, where the artifact answers otherwise; a note."""
    if evidence.device is None:
        return ()
    fields = [field for field in evidence.subject.fields if field.domain.dtype == torch.int64]
    free = [field.name for field in fields if field.domain.open_ended]
    return tuple(
        f"answers otherwise than eager to {name} past 2^31: a device computes in 32 bits"
        for name in free
        if _differs_at(evidence, name, WIDE)
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
    """Whether the file holds an operator of its device; true of one that needs no device."""
    device = evidence.device
    return device is None or re.search(rf"\bops\.{device.namespace}\.", evidence.artifact.code) is not None


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
    heard = next(_said(evidence, UNKNOWN), None)
    if heard is None:
        return None
    fix = "give what this version of the compiler takes; an option that it does not know changes nothing"
    return [("", "the compiler ignored arguments that it does not know"), ("said", heard.string), ("fix", fix)]


def _not_from_device(evidence: Evidence, device: Device) -> Rows | None:
    """An answer that no operator of the device stands behind: other code worked it out."""
    if not evidence.runs:
        return None
    graph = evidence.runner.module.inlined_graph
    behind = reaches(graph, len(evidence.artifact.arguments))
    elsewhere = [place for place, one in enumerate(behind) if _is_computed(one.kinds, device.namespace)]
    if not elsewhere:
        return None
    names = evidence.subject.outputs
    told = ", ".join(names[place] if len(names) == len(behind) else f"output {place}" for place in elsewhere)
    return [
        ("", "an answer does not come from the compiled part"),
        ("in the file", f"{told}: made by torch's own operators alone"),
        ("fix", "export the compiled module itself, with no code of the CPU's beside it"),
    ]


def _is_computed(kinds: frozenset[str], namespace: str) -> bool:
    """Whether torch's own operators made it; an input handed through, and a constant, are made by none."""
    return not any(kind.startswith(f"{namespace}::") for kind in kinds) and any(
        kind.startswith("aten::") for kind in kinds
    )


def _dropped(evidence: Evidence) -> Rows | None:
    """An input that the compiler dropped, though eager's answer moves with it."""
    moving = next((name for name in dropped(evidence) if _depends(evidence, name)), None)
    if moving is None:
        return None
    return [
        ("", f"the compiler dropped {moving} as unused, and eager's answer depends on it"),
        ("fix", "look for what forward does with its values in Python: .item(), nonzero(), an if on them"),
    ]


def dropped(evidence: Evidence) -> Iterator[str]:
    """The inputs that the compiler said that it drops."""
    names = tuple(evidence.subject.inputs)
    for found in _said(evidence, DROPPED):
        if int(found[1]) < len(names):
            yield names[int(found[1])]


def _said(evidence: Evidence, pattern: str) -> Iterator[re.Match[str]]:
    """Where the compiler said that; its whole text is the match's `string`."""
    searched = (re.search(pattern, text, re.IGNORECASE | re.DOTALL) for text in evidence.process.said)
    return (found for found in searched if found is not None)


def _depends(evidence: Evidence, name: str) -> bool:
    inputs = dict(evidence.subject.inputs)
    before = evidence.reference.case(inputs)[0].leaves
    for seed in range(TRIES):
        case = at(evidence.subject, {}, seed=seed, mask="right" if seed % 2 else "single")
        inputs[name] = tensors(case, evidence.subject)[name]
        after = evidence.reference.case(inputs)[0].leaves
        if before is not None and (after is None or difference(before, after, evidence.tolerance) is not None):
            return True
    return False
