"""Judges TorchScript exports of models: is the file that you ship right?

Every public name loads when it is first used, so that `import pytest_tsexport` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_tsexport.backends.guard import guard
    from pytest_tsexport.errors import (
        ArtifactError,
        CrashError,
        ExportError,
        InputsError,
        PolicyError,
        TsExportError,
        UnavailableError,
        ValidationFailed,
    )
    from pytest_tsexport.export import Export
    from pytest_tsexport.pipeline import validate
    from pytest_tsexport.subjects.subject import Subject
    from pytest_tsexport.tensors.weights import untie
    from pytest_tsexport.verdict import Outcome, Verdict

__all__ = [
    "ArtifactError",
    "CrashError",
    "Export",
    "ExportError",
    "InputsError",
    "Outcome",
    "PolicyError",
    "Subject",
    "TsExportError",
    "UnavailableError",
    "ValidationFailed",
    "Verdict",
    "guard",
    "untie",
    "validate",
]

_OTHER_HOMES = {
    "Export": "pytest_tsexport.export",
    "Outcome": "pytest_tsexport.verdict",
    "Subject": "pytest_tsexport.subjects.subject",
    "Verdict": "pytest_tsexport.verdict",
    "guard": "pytest_tsexport.backends.guard",
    "untie": "pytest_tsexport.tensors.weights",
    "validate": "pytest_tsexport.pipeline",
}
"""The modules of the public names that are not exceptions."""


def __getattr__(name: str) -> object:
    """A public name, imported at its first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_OTHER_HOMES.get(name, "pytest_tsexport.errors")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
