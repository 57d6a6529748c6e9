"""Adds the report of a run to the page of a GitHub workflow, and marks the lines of tests whose export is wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_tsexport.reports import markdown_report, workflow_annotations
from pytest_tsexport.reports.run_record import RunRecord, SourceLine

SUMMARY = "GITHUB_STEP_SUMMARY"
"""The file whose Markdown GitHub shows on the page of the run: https://docs.github.com/actions/reference/variables"""

MOST = 1024 * 1024
"""Bytes. GitHub shows nothing of a summary that is larger."""

LEAST = 10_000
"""With less room than this, nothing is added."""


def write(config: pytest.Config, run: RunRecord) -> tuple[str, ...]:
    """The lines to print: those of the annotations, which GitHub reads from the output. None outside a workflow."""
    return tuple(_lines(config, run)) if SUMMARY in os.environ and (run.verdicts or run.unanswered) else ()


def _lines(config: pytest.Config, run: RunRecord) -> Iterator[str]:
    file = Path(os.environ[SUMMARY])
    try:
        _append(file, run)
    except OSError as error:
        # The verdicts stand in the table too, so a full disk of the runner does not make them wrong.
        yield f"{file} was not written ({SUMMARY}): {error.strerror}"
    yield from workflow_annotations.annotation_lines(replace(run, places=_in_workspace(config, run.places)))


def _append(file: Path, run: RunRecord) -> None:
    """Other programs of the same step may have written to the file too."""
    room = MOST - (file.stat().st_size if file.exists() else 0)
    if room >= LEAST:
        with file.open("a", encoding="utf-8", errors="backslashreplace") as summary:
            summary.write(markdown_report.text(run, room))


def _in_workspace(config: pytest.Config, places: Mapping[str, SourceLine]) -> Mapping[str, SourceLine]:
    """The places by paths that GitHub knows: relative to the checkout, in which the root folder of pytest may be."""
    workspace = os.environ.get("GITHUB_WORKSPACE", config.rootpath)
    return {
        subject: place._replace(file=Path(os.path.relpath(config.rootpath / place.file, workspace)).as_posix())
        for subject, place in places.items()
    }
