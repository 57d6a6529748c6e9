"""X -> one sentence: what can go wrong, as exceptions that a user can read and catch.

TsExportError
├── PolicyError          a keyword, an option or an ini value is not valid
├── InputsError          inputs cannot be derived, or do not fit the model
├── ExportError          the model cannot be traced or saved
├── ArtifactError        a file is missing, damaged, or no TorchScript
├── UnavailableError     a backend cannot work on this machine
└── ValidationFailed     an export was judged, and is not right
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_tsexport.verdict import Verdict


class TsExportError(Exception):
    """Every error that this package raises on purpose; its text is one clear sentence."""


class PolicyError(TsExportError):
    """A marker keyword, an option or an ini value that is not valid; names the value and the valid set."""


class InputsError(TsExportError):
    """The inputs of a model cannot be derived, or those given do not fit it; names the argument."""


class ExportError(TsExportError):
    """The model cannot be traced, or its trace cannot be saved."""


class ArtifactError(TsExportError):
    """A file that is missing, damaged, or no TorchScript archive."""


class UnavailableError(TsExportError):
    """A backend that cannot work here: no SDK, no compiler, no device."""


class ValidationFailed(TsExportError):
    """Raised by `Export.validate()`; carries every verdict, the passed ones too."""

    def __init__(self, text: str, verdicts: tuple[Verdict, ...]) -> None:
        super().__init__(text)
        self.verdicts = verdicts
