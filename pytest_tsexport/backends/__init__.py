"""The backends by name, and the file format of each."""

from __future__ import annotations

from importlib import import_module

from pytest_tsexport.backends.base import Backend
from pytest_tsexport.backends.file_format import FileFormat
from pytest_tsexport.backends.torchscript.format import TorchScript
from pytest_tsexport.config.names import BUILT_IN
from pytest_tsexport.config.shown import raised_by
from pytest_tsexport.errors import PolicyError, ends_the_run

TORCHSCRIPT = TorchScript()


def found(backend: object) -> Backend:
    """The backend for a name, a `module:Class`, or an object.

    Raises `PolicyError` if the name is not known, or the object is not a backend.
    """
    if isinstance(backend, str):
        module, _, name = BUILT_IN.get(backend, backend).partition(":")
        if not name:
            raise PolicyError(f"backend {backend!r} is not known; use one of {', '.join(BUILT_IN)}, or module:Class")
        backend = _made(backend, module, name)
    if not isinstance(backend, Backend):
        needs = "name, contract, why_unavailable() and trace(subject)"
        raise PolicyError(f"{backend!r} is not a backend; it needs {needs}")
    if not isinstance(format_of(backend), FileFormat):
        raise PolicyError(f"the format of backend {backend.name} is {format_of(backend)!r}; give a FileFormat")
    return backend


def _made(given: str, module: str, name: str) -> object:
    try:
        return getattr(import_module(module), name)()
    except Exception as error:  # the code of another package
        if ends_the_run(error):
            raise
        raise PolicyError(f"backend {given!r} cannot be made: {raised_by(error)}; give module:Class") from error


def format_of(backend: Backend) -> FileFormat:
    """The format of a backend's files: its attribute `format`, or TorchScript if it has none."""
    own: FileFormat = getattr(backend, "format", TORCHSCRIPT)
    return own
