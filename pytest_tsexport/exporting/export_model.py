"""Exports a subject by its backend or by the user's own exporter, and records what that did to the source model.

A failure to export is a result to be judged, so it is not raised. A compiler that may crash or hang runs in an isolated
process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from pytest_tsexport.backends import format_of
from pytest_tsexport.backends.base import Backend, Compiler, evaluating
from pytest_tsexport.backends.file_format import FileFormat
from pytest_tsexport.config.given_files import shortened
from pytest_tsexport.config.shown import message_of
from pytest_tsexport.errors import INTERRUPTS, ArtifactError, ExportError, TsExportError, ends_the_run
from pytest_tsexport.exporting.artifact import Artifact, save
from pytest_tsexport.exporting.diagnostics import CapturedWarning, capture_diagnostics, rewarn
from pytest_tsexport.exporting.isolation import run_isolated
from pytest_tsexport.exporting.loading import opened, why_not_run
from pytest_tsexport.exporting.raised_at import RaisedAt, raised_at
from pytest_tsexport.exporting.source import OtherAnswers, Source
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.copies import deep_copy
from pytest_tsexport.tensors.tree import detached

Exporter = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What happened while the export was made.

    `changed` lists the changes of the source model, `changed_ties` those of them that are about tied weights, and
    `settings` those of the whole process. `put_back` lists what else was changed in the process: it fails nothing.
    `other_answers` are there if the source model answers differently, although
    nothing that it holds has changed. `raised_at` is the line at which the export failed. `tracer_warnings` explain a
    failure and never decide one: exact models have them too. `compiler_messages` are the warnings and log lines of a
    compiler that should have raised. `given` says that the file was made by other code.
    """

    changed: tuple[str, ...] = ()
    changed_ties: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    put_back: tuple[str, ...] = ()
    other_answers: OtherAnswers | None = None
    raised_at: RaisedAt | None = None
    tracer_warnings: tuple[str, ...] = ()
    compiler_messages: tuple[str, ...] = ()
    given: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The subject as it was before the export, with its artifact or the error that was raised instead.

    `backend` has the compiler arguments of the test. `unrunnable` says why none of its artifacts can run on this
    machine; it is None if they can.
    """

    subject: Subject
    backend: Backend
    process: Process
    artifact: Artifact | None = None
    error: BaseException | None = None
    unrunnable: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """How an export is made: the path of its file, the backend, and the time limit in seconds."""

    path: Path
    backend: Backend
    timeout: float
    by_user: bool = False
    """Whether the user's own exporter makes it."""

    @property
    def is_isolated(self) -> bool:
        """Whether it is made in an isolated process."""
        return isinstance(self.backend, Compiler) and self.backend.isolated

    @property
    def from_compiler(self) -> bool:
        """Whether its backend is a compiler."""
        return isinstance(self.backend, Compiler)

    @property
    def format(self) -> FileFormat:
        """The format of its file."""
        return format_of(self.backend)


def trace(subject: Subject, job: Job, *, guarded: bool = False) -> Made:
    """The artifact that a backend makes of the subject, behind a size guard if `guarded`."""

    def run() -> None:
        module = job.backend.trace(subject)
        if guarded:  # by position: a compiler keeps the order of arguments, and not always their names
            module = job.format.guarded(module, tuple(subject.inputs.values()))
        save(module, job.path, subject, job.backend)

    return _made(subject, subject.model, run, job)


def exported(subject: Subject, exporter: Exporter, job: Job) -> Made:
    """The artifact that the user's own `export` makes; it is given the model itself, in evaluation mode.

    Changes of the model are recorded, and do not change the reference, which is a copy made before.
    """
    live, path = subject.model, job.path
    kept = deep_copy(live)
    before = replace(subject, model=kept, reference=kept if subject.reference is live else subject.reference)

    def run() -> None:
        with job.format.quiet():
            exporter(live, subject.as_given(detached(subject.inputs)), path)
        if not path.is_file():
            raise ExportError(f"export wrote no file at the path it was given ({path.name})")

    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # else an exporter that writes no file would be judged by the file of an earlier run
    with evaluating(live):
        return _made(before, live, run, replace(job, by_user=True))


@dataclass(frozen=True, slots=True)
class _Run:
    """The result of one run of an exporter; `_portable` makes it ready for another process."""

    process: Process
    error: BaseException | None
    others: Sequence[CapturedWarning] = ()


def _made(subject: Subject, live: nn.Module, run: Callable[[], None], job: Job) -> Made:
    def watched() -> _Run:
        done = _watched(Source.before(subject, live, in_isolation=job.is_isolated), run, job)
        messages = _without_own(done.process.compiler_messages, subject, job)
        return replace(done, process=replace(done.process, compiler_messages=messages))

    try:
        done = run_isolated(lambda: _portable(watched()), job.timeout) if job.is_isolated else watched()
    except ExportError as died:
        return Made(subject=subject, backend=job.backend, process=Process(), error=died)
    rewarn(done.others, job.format.tracer_warnings)
    error = done.error
    if error is None and not job.path.exists():
        error = ExportError("what was exported was removed before it could be loaded")
    if error is not None:
        return Made(subject=subject, backend=job.backend, process=done.process, error=error)
    try:
        artifact, why = opened(job.path, job.backend)
        artifact = replace(artifact, device=subject.device)
        why = why or why_not_run(artifact, subject, job.backend)
    except ArtifactError as damaged:
        error = ExportError(f"what was exported {_without_path(str(damaged), job.path)}")
        error.__cause__ = damaged.__cause__
        return Made(subject=subject, backend=job.backend, process=done.process, error=error)
    return Made(subject=subject, backend=job.backend, process=done.process, artifact=artifact, unrunnable=why)


def _without_path(what: str, path: Path) -> str:
    """A message about a file, without its temporary path, which says nothing."""
    for shown in (str(path), shortened(path)):
        what = what.removeprefix(f"artifact {shown} ")
    return what


def _watched(source: Source, run: Callable[[], None], job: Job) -> _Run:
    error: BaseException | None = None
    with capture_diagnostics(job.format.tracer_warnings, from_compiler=job.from_compiler) as captured:
        try:
            run()
        except INTERRUPTS:
            raise
        except BaseException as raised:  # an exporter may raise anything, SystemExit too; it is the result
            if isinstance(raised, Exception) and ends_the_run(raised):
                raise
            error = raised
    at = None if error is None else raised_at(error.__cause__ or error, source.live, by_exporter=job.by_user)
    left = source.after()
    process = Process(
        changed=left.source,
        changed_ties=left.ties,
        settings=left.settings,
        put_back=left.put_back,
        other_answers=left.answers,
        raised_at=at,
        tracer_warnings=tuple(captured.tracer),
        compiler_messages=tuple(captured.evidence),
    )
    return _Run(process, error, captured.others)


def _without_own(messages: tuple[str, ...], subject: Subject, job: Job) -> tuple[str, ...]:
    """The compiler's messages, without those that the model itself issues whenever it is called."""
    if not messages:
        return ()
    with capture_diagnostics(job.format.tracer_warnings, from_compiler=True) as captured:
        Reference(subject.reference, subject.constants).case(subject.inputs)
    return tuple(text for text in messages if text not in captured.evidence)


def _portable(done: _Run) -> _Run:
    """The same result without classes that only one process knows; an exception keeps its name and its text."""
    error = done.error
    if error is not None and not isinstance(error, TsExportError):
        error = portable_error(type(error).__name__, message_of(error))
    others = [(_known(kind), str(message), file, line) for kind, message, file, line in done.others]
    return replace(done, error=error, others=others)


def _known(kind: type[Warning]) -> type[Warning]:
    """The nearest base class of a warning that every process can import: Python's or torch's."""
    return next(one for one in kind.__mro__ if one.__module__.partition(".")[0] in ("builtins", "torch"))


def portable_error(kind: str, text: str) -> Exception:
    """What another process raised, as an exception of that class name: the class itself need not exist here."""
    raised: Exception = type(kind, (Exception,), {"__reduce__": lambda _: (portable_error, (kind, text))})(text)
    return raised
