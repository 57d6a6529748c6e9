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
from pytest_tsexport.errors import TsExportError
from pytest_tsexport.reports.numbers import counted
from pytest_tsexport.reports.run_record import RunRecord


def write(session: pytest.Session, files: Sequence[Path], run: RunRecord) -> tuple[str, ...]:
    """A line for each file. If one cannot be written, the run fails: so the statement, which says it, comes last."""
    return tuple(_lines(session, sorted(files, key=lambda file: kind_of(file) == STATEMENT), run))


def _lines(session: pytest.Session, files: Sequence[Path], run: RunRecord) -> Iterator[str]:
    for file in files:
        typed = os.path.relpath(file, session.config.invocation_params.dir)
        try:
            with replacing(file) as partial:
                # A file name that is no text of the file system's encoding has surrogates.
                text = imported(REPORTS[kind_of(file) or ""])(replace(run, exit_status=int(session.exitstatus)))
                partial.write_bytes(text.encode("utf-8", "backslashreplace"))  # no text mode: it changes line ends
        except (OSError, TsExportError) as error:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            yield f"{typed} was not written: {error.strerror if isinstance(error, OSError) else error}"
        else:
            yield f"{typed} was written: {counted(len(run.verdicts), 'verdict')}"
