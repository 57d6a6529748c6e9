"""a failed export -> headline and rows: what was raised, at which line, whose code that is, and what to do."""

from __future__ import annotations

from pytest_tsexport.backends import format_of
from pytest_tsexport.backends.file_format import FileFormat
from pytest_tsexport.errors import TsExportError
from pytest_tsexport.exporting.export_model import Made
from pytest_tsexport.verdict import Row

BY_NAME = "pass each input by its name: trace with example_kwarg_inputs=dict(inputs)"
"""What to do if the model traces, and not in the way in which an exporter calls it."""


def why_not_exported(made: Made) -> tuple[str, tuple[Row, ...]]:
    """The headline and the rows under it."""
    error = made.error
    assert error is not None
    file_format = format_of(made.backend)
    headline = str(error) if isinstance(error, TsExportError) else "the model cannot be exported"
    cause = error.__cause__ if isinstance(error, TsExportError) else error
    if cause is None:
        return headline, ()
    known = file_format.inspector.explained(cause)
    explained: tuple[Row, ...] = () if known is None else (("likely cause", known[0]), ("fix", known[1]))
    at = made.process.raised_at
    where: tuple[Row, ...] = () if at is None else (("raised at", str(at)),)
    said = _said(made, cause, file_format)
    last = () if said[1] in headline else (said,)
    return headline, (*(explained or _called_otherwise(made)), *where, *last)


def in_a_few_words(made: Made) -> str:
    """What was raised, for the checks that had no file to judge."""
    error = made.error
    return "it was not made" if error is None else format_of(made.backend).one_line(error)


def _said(made: Made, cause: BaseException, file_format: FileFormat) -> Row:
    at = made.process.raised_at
    by_torch = at is None or at.in_torch or at.owner == "backend"
    return ("torch says" if by_torch else "it raises", file_format.one_line(cause))


def _called_otherwise(made: Made) -> tuple[Row, ...]:
    """Whether the model itself traces with its inputs passed by name, and only the exporter calls it in another way."""
    at = made.process.raised_at
    if at is None or not at.called_at:
        return ()
    if format_of(made.backend).inspector.retraced(made.subject, made.subject.inputs) is None:
        return ()
    cause = "the model traces with its inputs passed by name; the exporter passes them in another way"
    return ("likely cause", cause), ("fix", BY_NAME)
