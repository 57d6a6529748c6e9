"""export -> what was heard: warnings and log lines, so that what a compiler mumbles can be judged, or told.

Tracer warnings explain a failure and never decide one: exact models have them too. What a compiler says of inputs that
it drops, of keywords that it does not know and of parts that it left to the CPU is evidence, whatever `-W error` says.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from torch.jit._trace import TracerWarning

DROPPED = r"\bunused\b.*index=(\d+)"
UNKNOWN = r"unexpected keyword arg|received \d+ positional arg"
FELL_BACK = r"falling back|unable to compile"

EVIDENCE = f"(?si).*({DROPPED}|{UNKNOWN}|{FELL_BACK})"
"""What a compiler says in a warning and then goes on. (facts: neuron, 1.2 and 2.2.)"""

_EVIDENCE = re.compile(EVIDENCE)

_OURS = str(Path(__file__).parents[1] / "backends")
"""A tracer warning of a line of ours explains nothing to anybody."""

LOGGERS = ("Neuron", "torch_neuron", "torch_neuronx")
"""The vendor's: what a model logs of itself is no compiler's word."""

CapturedWarning = tuple[type[Warning], Warning | str, str, int]
"""Category, message, file and line of a warning."""


@dataclass(slots=True)
class CapturedDiagnostics:
    """What was heard: tracer warnings as `file:line: text`, the evidence, and every warning that is none."""

    tracer: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    others: list[CapturedWarning] = field(default_factory=list)


@contextmanager
def capture_diagnostics(*, to_compiler: bool) -> Iterator[CapturedDiagnostics]:
    """While this is open, warnings are kept; `to_compiler` tells evidence from them, and listens to logs too."""
    captured = CapturedDiagnostics()
    with warnings.catch_warnings(record=True) as caught, _logged(captured) if to_compiler else nullcontext():
        warnings.filterwarnings("always", category=TracerWarning)
        if to_compiler:
            warnings.filterwarnings("always", message=EVIDENCE)
        yield captured
    # A compiler warns of each input from one and the same line.
    where = {(one.filename, one.lineno, one.category, str(one.message) if to_compiler else ""): one for one in caught}
    for one in where.values():
        _sort(one, captured, to_compiler=to_compiler)


def rewarn(others: Sequence[CapturedWarning]) -> None:
    """Warn of what was heard, so that it reaches whoever listens to warnings."""
    for category, message, filename, line in others:
        with suppress(TracerWarning):  # `-W error` was meant for faults, which these are not
            warnings.warn_explicit(message, category, filename, line)


def _sort(one: warnings.WarningMessage, captured: CapturedDiagnostics, *, to_compiler: bool) -> None:
    text = str(one.message)
    if to_compiler and _EVIDENCE.match(text):
        captured.said.append(text)
        return
    if issubclass(one.category, TracerWarning):
        if one.filename.startswith(_OURS):
            return
        captured.tracer.append(f"{one.filename}:{one.lineno}: {text.splitlines()[0]}")
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
        with suppress(Exception):  # a line that cannot be formatted, which logging itself only prints
            self._keep(record.getMessage())

    def _keep(self, text: str) -> None:
        if _EVIDENCE.match(text) and text not in self._captured.said:
            self._captured.said.append(text)
