"""The hooks of a run that uses the plugin: each is one moment of the run, and says who handles it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager

import pytest

from pytest_tsexport.plugin.collection import cli_models, expansion, ordering
from pytest_tsexport.plugin.execution import outcomes, progress, unexpanded
from pytest_tsexport.plugin.execution.capture_return import captured_return
from pytest_tsexport.plugin.execution.export_cache import ExportCache
from pytest_tsexport.plugin.execution.lazy_pipeline import LazyPipeline
from pytest_tsexport.plugin.fixtures import TsExport, export_factory
from pytest_tsexport.plugin.markers import marks_of
from pytest_tsexport.plugin.session import counterexamples, transport
from pytest_tsexport.plugin.session.recorder import Recorder
from pytest_tsexport.plugin.settings import SETTINGS, read_settings


class ActivePlugin:
    """What handles the hooks of a run in which something of ours is used."""

    def __init__(self, config: pytest.Config) -> None:
        self.settings = config.stash[SETTINGS] = read_settings(config)
        known = counterexamples.Counterexamples(config, self.settings)
        self.recorder = Recorder(self.settings, known)
        self._pipeline = LazyPipeline(self.settings, progress.Progress(config), known)
        self._cache = ExportCache(self.settings, self._pipeline)
        config.add_cleanup(self._cache.release)
        config.pluginmanager.register(self.recorder, "tsexport-recorder")
        cli_models.collect_given(config, self.settings)

    def expand(self, metafunc: pytest.Metafunc) -> None:
        """One item for each backend and check."""
        expansion.expand(metafunc, self.settings)

    def keep_wanted(self, made: list[pytest.Item | pytest.Collector]) -> list[pytest.Item | pytest.Collector]:
        """The items whose backend and check were asked for."""
        return expansion.keep_wanted(made, self.settings)

    def regroup(self, items: list[pytest.Item]) -> None:
        """The items of a subject become neighbours."""
        ordering.regroup(items)

    def exports(self, item: pytest.Item | None) -> AbstractContextManager[TsExport]:
        """`ts_export`; `item` is the one that runs, whose setup this object has missed if it is the first use."""
        if item is not None and self._pipeline.current_item is None:
            self._cache.item_starts(item)
        return export_factory(self.settings, self._pipeline)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """The marker's `xfail` becomes a mark of one item."""
        outcomes.expect_known_failure(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before fixtures are set up: those that an earlier item of the subject had are not set up once more."""
        self._cache.item_starts(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> None:
        """Which fixture asks for which."""
        self._cache.fixtures.add(fixturedef)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Inside all other wrappers, so that what an export prints, and its duration, belong to the item."""
        if not marks_of(item):
            return (yield)
        unexpanded.refuse_async(item)
        with captured_return(item) as returned:
            yield
        self._cache.judge(item, returned)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """The function runs once for all items of a subject."""
        return self._cache.has_subject(pyfuncitem) or None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Verdicts are attached to the report, and so leave a worker."""
        report = yield
        self._pipeline.phase_ends()
        outcomes.fold(report, call)
        transport.attach(item, report)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
        """After fixtures are torn down: the export is released, unless the next item asks about it too."""
        try:
            return (yield)
        finally:
            self._cache.item_ends(item, nextitem)
