"""A pytest plugin that writes how each phase of each test ended at once, so a run that is killed leaves it, too."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

FILE = "MUTANTS_OUTCOMES"
"""The environment variable that names the file."""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A line of JSON a phase. A worker of xdist leaves it to the controller, which gets the same reports."""
    if FILE not in os.environ or "PYTEST_XDIST_WORKER" in os.environ:
        return
    outcome = "xfailed" if hasattr(report, "wasxfail") and report.skipped else report.outcome
    line = {"test": report.nodeid, "when": report.when, "outcome": outcome, "seconds": report.duration}
    with Path(os.environ[FILE]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
