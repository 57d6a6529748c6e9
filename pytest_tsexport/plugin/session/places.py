"""report -> place: the file and the line of a marked test, if it is in the project."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from pytest_tsexport.plugin.collection import cli_models
from pytest_tsexport.reports.run_record import SourceLine


def place_of(report: pytest.TestReport) -> SourceLine | None:
    """Where the test is. None for a module of a package: one of `--ts-model`, or of the validation suite."""
    file, line, _ = report.location
    path = PurePosixPath(file.replace("\\", "/"))
    if cli_models.is_given_id(report.nodeid) or path.is_absolute() or ".." in path.parts:
        return None
    return SourceLine(str(path), (line or 0) + 1)
