"""host -> pipeline: who runs the pipeline, and where; pytest, or a program of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from pytest_tsexport.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """What the pipeline may ask of its host, and tell it: a hook that gives inputs, progress, each verdict made.

    `known` gives the counterexamples of earlier runs for a subject and a `backend-check`: they are looked at first.

    `processes` is how many share this machine: each takes its part of the threads, or they slow one another down.
    """

    inputs: Callable[[nn.Module], Mapping[str, Any] | None] = lambda _model: None
    progress: Callable[[str], None] = lambda _line: None
    judged: Callable[[Verdict], None] = lambda _verdict: None
    known: Callable[[str, str], Sequence[Mapping[str, Any]]] = lambda _subject, _name: ()
    processes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportContext:
    """Where an export lives: the model as the user holds it, the folder that goes with it, its host.

    `unavailable` says why the backend cannot work here, where it cannot.
    """

    live: nn.Module
    folder: Path
    callbacks: Callbacks
    unavailable: str | None = None
