"""A run as one value: its verdicts, the items that ended without one, and what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_tsexport.reports.grouping import ExpectedFailure, Unanswered
from pytest_tsexport.verdict import Verdict


class SourceLine(NamedTuple):
    """Where the marker of a subject is: a file, relative to the root folder of pytest, and a line, from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What the reports of a whole run are made from.

    `expected` are the failures that are known: pairs of a subject and `backend-check`. `exit_status` is that of pytest:
    0 and 1 say that every item ran. `options` are those of the command line that a rerun repeats to find the same.
    `places` are those of subjects in the project.
    """

    verdicts: tuple[Verdict, ...]
    unanswered: tuple[Unanswered, ...] = ()
    expected: frozenset[ExpectedFailure] = frozenset()
    versions: Mapping[str, str] = field(default_factory=dict)
    exit_status: int = 0
    options: tuple[str, ...] = ()
    places: Mapping[str, SourceLine] = field(default_factory=dict)
