"""Says at the end of a run which entries of `--ts-known-failures` do not hold: got better, stale, expired, or gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from pytest_tsexport.config.known_failures import KnownFailures, names_of
from pytest_tsexport.plugin.collection.cli_models import is_given_id
from pytest_tsexport.plugin.collection.expansion import id_of
from pytest_tsexport.reports.known_failures import known_failure_lines
from pytest_tsexport.verdict import Verdict

GONE = "tsexport_gone"
"""The subjects that no test has, on their way from a worker, which collects, to the controller, which reports.

The value says whether their file was collected. If it was not, they are gone only if the whole project was asked for,
which the controller knows.
"""


class KnownFailuresReport:
    """A plugin object that watches what is collected, and says after the table what has changed."""

    def __init__(self, table: KnownFailures, verdicts: Callable[[], Iterable[Verdict]]) -> None:
        self._table = table
        self._verdicts = verdicts
        self._subjects: set[str] = set()
        self._files: set[str] = set()
        self._is_complete = True
        self._gone: dict[str, bool] = {}

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Remember the names by which a table may call it."""
        self._files.update(names_of(item.nodeid.partition("::")[0]))
        parts = id_of(item)
        if parts is not None:
            self._subjects.update(names_of(parts.subject))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """What could not be collected is not gone."""
        self._is_complete = self._is_complete and not report.failed

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Find the subjects that are gone; only whoever collects can."""
        if self._is_complete and not _is_narrowed(session.config):
            named = (name for one in (*self._table.entries, *self._table.expired) for name in one.subjects)
            files = {name: name.partition("::")[0] for name in named if name not in self._subjects}
            self._gone = {
                name: file in self._files
                for name, file in files.items()
                if file in self._files or not (session.config.rootpath / file).exists()
            }
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[GONE] = self._gone

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker has ended: every worker collects the same."""
        self._gone = getattr(node, "workeroutput", {}).get(GONE, self._gone)

    # After the table of verdicts.
    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """A section of its own, if there is something to say."""
        gone = [name for name, is_of_file in self._gone.items() if is_of_file or _is_missing(name, config)]
        lines = list(known_failure_lines(self._table, self._verdicts(), gone))
        if lines:
            terminalreporter.section("known failures")
        for line in lines:
            terminalreporter.line(line)


def _is_missing(name: str, config: pytest.Config) -> bool:
    """Whether a subject whose file does not exist would have been collected: nobody named files or models."""
    is_whole = config.args_source is not pytest.Config.ArgsSource.ARGS and bool(config.args)
    return is_whole and not is_given_id(name)


def _is_narrowed(config: pytest.Config) -> bool:
    """Whether only some tests of a file are collected."""
    return any("::" in arg for arg in config.args) or bool(config.getoption("lf", default=False))
