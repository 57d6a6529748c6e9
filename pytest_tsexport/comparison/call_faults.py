"""answers -> difference: what a file does wrong besides its values, and eager does not."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_tsexport.cases.findings import Difference
from pytest_tsexport.comparison.difference import called
from pytest_tsexport.subjects.reference import Answer


def reuses(eager: Sequence[Answer], artifact: Sequence[Answer]) -> Difference | None:
    """The fault of an artifact that overwrites an earlier answer, and eager does not. Equal calls do not show it."""
    names = [
        name for one, ours in zip(artifact, eager, strict=True) for name in one.changed if name not in ours.changed
    ]
    if not names:
        return None
    text = f"{names[0]} of an earlier call changes when it is called again: it returns a buffer that it overwrites"
    return Difference(kind="reused", leaf=names[0], text=text, value=float("inf"), allowed=0.0)


def overwrites(eager: Answer, artifact: Answer) -> Difference | None:
    """The fault of an artifact that writes into an input, and eager does not."""
    names = [name for name in artifact.overwritten if name not in eager.overwritten]
    if not names:
        return None
    text = f"the artifact overwrites its input {names[0]}, eager leaves it alone"
    return Difference(kind="overwrite", leaf=names[0], text=text, value=float("inf"), allowed=0.0)


def elsewhere(eager: Answer, artifact: Answer) -> Difference | None:
    """The fault of an artifact that returns an output on another device than eager."""
    theirs = artifact.returned or {}
    for name, leaf in (eager.returned or {}).items():
        if name in theirs and theirs[name].device != leaf.device:
            text = f"{called(name)} is on {theirs[name].device}, eager's is on {leaf.device}"
            return Difference(kind="device", leaf=name, text=text, value=float("inf"), allowed=0.0)
    return None
