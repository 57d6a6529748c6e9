"""What the pipeline needs from the program that runs it (pytest, or the user's own): callbacks and a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from pytest_tsexport.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """What the pipeline calls while it works.

    `inputs` may return the example inputs of a model. `progress` gets one line of text at a time. `on_verdict` gets
    each verdict. `known` returns the counterexamples of earlier runs for a subject and a `backend-check`: they run
    first. `processes` is how many processes share this machine: each uses its part of the threads. `interrupts` are the
    exceptions, besides Python's own, by which that program ends the whole run: they are never taken for a result.
    """

    inputs: Callable[[nn.Module], Mapping[str, Any] | None] = lambda _model: None
    progress: Callable[[str], None] = lambda _line: None
    on_verdict: Callable[[Verdict], None] = lambda _verdict: None
    known: Callable[[str, str], Sequence[Mapping[str, Any]]] = lambda _subject, _name: ()
    processes: int = 1
    interrupts: tuple[type[BaseException], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportContext:
    """The surroundings of one export: the user's live model, a temporary folder, the callbacks.

    `unavailable` says why the backend cannot work on this machine; it is None if it can.
    """

    live: nn.Module
    folder: Path
    callbacks: Callbacks
    unavailable: str | None = None
