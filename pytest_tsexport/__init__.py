"""model -> verdict: is the TorchScript file that you ship right?

Everything heavy loads when it is first asked for: `import pytest_tsexport` costs what the standard library costs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pytest_tsexport.errors import (
    ArtifactError,
    ExportError,
    InputsError,
    PolicyError,
    TsExportError,
    UnavailableError,
    ValidationFailed,
)
from pytest_tsexport.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from pytest_tsexport.backends.guard import guard
    from pytest_tsexport.export import Export
    from pytest_tsexport.pipeline import validate
    from pytest_tsexport.subjects.subject import Subject
    from pytest_tsexport.tensors.weights import untie

__all__ = [
    "ArtifactError",
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

_HEAVY = {
    "Export": "pytest_tsexport.export",
    "Subject": "pytest_tsexport.subjects.subject",
    "guard": "pytest_tsexport.backends.guard",
    "untie": "pytest_tsexport.tensors.weights",
    "validate": "pytest_tsexport.pipeline",
}


def __getattr__(name: str) -> object:
    """The public names that need torch, imported at their first use."""
    if name not in _HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HEAVY[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
