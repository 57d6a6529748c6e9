"""A run as one value: its verdicts, the items that ended without one, and what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pytest_tsexport.reports.grouping import ExpectedFailure, Unanswered
from pytest_tsexport.verdict import Verdict


class SourceLine(NamedTuple):
    """Where the marker of a subject is: a file, relative to the root folder of pytest, and a line, from 1."""

    file: str
    line: int


class FailedItem(NamedTuple):
    """An item that failed the run in any of its phases, the export that it is about, and why it failed."""

    item: str
    subject: str
    backend: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a run depends on besides the tests.

    `options` are those in force that say where to run and how hard to look. `packages` are the installed ones with
    their versions. `files` are the sha256 digests of files that the run reads: lock files, known failures, the
    interface baseline.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What the reports of a whole run are made from.

    `expected` are the failures that are known, by subject and `backend-check`, with the reasons. `failed` are the
    items that failed the run, so not those of known failures. `exit_status` is that of pytest. `complete`: the run was
    not cut off, so every selected item ran. `options` are those of the command line that a rerun repeats to find the
    same. `surroundings` are empty if no report asks for them. `places` are those of subjects in the project.
    """

    verdicts: tuple[Verdict, ...]
    unanswered: tuple[Unanswered, ...] = ()
    expected: Mapping[ExpectedFailure, str] = field(default_factory=dict)
    failed: tuple[FailedItem, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    exit_status: int = 0
    complete: bool = True
    options: tuple[str, ...] = ()
    surroundings: Surroundings = field(default_factory=Surroundings)
    places: Mapping[str, SourceLine] = field(default_factory=dict)
