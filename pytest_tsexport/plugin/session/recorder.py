"""reports -> recorder: the verdicts of the whole run, and who is told of them at its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pytest_tsexport.plugin.collection.item_ids import parse
from pytest_tsexport.plugin.session import baseline_update, header
from pytest_tsexport.plugin.session.counterexamples import Counterexamples
from pytest_tsexport.plugin.session.transport import with_verdict
from pytest_tsexport.plugin.settings import Settings
from pytest_tsexport.reports.terminal import summary_lines
from pytest_tsexport.verdict import Outcome, Verdict

NARROWEST = 80


class Recorder:
    """The verdicts of the whole run, by node id: the last one counts. A plugin object, where reports are made."""

    def __init__(self, settings: Settings, kept: Counterexamples) -> None:
        self._settings = settings
        self._kept = kept
        self._by_item: dict[str, list[Verdict]] = {}
        self._expected: set[str] = set()
        self._labels: dict[str, None] = {}
        self._crashed: dict[str, None] = {}
        self._promised = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Each report of each item, from whichever process."""
        nodeid = report.nodeid
        if report.when == "setup":
            self._by_item.pop(nodeid, None)
            self._expected.discard(nodeid)
            self._crashed.pop(nodeid, None)
        fields: list[Mapping[str, Any]] = getattr(report, "tsexport", [])
        for verdict in map(Verdict.from_dict, fields):
            self._by_item[nodeid] = with_verdict(self._by_item.get(nodeid, []), verdict)
        if getattr(report, "tsexport_label", False):
            self._labels[nodeid] = None
        if getattr(report, "wasxfail", None) is not None and report.skipped:
            self._expected.add(nodeid)
        # The report that pytest-xdist makes for an item whose worker died has no phase.
        if report.when not in ("setup", "call", "teardown") and parse(nodeid, self._settings.backends):
            self._crashed[nodeid] = None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The last verdicts of every item."""
        return tuple(verdict for verdicts in self._by_item.values() for verdict in verdicts)

    @property
    def labels(self) -> tuple[str, ...]:
        """Node ids of tests that the marker only labels."""
        return tuple(self._labels)

    @property
    def crashed(self) -> tuple[str, ...]:
        """Node ids of items of ours whose process died."""
        return tuple(self._crashed)

    @property
    def expected(self) -> frozenset[tuple[str, str]]:
        """Subject and `backend-check` of the failures that the marker's `xfail` knows of."""
        known = (verdict for nodeid in self._expected for verdict in self._by_item.get(nodeid, []))
        return frozenset((v.subject, v.name) for v in known if v.outcome is Outcome.FAILED)

    def pytest_report_header(self, config: pytest.Config) -> str | None:
        """The versions, in a project that uses the plugin, or with -v."""
        used = self._settings.configured or config.get_verbosity() > 0
        return header.header(self._settings) if used else None

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Who wants the verdicts is told them, once."""
        if not hasattr(session.config, "workerinput"):
            self._kept.keep(self.verdicts)
            session.config.hook.pytest_ts_report(verdicts=self.verdicts)
            self._promised = baseline_update.write(session, self._settings.command_line.baseline, self.verdicts)

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """The table, after the failures."""
        if not (self.verdicts or self.labels or self.crashed or self._promised):
            return
        terminalreporter.section("torchscript export")
        # Whether the run would use the plugin was not known when pytest wrote its own header.
        if self.verdicts and self.pytest_report_header(config) is None:
            terminalreporter.line(header.header(self._settings))
        width = max(config.get_terminal_writer().fullwidth, NARROWEST)
        for line in summary_lines(
            self.verdicts, width, crashed=self.crashed, labels=self.labels, expected=self.expected
        ):
            terminalreporter.line(line)
        if self._promised:
            terminalreporter.line(self._promised)
