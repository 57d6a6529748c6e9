"""What can go wrong, as exceptions whose text is one clear sentence.

TsExportError
├── PolicyError          a keyword, an option or an ini value is not valid
├── InputsError          inputs cannot be derived, or do not fit the model
├── ExportError          the model cannot be traced or saved
├── ArtifactError        a file is missing, damaged, or not TorchScript
├── UnavailableError     a backend cannot work on this machine, or a model cannot be made on it
├── CrashError           a model or an exporter ended the work in anything but an answer
└── ValidationFailed     an export was judged, and is wrong
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from pytest_tsexport.verdict import Row, Verdict

Given = ParamSpec("Given")
Made = TypeVar("Made")

INTERRUPTS: tuple[type[BaseException], ...] = (KeyboardInterrupt, GeneratorExit)
"""What ends the whole run and is never taken for a result."""


def raises_at_the_call(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """Lets a traceback of an error of ours end where the user calls `function`: how it was found out helps nobody."""

    @functools.wraps(function)
    def call(*args: Given.args, **keywords: Given.kwargs) -> Made:
        __tracebackhide__ = True
        try:
            return function(*args, **keywords)
        except TsExportError as error:
            raise error.with_traceback(None) from None

    return call


def ends_the_run(error: BaseException) -> bool:
    """Whether an exception of an ordinary class ends the whole run too: `pytest.exit` raises such a one.

    pytest is not imported here. Where it is not loaded, nothing can have raised it.
    """
    pytest = sys.modules.get("pytest")
    return pytest is not None and isinstance(error, pytest.exit.Exception)


class TsExportError(Exception):
    """Every error that this package raises on purpose; its text is one clear sentence."""


class PolicyError(TsExportError):
    """A marker keyword, an option or an ini value is not valid; names the value and what would be valid."""


class InputsError(TsExportError):
    """The inputs of a model cannot be derived, or do not fit it; names the argument."""


class ExportError(TsExportError):
    """The model cannot be traced, or its trace cannot be saved."""


class ArtifactError(TsExportError):
    """A file is missing, damaged, or not a TorchScript archive."""


class UnavailableError(TsExportError):
    """A backend cannot work on this machine: no SDK, no compiler, no device.

    A marked function raises it if its model cannot be made here: its checks are then *unavailable*, and not wrong.
    """


class CrashError(TsExportError):
    """What was called ended in anything but an answer: `sys.exit`, a skip, a time limit, an unexpected error.

    `what` names the exception in one line, and `rows` say where it was raised.
    """

    def __init__(self, what: str, rows: tuple[Row, ...]) -> None:
        where = "".join(f", raised at {text}" for name, text in rows if name == "raised at")
        super().__init__(f"the export crashed: {what}{where}")
        self.what = what
        self.rows = rows


class ValidationFailed(TsExportError):
    """Raised by `Export.validate()`; holds every verdict, the passed ones too."""

    def __init__(self, text: str, verdicts: tuple[Verdict, ...]) -> None:
        super().__init__(text)
        self.verdicts = verdicts
