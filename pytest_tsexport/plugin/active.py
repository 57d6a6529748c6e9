"""The hooks of a run that uses the plugin. Each passes one moment of the run to the object that handles it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager

import pytest

from pytest_tsexport.plugin.collection import cli_models, expansion, ordering
from pytest_tsexport.plugin.execution import outcomes, progress, unexpanded
from pytest_tsexport.plugin.execution.judge import Judge
from pytest_tsexport.plugin.execution.lazy_pipeline import LazyPipeline
from pytest_tsexport.plugin.fixtures import TsExport, export_factory
from pytest_tsexport.plugin.markers import marks_of
from pytest_tsexport.plugin.session import counterexamples, transport
from pytest_tsexport.plugin.session.known_failures import KnownFailuresReport
from pytest_tsexport.plugin.session.recorder import Recorder
from pytest_tsexport.plugin.settings import SETTINGS, read_settings


class ActivePlugin:
    """Handles the hooks of a run that uses the plugin."""

    def __init__(self, config: pytest.Config) -> None:
        self.settings = config.stash[SETTINGS] = read_settings(config)
        known = counterexamples.Counterexamples(config, self.settings)
        self.recorder = Recorder(self.settings, known)
        self._pipeline = LazyPipeline(self.settings, progress.Progress(config), known)
        self._judge = Judge(self.settings, self._pipeline)
        config.add_cleanup(self._judge.release)
        config.pluginmanager.register(self.recorder, "tsexport-recorder")
        cli_models.collect_given(config, self.settings)
        table = self.settings.options.known_failures
        if table is not None:
            report = KnownFailuresReport(table, lambda: self.recorder.verdicts)
            config.pluginmanager.register(report, "tsexport-known-failures")

    def expand(self, metafunc: pytest.Metafunc) -> None:
        """Make one item for each backend and check."""
        expansion.expand(metafunc, self.settings)

    def keep_wanted(self, made: list[pytest.Item | pytest.Collector]) -> list[pytest.Item | pytest.Collector]:
        """Keep the items whose backend and check were asked for."""
        return expansion.keep_wanted(made, self.settings)

    def regroup(self, items: list[pytest.Item]) -> None:
        """Put the items of a subject side by side."""
        ordering.regroup(items)

    def exports(self, item: pytest.Item | None) -> AbstractContextManager[TsExport]:
        """The value of `ts_export`. `item` is the current item.

        If `ts_export` is the first use of the plugin, the setup of that item has started without this object.
        """
        if item is not None and self._pipeline.current_item is None:
            self._judge.item_starts(item)
        return export_factory(self.settings, self._pipeline)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Turn the marker's `xfail`, and the table of known failures, into a mark of the item of that check."""
        outcomes.expect_known_failure(item, self.settings)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Runs before fixtures are set up: those that only the function needs are set up for its first item alone."""
        self._judge.item_starts(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> None:
        """Record which fixture requests which."""
        self._judge.fixture_starts(fixturedef)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Judge inside all other wrappers, so that the output and the duration of the export belong to the item."""
        if not marks_of(item):
            return (yield)
        unexpanded.refuse_async(item)
        with self._judge.captured(item) as returned:
            yield
        self._judge.judge(item, returned)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Skip the call if an earlier item of the subject has run the function."""
        return self._judge.has_subject(pyfuncitem) or None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the verdicts to the report, which pytest-xdist sends to the controller."""
        report = yield
        self._pipeline.phase_ends()
        outcomes.fold(report, call)
        transport.attach(item, report)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
        """Release the export after the fixtures are torn down, unless the next item needs it."""
        try:
            return (yield)
        finally:
            self._judge.item_ends(item, nextitem)
