"""Captures warnings and log lines while an export is made: hints of the tracer, evidence of a compiler, and the rest.

Tracer warnings explain a failure and never decide one: exact models have them too. What a compiler says about dropped
inputs, unknown keywords and parts that run on the CPU is evidence, whatever `-W error` says.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

DROPPED = r"\bunused\b.*index=(\d+)"
UNKNOWN = r"unexpected keyword arg|received \d+ positional arg"
FELL_BACK = r"falling back|unable to compile"

EVIDENCE = f"(?si).*({DROPPED}|{UNKNOWN}|{FELL_BACK})"
"""What a compiler only warns of, and then continues.

See docs/explanation/neuron-sdk.md#inf1-behaviour and docs/explanation/neuron-sdk.md#inf2-front-end.
"""

_EVIDENCE = re.compile(EVIDENCE)

_OURS = str(Path(__file__).parents[1] / "backends")
"""A tracer warning about a line of this package is no help to the user."""

LOGGERS = ("Neuron", "torch_neuron", "torch_neuronx")
"""The vendor's loggers. What a model logs is not the compiler's message."""

TracerWarnings = tuple[type[Warning], ...]
"""The classes of warnings that are hints of a tracer."""

CapturedWarning = tuple[type[Warning], Warning | str, str, int]
"""Category, message, file and line of a warning."""


@dataclass(slots=True)
class CapturedDiagnostics:
    """Tracer warnings as `file:line: text`, a compiler's evidence, and every warning that is not evidence."""

    tracer: list[str] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    others: list[CapturedWarning] = field(default_factory=list)


@contextmanager
def capture_diagnostics(tracer: TracerWarnings, *, from_compiler: bool) -> Iterator[CapturedDiagnostics]:
    """Captures warnings in this block; with `from_compiler`, evidence is sorted out, and the log is read too."""
    captured = CapturedDiagnostics()
    with warnings.catch_warnings(record=True) as caught, _logged(captured) if from_compiler else nullcontext():
        for category in tracer:
            warnings.filterwarnings("always", category=category)
        if from_compiler:
            warnings.filterwarnings("always", message=EVIDENCE)
        yield captured
    # A compiler warns of each input from the same line.
    where = {(one.filename, one.lineno, one.category, str(one.message) if from_compiler else ""): one for one in caught}
    for one in where.values():
        if from_compiler and _EVIDENCE.match(str(one.message)):
            captured.evidence.append(str(one.message))
        else:
            _sort(one, captured, tracer)


def rewarn(others: Sequence[CapturedWarning], tracer: TracerWarnings) -> None:
    """Issue captured warnings again, so that they reach the user's own filters."""
    for category, message, filename, line in others:
        with suppress(*tracer):  # `-W error` is meant for faults, and a tracer warning is not one
            warnings.warn_explicit(message, category, filename, line)


def _sort(one: warnings.WarningMessage, captured: CapturedDiagnostics, tracer: TracerWarnings) -> None:
    if issubclass(one.category, tracer):
        if one.filename.startswith(_OURS):
            return
        captured.tracer.append(f"{one.filename}:{one.lineno}: {str(one.message).splitlines()[0]}")
    captured.others.append((one.category, one.message, one.filename, one.lineno))


@contextmanager
def _logged(captured: CapturedDiagnostics) -> Iterator[None]:
    handler = _Writes(captured)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


class _Writes(logging.Handler):
    """Keeps the log lines that are evidence."""

    def __init__(self, captured: CapturedDiagnostics) -> None:
        super().__init__(logging.INFO)
        self._captured = captured

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # formatting calls `__str__` of any object; logging itself only prints such an error
            return
        if _EVIDENCE.match(text) and text not in self._captured.evidence:
            self._captured.evidence.append(text)
