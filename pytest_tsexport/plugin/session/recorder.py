"""Records the verdicts of the whole run from its reports, and hands them on at the end."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from pytest_tsexport.config.names import SIMULATIONS
from pytest_tsexport.config.shown import raised_by
from pytest_tsexport.errors import INTERRUPTS, ends_the_run
from pytest_tsexport.plugin.collection.item_ids import parse
from pytest_tsexport.plugin.header import header, versions
from pytest_tsexport.plugin.session import baseline_update, export_files, report_files, step_summary
from pytest_tsexport.plugin.session.counterexamples import Counterexamples
from pytest_tsexport.plugin.session.ended_items import PROCESS_ENDED, Ended, ended, failed_items, unanswered
from pytest_tsexport.plugin.session.painting import painter
from pytest_tsexport.plugin.session.places import place_of
from pytest_tsexport.plugin.session.surroundings import surroundings
from pytest_tsexport.plugin.session.tracer_warnings import TracerWarnings
from pytest_tsexport.plugin.session.transport import with_verdict
from pytest_tsexport.plugin.settings import Settings
from pytest_tsexport.reports.grouping import Unanswered
from pytest_tsexport.reports.run_record import FailedItem, RunRecord, SourceLine
from pytest_tsexport.reports.terminal import summary_lines
from pytest_tsexport.verdict import Outcome, Verdict

NARROWEST = 80

ENDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
"""How a run ends in which every item ran, unless it was told to stop at a failure."""


class Recorder:
    """A plugin object that holds the last verdicts of each item, by node id."""

    def __init__(self, settings: Settings, counterexamples: Counterexamples) -> None:
        self._settings = settings
        self._counterexamples = counterexamples
        self._by_item: dict[str, list[Verdict]] = {}
        self._expected: dict[str, str] = {}
        self._bare_markers: dict[str, None] = {}
        self._ended: dict[str, Ended] = {}
        self._failed: dict[str, str] = {}
        self._places: dict[str, SourceLine] = {}
        self._written: tuple[str, ...] = ()
        self._tracer_warnings = TracerWarnings(settings.backends)
        self._folded: Mapping[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Each report of each item, from any process."""
        nodeid = report.nodeid
        if report.when == "setup":
            self._by_item.pop(nodeid, None)
            self._expected.pop(nodeid, None)
            self._ended.pop(nodeid, None)
            self._failed.pop(nodeid, None)
        fields: list[Mapping[str, Any]] = getattr(report, "tsexport", [])
        for verdict in map(Verdict.from_dict, fields):
            self._by_item[nodeid] = with_verdict(self._by_item.get(nodeid, []), verdict)
        if getattr(report, "tsexport_bare_marker", False):
            self._bare_markers[nodeid] = None
        reason = getattr(report, "wasxfail", None)
        if reason is not None and report.skipped:
            self._expected[nodeid] = str(reason)
        # The report that pytest-xdist makes for an item whose worker died has no phase.
        if report.when not in ("setup", "call", "teardown"):
            self._ended[nodeid] = PROCESS_ENDED
        elif not report.passed:
            self._ended.setdefault(nodeid, ended(report))
        if report.failed:
            self._failed.setdefault(nodeid, ended(report).why)
        self._locate(report)

    def _locate(self, report: pytest.TestReport) -> None:
        """Remember where the subjects of this report are."""
        place = place_of(report)
        if place is not None:
            parts = parse(report.nodeid, self._settings.backends)
            subjects = [verdict.subject for verdict in self._by_item.get(report.nodeid, [])]
            for subject in subjects if parts is None else [parts.subject]:
                self._places.setdefault(subject, place)

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, nodeid: str) -> None:
        """Each warning of each item, from any process."""
        self._tracer_warnings.record(warning_message, nodeid)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The last verdicts of every item."""
        return tuple(verdict for verdicts in self._by_item.values() for verdict in verdicts)

    @property
    def bare_markers(self) -> tuple[str, ...]:
        """Node ids of tests with a bare marker that returned nothing."""
        return tuple(self._bare_markers)

    @property
    def unanswered(self) -> tuple[Unanswered, ...]:
        """The items of checks that ended without a verdict. Those of a bare marker have nothing to answer."""
        lost = {
            nodeid: why
            for nodeid, why in self._ended.items()
            if not self._by_item.get(nodeid) and nodeid not in self._bare_markers
        }
        return tuple(unanswered(lost, self._settings.backends))

    @property
    def failed(self) -> tuple[FailedItem, ...]:
        """The items that failed, in any phase, by the exports that they are about."""
        return tuple(failed_items(self._failed, self._by_item, self._settings.backends))

    @property
    def expected(self) -> Mapping[tuple[str, str], str]:
        """The reasons of the failures that are known, by subject and `backend-check`."""
        known = ((one, why) for nodeid, why in self._expected.items() for one in self._by_item.get(nodeid, []))
        return {(one.subject, one.name): why for one, why in known if one.outcome is Outcome.FAILED}

    def run_record(self, session: pytest.Session) -> RunRecord:
        """The run as a value, from which all reports are made; as it was before anything of ours could fail it."""
        return RunRecord(
            verdicts=self.verdicts,
            unanswered=self.unanswered,
            expected=self.expected,
            failed=self.failed,
            versions=versions(),
            exit_status=int(session.exitstatus),
            complete=session.exitstatus in ENDED and not session.shouldfail and not session.shouldstop,
            options=self._settings.rerun_flags,
            surroundings=surroundings(session.config, self._settings),
            places=self._places,
        )

    def header(self, config: pytest.Config) -> str | None:
        """The line of pytest's header, in a project that uses the plugin, or with -v."""
        return self._versions() if self._settings.configured or config.get_verbosity() > 0 else None

    def _versions(self) -> str:
        backends = self._settings.options.backends or ("jit",)
        return header(f"{name} (a simulation)" if name in SIMULATIONS else name for name in backends)

    @pytest.hookimpl(trylast=True)  # another plugin may still change the exit status
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep the counterexamples, call the hook, and write the interface baseline and the reports; in one process.

        A run in which a check crashed is not green, even if a mark of the user or a hand-written test let it pass.
        """
        crashed = any(verdict.outcome is Outcome.CRASHED for verdict in self.verdicts)
        if crashed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if not hasattr(session.config, "workerinput"):
            self._written = tuple(self._write(session, self.run_record(session)))
            self._folded = self._tracer_warnings.fold(session.config, self.verdicts)

    def _write(self, session: pytest.Session, run: RunRecord) -> Iterator[str]:
        """A line for each thing that is written. The reports come last: they say how the run ends."""
        self._counterexamples.keep(run.verdicts)
        yield from self._call_hook(session)
        baseline = baseline_update.write(session, self._settings.command_line.baseline, run.verdicts)
        kept = export_files.settle(session, self._settings.options.export_dir, run)
        yield from filter(None, (baseline, kept))
        yield from step_summary.write(session.config, replace(run, exit_status=int(session.exitstatus)))
        is_asked = self._settings.command_line.reports is not None
        yield from report_files.write(session, self._settings.options.reports or (), run, is_asked=is_asked)

    def _call_hook(self, session: pytest.Session) -> tuple[str, ...]:
        """Give the verdicts to the project's own hook. If it raises, the run fails, and its reports are written.

        `pytest.fail`, `pytest.skip` and `sys.exit` raise no `Exception`.
        """
        try:
            session.config.hook.pytest_ts_report(verdicts=self.verdicts)
        except INTERRUPTS:
            raise
        except BaseException as error:  # the user's own code may raise anything
            if ends_the_run(error):
                raise
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            return (f"pytest_ts_report raised {raised_by(error)}",)
        return ()

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """The table, after the failures."""
        run = RunRecord(verdicts=self.verdicts, unanswered=self.unanswered, expected=self.expected)
        if not (run.verdicts or run.unanswered or self.bare_markers or self._written):
            return
        terminalreporter.section("torchscript export")
        # pytest wrote its own header before it was known whether the run would use the plugin.
        if run.verdicts and self.header(config) is None:
            terminalreporter.line(self._versions())
        writer = config.get_terminal_writer()
        width = max(writer.fullwidth, NARROWEST)
        lines = summary_lines(
            run, width, bare_markers=self.bare_markers, tracer_warnings=self._folded, paint=painter(writer)
        )
        for line in lines:
            terminalreporter.line(line)
        for line in self._written:
            terminalreporter.line(line)
