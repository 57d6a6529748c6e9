"""subject, backend -> artifact: the file is made, or the user's own is taken, and what that did is noted.

The source model is looked at before and after; a failure to export is a fact to be judged, and is not raised. Where a
compiler may take the process with it, all this happens in one of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn
from torch.jit._trace import TracerWarning

from pytest_tsexport.backends.base import Backend, Compiler, evaluating
from pytest_tsexport.backends.guard import guard
from pytest_tsexport.backends.jit import torch_jit_allowed
from pytest_tsexport.errors import ArtifactError, ExportError, TsExportError
from pytest_tsexport.exporting.artifact import Artifact, save
from pytest_tsexport.exporting.diagnostics import CapturedWarning, capture_diagnostics, rewarn
from pytest_tsexport.exporting.isolation import run_isolated
from pytest_tsexport.exporting.loading import opened, why_not_run
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.fingerprint import Fingerprint
from pytest_tsexport.tensors.tree import detached
from pytest_tsexport.tensors.weights import duplicate

Exporter = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What was seen while the export was made; `changed` lists what it did to the source model.

    `tracer_warnings` explain a failure and never decide one: exact models have them too. `said` is what a compiler
    mumbled where it should have raised. `given` tells that the file was made earlier, by other code.
    """

    changed: tuple[str, ...] = ()
    tracer_warnings: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    given: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The subject as it was before the export, with its artifact, or with the error in its place.

    `backend` is as it was asked to make it. `unrunnable` says why no artifact of it can run on this machine, where
    none can.
    """

    subject: Subject
    backend: Backend
    process: Process
    artifact: Artifact | None = None
    error: Exception | None = None
    unrunnable: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Where an export is made: the path of its file, by which backend, and how long that may take, in seconds."""

    path: Path
    backend: Backend
    timeout: float

    @property
    def is_isolated(self) -> bool:
        """Whether it is made in a process of its own."""
        return isinstance(self.backend, Compiler) and self.backend.isolated


def trace(subject: Subject, job: Job, *, guarded: bool = False) -> Made:
    """The artifact that a backend makes of the subject, behind a guard where that is asked for."""

    def run() -> None:
        module = job.backend.trace(subject)
        # By position: a compiler keeps the order of arguments, and not always their names.
        save(guard(module, tuple(subject.inputs.values())) if guarded else module, job.path, subject, job.backend)

    return _made(subject, subject.model, run, job)


def exported(subject: Subject, exporter: Exporter, job: Job) -> Made:
    """The artifact that the user's own `export` makes; it is handed the model itself, in evaluation mode.

    What it does to the model is noted, and does not reach the reference: that is a copy from before.
    """
    live, path = subject.model, job.path
    kept = duplicate(live)
    before = replace(subject, model=kept, reference=kept if subject.reference is live else subject.reference)

    def run() -> None:
        with torch_jit_allowed():
            exporter(live, detached(subject.inputs), path)
        if not path.is_file():
            raise ExportError(f"export wrote no file at the path it was given ({path.name})")

    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # a file of an earlier run must not answer for an exporter that writes none
    with evaluating(live):
        return _made(before, live, run, job)


@dataclass(frozen=True, slots=True)
class _Run:
    """What came of one run of an exporter, in what can cross to another process."""

    process: Process
    error: Exception | None
    others: Sequence[CapturedWarning] = ()


def _made(subject: Subject, live: nn.Module, run: Callable[[], None], job: Job) -> Made:
    def watched() -> _Run:
        done = _watched(live, run, to_compiler=isinstance(job.backend, Compiler))
        said = _without_own(done.process.said, subject)
        return replace(done, process=replace(done.process, said=said))

    try:
        done = run_isolated(lambda: _portable(watched()), job.timeout) if job.is_isolated else watched()
    except ExportError as died:
        return Made(subject=subject, backend=job.backend, process=Process(), error=died)
    rewarn(done.others)
    if done.error is not None:
        return Made(subject=subject, backend=job.backend, process=done.process, error=done.error)
    try:
        artifact, why = opened(job.path, job.backend)
        why = why or why_not_run(artifact, subject, job.backend)
    except ArtifactError as damaged:
        error = ExportError(f"what was exported is no artifact: {damaged}")
        return Made(subject=subject, backend=job.backend, process=done.process, error=error)
    return Made(subject=subject, backend=job.backend, process=done.process, artifact=artifact, unrunnable=why)


def _watched(live: nn.Module, run: Callable[[], None], *, to_compiler: bool) -> _Run:
    before = Fingerprint.of(live)
    error: Exception | None = None
    with capture_diagnostics(to_compiler=to_compiler) as heard:
        try:
            run()
        except Exception as raised:  # an exporter may raise anything at all; what it raises is the finding
            error = raised
    process = Process(
        changed=before.changes(Fingerprint.of(live)), tracer_warnings=tuple(heard.tracer), said=tuple(heard.said)
    )
    return _Run(process, error, heard.others)


def _without_own(said: tuple[str, ...], subject: Subject) -> tuple[str, ...]:
    """What was said, but for what the model says of itself whenever it is called."""
    if not said:
        return ()
    with capture_diagnostics(to_compiler=True) as heard:
        Reference(subject.reference, subject.constants).case(subject.inputs)
    return tuple(text for text in said if text not in heard.said)


def _portable(done: _Run) -> _Run:
    """The same without classes that only one process knows; an exception keeps its name and its text."""
    error = done.error
    if error is not None and not isinstance(error, TsExportError):
        error = elsewhere(type(error).__name__, str(error))
    others = [(_known(kind), str(message), file, line) for kind, message, file, line in done.others]
    return replace(done, error=error, others=others)


def _known(kind: type[Warning]) -> type[Warning]:
    """The nearest class of a warning that every process knows."""
    return next(one for one in kind.__mro__ if one is TracerWarning or one.__module__ == "builtins")


def elsewhere(kind: str, text: str) -> Exception:
    """What another process raised, under the name of a class that need not be known here."""
    raised: Exception = type(kind, (Exception,), {"__reduce__": lambda _: (elsewhere, (kind, text))})(text)
    return raised
