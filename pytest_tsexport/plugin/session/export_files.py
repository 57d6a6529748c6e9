"""Renames the files of `--ts-export-dir` as the run judged them, at its end and in one process."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pytest_tsexport.config.atomic_file import replacing
from pytest_tsexport.config.digest import sha256_of
from pytest_tsexport.config.kept_files import KeptFile, unjudged_files
from pytest_tsexport.reports.check_tests import checks_as_tests
from pytest_tsexport.reports.judgement import Judgement, State, judgement
from pytest_tsexport.reports.run_record import RunRecord


def settle(session: pytest.Session, folder: Path | None, run: RunRecord) -> str:
    """The line that says how many files were accepted; empty if none are kept. If one cannot be renamed, the run fails.

    A file that no verdict is about stays as it is: another run made it.
    """
    if folder is None:
        return ""
    typed = os.path.relpath(folder, session.config.invocation_params.dir)
    try:
        counts = Counter(state.value for state in _settled(folder, run))
    except OSError as error:
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
        return f"{typed}: {error.filename} could not be renamed or described ({error.strerror})"
    states = [f"{counts[state.value]} {state.value}" for state in State if counts[state.value]]
    return f"{typed}: {', '.join(states)}" if states else ""


def _settled(folder: Path, run: RunRecord) -> Iterator[State]:
    tests = checks_as_tests(run)
    for export in sorted({(verdict.subject, verdict.backend) for verdict in run.verdicts}):
        for file in unjudged_files(folder, *export):
            sha256 = sha256_of(file.unjudged)
            found = judgement(run, tests, export, sha256)
            if found is not None:
                about = {"subject": export[0], "backend": export[1], "sha256": sha256, "complete": run.complete}
                _rename(file, found, about)
                yield found.state


def _rename(file: KeptFile, found: Judgement, about: Mapping[str, object]) -> None:
    """The sidecar first: no file has its last name without what is to be said of it."""
    named = {State.ACCEPTED: file.accepted, State.REJECTED: file.rejected, State.UNJUDGED: file.unjudged}
    target = named[found.state]
    if found.known or found.state is not State.ACCEPTED:
        why = {"why": found.why} if found.why else {}
        said = {"file": target.name, "state": found.state.value, **why, **about, "checks": dict(found.checks)}
        with replacing(file.sidecar(target)) as partial:
            partial.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    file.unjudged.replace(target)
