"""The hooks of every pytest run: options, the marker, the fixture, and the check whether a run uses the plugin.

Every run with the plugin installed loads this module, so it imports only the rows of options and keywords. All other
hooks are in `active`, which is loaded with the first option, ini value, marked test or `ts_export` of a run.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_tsexport.config.marker import MARKER, NAME
from pytest_tsexport.config.options import OPTIONS, Option
from pytest_tsexport.plugin import hookspecs

if TYPE_CHECKING:
    from pytest_tsexport.plugin.active import ActivePlugin
    from pytest_tsexport.plugin.fixtures import TsExport

ACTIVE = pytest.StashKey["ActivePlugin"]()
CURRENT_ITEM = pytest.StashKey[pytest.Item]()


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hooks that a conftest may implement."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--ts-...` and their ini twins. Values stay text, so that pytest-xdist can send them to its workers."""
    for option in OPTIONS.values():
        group = parser.getgroup(f"torchscript export: {option.group}")
        group.addoption(option.flag, **option.on_command_line)
        parser.addini(option.ini, f"{option.help}; as {option.flag}", type=option.ini_type, default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker in every run. Options are read and validated now: a bad one ends the run with exit code 4."""
    config.addinivalue_line("markers", MARKER)
    if any(_is_given(config, option) for option in OPTIONS.values()) or config.hook.pytest_ts_backends.get_hookimpls():
        _active(config)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Print tests for checkpoints in place of a run, if `--ts-init` asks for that."""
    option = OPTIONS["init_folder"]
    given = config.getoption(option.ini)
    if given is None:
        return None
    from pytest_tsexport.plugin.proposed_tests import print_tests

    return print_tests(str(given), config.invocation_params.dir)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Show the versions if the run uses the plugin, or with -v."""
    if ACTIVE in config.stash:
        return config.stash[ACTIVE].recorder.header(config)
    if config.get_verbosity() <= 0:
        return None
    from pytest_tsexport.plugin.header import header

    return header(("jit",))


@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None]:
    """Make one item for each check. It runs after every other plugin, so that the check is the last part of the id."""
    yield
    if metafunc.definition.get_closest_marker(NAME):
        _active(metafunc.config).expand(metafunc)


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> Generator[None, object, object]:
    """Drop unwanted items as soon as they are made: only then are the markers of their parameters known."""
    made = yield
    if isinstance(made, list) and any(item.get_closest_marker(NAME) for item in made):
        return _active(collector.config).keep_wanted(made)
    return made


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the items of a subject side by side, after plugins that shuffle.

    A marked item that is not a function (a method of a `TestCase`) is first seen here.
    """
    if ACTIVE in config.stash or any(item.get_closest_marker(NAME) for item in items):
        _active(config).regroup(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give all items of a subject to one worker."""
    from pytest_tsexport.plugin.collection import xdist_scheduler

    if ACTIVE in config.stash:
        return xdist_scheduler.make_scheduler(config, log, config.stash[ACTIVE].settings.backends)
    config.pluginmanager.register(xdist_scheduler.FirstReport(lambda: _active(config).recorder))
    return xdist_scheduler.make_scheduler(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Remember the current item: a session-scoped fixture cannot ask pytest for it."""
    item.config.stash[CURRENT_ITEM] = item


@pytest.fixture(scope="session")
def ts_export(pytestconfig: pytest.Config) -> Iterator[TsExport]:
    """Exports a model in a test that you write yourself: call it with a model, its inputs, and keywords of the marker.

    `export.module` is the artifact loaded back from `export.path`, `export.subject` is what it is compared with;
    `export.validate()` runs every check that applies and raises `ValidationFailed` if one fails, and
    `export.check("parity")` gives one verdict. Verdicts are reported with the test that asked for them.

        def test_ranker(ts_export):
            export = ts_export(Ranker(), {"query": torch.ones(1, 7)})
            export.validate()

    Session-scoped, so that fixtures of any scope and hypothesis's `@given` can use it.
    """
    with _active(pytestconfig).exports(pytestconfig.stash[CURRENT_ITEM]) as export:
        yield export


def _is_given(config: pytest.Config, option: Option) -> bool:
    """Whether the command line or the ini gives this option, valid or not."""
    try:
        given = (config.getoption(option.ini), config.getini(option.ini))
    except (TypeError, ValueError, pytest.UsageError):
        return True
    return given != (None, None) or (bool(option.in_root) and (config.rootpath / option.in_root).is_file())


def _active(config: pytest.Config) -> ActivePlugin:
    """The rest of the plugin, imported and set up on first use. Raises `pytest.UsageError` for a bad option."""
    if ACTIVE not in config.stash:
        from pytest_tsexport.plugin.active import ActivePlugin

        config.stash[ACTIVE] = ActivePlugin(config)
        config.pluginmanager.register(config.stash[ACTIVE], "tsexport-active")
    return config.stash[ACTIVE]
