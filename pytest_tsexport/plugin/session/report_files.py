"""Writes the files of `--ts-report`, at the end of the run and in one process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_tsexport.config.atomic_file import replacing
from pytest_tsexport.config.names import REPORTS, imported
from pytest_tsexport.config.report_files import STATEMENT, kind_of
from pytest_tsexport.errors import ArtifactError, TsExportError
from pytest_tsexport.reports.numbers import counted
from pytest_tsexport.reports.run_record import RunRecord
from pytest_tsexport.verdict import Outcome


def write(session: pytest.Session, files: Sequence[Path], run: RunRecord, *, is_asked: bool = True) -> tuple[str, ...]:
    """A line for each file. If one cannot be written, the run fails: so the statement, which says it, comes last.

    `is_asked`: the command line names the files. If the ini does, a run of other tests has nothing to state.
    """
    if session.config.getoption("collectonly"):
        return ()
    is_due = is_asked or any(verdict.outcome is not Outcome.UNAVAILABLE for verdict in run.verdicts)
    return tuple(_lines(session, sorted(files, key=_is_statement), run, is_due=is_due))


def _is_statement(file: Path) -> bool:
    return kind_of(file) == STATEMENT


def _lines(session: pytest.Session, files: Sequence[Path], run: RunRecord, *, is_due: bool) -> Iterator[str]:
    """`is_due`: a statement about no file fails the run."""
    for file in files:
        typed = os.path.relpath(file, session.config.invocation_params.dir)
        try:
            _write(file, replace(run, exit_status=int(session.exitstatus)))
        except (OSError, TsExportError) as error:
            if is_due or not isinstance(error, ArtifactError):
                session.exitstatus = pytest.ExitCode.USAGE_ERROR
            yield f"{typed} was not written: {error.strerror if isinstance(error, OSError) else error}"
        else:
            yield f"{typed} was written: {counted(len(run.verdicts), 'verdict')}"


def _write(file: Path, run: RunRecord) -> None:
    """Raises `OSError`, or `ArtifactError` for a statement about no file."""
    with replacing(file) as partial:
        text = imported(REPORTS[kind_of(file) or ""])(run)
        # Text mode would change line ends. A file name that is no text of the file system's encoding has surrogates.
        partial.write_bytes(text.encode("utf-8", "backslashreplace"))
