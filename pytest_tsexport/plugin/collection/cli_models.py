"""Collects the models of `--ts-model` or `--ts-demo`: modules of this package, in place of the repository's tests."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import pytest

from pytest_tsexport.config.given_models import inputs_of, is_checkpoint, loading_options
from pytest_tsexport.plugin.settings import Settings


@dataclass(frozen=True, slots=True)
class GivenModule:
    """A module that an option collects, and how its items are named. `last_words` end the summary."""

    nodeid: str
    path: Path
    last_words: str = ""


MODEL = GivenModule("ts-model", Path(__file__).with_name("model_under_test.py"))
DEMO = GivenModule(
    "ts-demo",
    Path(__file__).parents[2] / "testing" / "demo_models.py",
    "demo: test_wrong is wrong on purpose. To check a model of yours, mark a function that returns it with "
    "@pytest.mark.torchscript.",
)


def collect_given(config: pytest.Config, settings: Settings) -> None:
    """If a model is given, only it is validated, and files that the command line names; `testpaths` do not count."""
    options = settings.options
    asked = [(MODEL, bool(options.models)), (DEMO, options.demo == "on")]
    given = [one for one, is_asked in asked if is_asked]
    if not given:
        return
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = []
    config.pluginmanager.register(GivenModels(given), "tsexport-given-models")


class GivenModels:
    """A plugin object that adds files to those that the session collects."""

    def __init__(self, given: list[GivenModule]) -> None:
        self._given = tuple(given)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Only the session has files."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed:
            modules = [pytest.Module.from_parent(collector, path=one.path, nodeid=one.nodeid) for one in self._given]
            report.result = [*(report.result or []), *modules]
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was shown."""
        for one in self._given:
            if one.last_words:
                terminalreporter.write_line(one.last_words)


def is_given(item: pytest.Item) -> bool:
    """Whether the item is about a model that an option gave."""
    return is_given_id(item.nodeid)


def is_given_id(nodeid: str) -> bool:
    """Whether the item of that id is."""
    return any(nodeid.startswith(f"{one.nodeid}::") for one in (MODEL, DEMO))


def rerun_options(item: pytest.Item, settings: Settings) -> list[str] | None:
    """The options that select such an item, since its id is not a file; None for any other item."""
    if not is_given(item):
        return None
    if not item.nodeid.startswith(MODEL.nodeid):
        return ["--ts-demo"]
    options = settings.options
    name = getattr(item, "callspec").params["ts_model"]  # noqa: B009  # Function has it, and does not declare it
    inputs = inputs_of(name, options.models or (), options.input_files or ())
    loading = loading_options(settings.command_line) if is_checkpoint(name) else {}
    return [
        f'"--ts-model={name}"',
        *(f"{flag}={quote(value)}" for flag, value in loading.items()),
        *([f"--ts-artifact={quote(str(options.artifact))}"] if options.artifact else []),
        *([f"--ts-inputs={quote(str(inputs))}"] if inputs else []),
    ]
