"""subject, backend -> artifact: the file is made, or the user's own is taken, and what that did is noted.

The source model is looked at before and after; a failure to export is a fact to be judged, and is not raised.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn
from torch.jit._trace import TracerWarning

from pytest_tsexport.artifact import Artifact, open_file, save
from pytest_tsexport.backends.base import Backend
from pytest_tsexport.backends.guard import guard
from pytest_tsexport.backends.jit import torch_jit_allowed
from pytest_tsexport.errors import ArtifactError, ExportError
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.fingerprint import Fingerprint
from pytest_tsexport.tensors.tree import detached
from pytest_tsexport.tensors.weights import duplicate

Exporter = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What was seen while the export was made; `changed` lists what it did to the source model.

    `tracer_warnings` explain a failure and never decide one: exact models have them too. `given` tells that the file
    was made earlier, by other code.
    """

    changed: tuple[str, ...] = ()
    tracer_warnings: tuple[str, ...] = ()
    given: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The subject as it was before the export, with its artifact, or with the error in its place."""

    subject: Subject
    process: Process
    artifact: Artifact | None = None
    error: Exception | None = None


def trace(subject: Subject, backend: Backend, path: Path, *, guarded: bool = False) -> Made:
    """The artifact that a backend makes of the subject, behind a guard where that is asked for."""

    def run() -> None:
        module = backend.trace(subject)
        save(guard(module, subject.inputs) if guarded else module, path, subject, backend.name)

    return _made(subject, subject.model, run, path)


def exported(subject: Subject, exporter: Exporter, path: Path) -> Made:
    """The artifact that the user's own `export` makes; it is handed the model itself, in evaluation mode.

    What it does to the model is noted, and does not reach the reference: that is a copy from before.
    """
    live = subject.model
    kept = duplicate(live)
    before = replace(subject, model=kept, reference=kept if subject.reference is live else subject.reference)

    def run() -> None:
        with torch_jit_allowed():
            exporter(live, detached(subject.inputs), path)
        if not path.is_file():
            raise ExportError(f"export wrote no file at the path it was given ({path.name})")

    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # a file of an earlier run must not answer for an exporter that writes none
    with _evaluating(live):
        return _made(before, live, run, path)


def _made(subject: Subject, live: nn.Module, run: Callable[[], None], path: Path) -> Made:
    before = Fingerprint.of(live)
    error: Exception | None = None
    artifact: Artifact | None = None
    with _listening() as heard:
        try:
            run()
            artifact = open_file(path)
        except ArtifactError as damaged:
            error = ExportError(f"what was exported is no artifact: {damaged}")
        except Exception as raised:  # an exporter may raise anything at all; what it raises is the finding
            error = raised
    changed = before.changes(Fingerprint.of(live))
    return Made(
        subject=subject, process=Process(changed=changed, tracer_warnings=tuple(heard)), artifact=artifact, error=error
    )


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode for every module, and each one's own mode again afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect tracer warnings, so that `-W error` does not make evidence of them; each warning is given again, once."""
    heard: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", category=TracerWarning)
        yield heard
    for one in {(one.category, one.filename, one.lineno): one for one in caught}.values():
        if issubclass(one.category, TracerWarning):
            heard.append(f"{one.filename}:{one.lineno}: {str(one.message).splitlines()[0]}")
        _give_again(one)


def _give_again(one: warnings.WarningMessage) -> None:
    try:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno, source=one.source)
    except TracerWarning:
        return  # `-W error` was meant for faults, which these are not
