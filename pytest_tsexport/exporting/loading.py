"""file, backend -> artifact: opened on this machine, or why nothing of its backend can be used here."""

from __future__ import annotations

from pathlib import Path

from pytest_tsexport.backends.base import Backend, Compiler
from pytest_tsexport.config.policy import SIMULATIONS
from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.exporting.artifact import Artifact, Runner, open_file, unopened
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.archive import code, needed


def opened(path: Path, backend: Backend) -> tuple[Artifact, str | None]:
    """The artifact in a file; and why it cannot run here, where nothing of its backend can. Raises `ArtifactError`."""
    try:
        artifact = open_file(path)
        _require_maker(path, backend)
        return artifact, None
    except ArtifactError as error:
        if error.__cause__ is not None:
            _require_maker(path, backend)
        why = _why_not_load(error, backend)
        if why is None:
            raise
        return unopened(path), why


def _require_maker(path: Path, backend: Backend) -> None:
    """A simulated file passes for nothing else, whatever is loaded here. Raises `ArtifactError`."""
    text = code(path)
    maker = next((name for name in SIMULATIONS if f"ops.{name.replace('-', '_')}." in text), backend.name)
    if maker != backend.name:
        raise ArtifactError(f"artifact {path} was made by {maker}, a simulation; judge it on {maker} alone")


def _why_not_load(error: ArtifactError, backend: Backend) -> str | None:
    """Why nothing of this backend loads here; None for a damaged file, which torch was not asked to load."""
    raised = error.__cause__
    if not isinstance(backend, Compiler) or not isinstance(raised, Exception) or needed(raised) is not None:
        return None
    return backend.why_not_run(raised)


def why_not_run(artifact: Artifact, subject: Subject, backend: Backend) -> str | None:
    """Why no artifact of this backend can run here: only running one tells. None where this one can, or is at fault."""
    if not isinstance(backend, Compiler):
        return None
    error = Runner(artifact, subject).case(subject.inputs, 1)[0].error
    return None if error is None else backend.why_not_run(error)
