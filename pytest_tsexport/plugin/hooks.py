"""pytest's hooks -> the rooms: each hook is one moment of a run, and says who answers it."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pytest_tsexport.plugin import hookspecs, markers, options
from pytest_tsexport.plugin.collection import cli_models, expansion, ordering
from pytest_tsexport.plugin.execution import outcomes, progress, unexpanded
from pytest_tsexport.plugin.execution.capture_return import watched
from pytest_tsexport.plugin.execution.export_cache import EXPORT_CACHE, ExportCache
from pytest_tsexport.plugin.execution.lazy_pipeline import EXPORTER, Exporter
from pytest_tsexport.plugin.fixtures import ts_export  # noqa: F401  # where pytest finds it
from pytest_tsexport.plugin.session import counterexamples, recorder, transport
from pytest_tsexport.plugin.settings import SETTINGS, read_settings


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """The hooks that a conftest may implement."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--ts-...` and their ini twins."""
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Options are read once, and a bad one is exit code 4; the marker is known whether it is used or not."""
    config.addinivalue_line("markers", markers.MARKER)
    settings = config.stash[SETTINGS] = read_settings(config)
    config.stash[EXPORTER] = Exporter(settings, progress.Progress(config))
    config.stash[EXPORT_CACHE] = ExportCache(settings, config.stash[EXPORTER])
    config.add_cleanup(config.stash[EXPORT_CACHE].release)
    config.pluginmanager.register(
        recorder.Recorder(settings, counterexamples.opened(config, settings)), "tsexport-recorder"
    )
    cli_models.collect_given(config, settings)


@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None]:
    """After every other plugin, so that the check stays last in the id whatever else parametrises."""
    yield
    expansion.expand(metafunc, metafunc.config.stash[SETTINGS])


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> Generator[None, object, object]:
    """Once the items are made, and with them the markers of their parameters."""
    return expansion.keep_wanted((yield), collector.config.stash[SETTINGS])


def pytest_itemcollected(item: pytest.Item) -> None:
    """The marker's `xfail` becomes a mark of one item."""
    outcomes.expect_known_failure(item)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After those that shuffle."""
    ordering.regroup(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """One worker gets all items of a subject."""
    from pytest_tsexport.plugin.collection import xdist_scheduler

    return xdist_scheduler.make_scheduler(config, log, config.stash[SETTINGS].backends)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before fixtures are set up: those that an earlier item of the subject had are not set up again."""
    item.config.stash[EXPORT_CACHE].enter(item)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> None:
    """Which fixture asks for which."""
    request.config.stash[EXPORT_CACHE].fixtures.saw(fixturedef)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Inside everybody else's wrappers, so that what an export prints and how long it takes are the item's."""
    if not markers.marks_of(item):
        return (yield)
    unexpanded.refuse_async(item)
    with watched(item) as returned:
        yield
    item.config.stash[EXPORT_CACHE].judge(item, returned)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """The function runs once a subject: in its other items, nothing is left to call."""
    return pyfuncitem.config.stash[EXPORT_CACHE].has_subject(pyfuncitem) or None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Verdicts ride on the report: that is how they come out of a worker."""
    report = yield
    item.config.stash[EXPORTER].pause()
    outcomes.fold(report, call)
    transport.attach(item, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """After fixtures are torn down: the export is let go, unless the next item asks about it too."""
    try:
        return (yield)
    finally:
        item.config.stash[EXPORT_CACHE].leave(item, nextitem)
