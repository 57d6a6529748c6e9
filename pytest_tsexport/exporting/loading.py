"""Opens a file for its backend, or says why no file of that backend can be used on this machine."""

from __future__ import annotations

from pathlib import Path

from pytest_tsexport.backends import format_of
from pytest_tsexport.backends.base import Backend, Compiler
from pytest_tsexport.config.names import SIMULATIONS
from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.exporting.artifact import Artifact, Runner, open_file, unopened
from pytest_tsexport.subjects.subject import Subject


def opened(path: Path, backend: Backend) -> tuple[Artifact, str | None]:
    """The artifact in a file, and why it cannot run here if no file of its backend can. Raises `ArtifactError`."""
    file_format = format_of(backend)
    try:
        artifact = open_file(path, file_format)
    except ArtifactError as error:
        if error.__cause__ is None:  # it was not even tried to load: the file is damaged, or of another kind
            raise
        unloaded = unopened(path, file_format)
        _require_maker(unloaded, backend)
        why = _why_not_load(error.__cause__, backend)
        if why is None:
            raise
        return unloaded, why
    _require_maker(artifact, backend)
    return artifact, None


def _require_maker(artifact: Artifact, backend: Backend) -> None:
    """A file of a simulation is judged on that simulation only. Raises `ArtifactError`."""
    maker = next((name for name in SIMULATIONS if artifact.calls_operators_of(name.replace("-", "_"))), backend.name)
    if maker != backend.name:
        raise ArtifactError(f"artifact {artifact.path} was made by {maker}, a simulation; judge it on {maker} alone")


def _why_not_load(raised: BaseException, backend: Backend) -> str | None:
    """Why no file of this backend loads here, by what the runtime raised; None if this file is at fault."""
    if not isinstance(backend, Compiler) or not isinstance(raised, Exception):
        return None
    if format_of(backend).inspector.needed(raised) is not None:
        return None
    return backend.why_not_run(raised)


def why_not_run(artifact: Artifact, subject: Subject, backend: Backend) -> str | None:
    """Why no artifact of this backend can run here, found by running one; None if it runs, or this one is at fault."""
    if not isinstance(backend, Compiler):
        return None
    error = Runner(artifact, subject).case(subject.inputs, 1)[0].error
    return None if error is None else backend.why_not_run(error)
