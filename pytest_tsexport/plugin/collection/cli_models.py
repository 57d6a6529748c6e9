"""Collects the models of `--ts-model`: a module of this package, in place of the repository's own tests."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from pytest_tsexport.plugin.settings import Settings

NODEID = "ts-model"
MODULE = Path(__file__).with_name("model_under_test.py")


def collect_given(config: pytest.Config, settings: Settings) -> None:
    """If a model is given, only it is validated, and files that the command line names; `testpaths` do not count."""
    if not settings.options.models:
        return
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = []
    config.pluginmanager.register(GivenModels(), "tsexport-given-models")


class GivenModels:
    """A plugin object that adds one file to those that the session collects."""

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Only the session has files."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed:
            module = pytest.Module.from_parent(collector, path=MODULE, nodeid=NODEID)
            report.result = [*(report.result or []), module]
        return report


def is_given(item: pytest.Item) -> bool:
    """Whether the item is about a model that the command line named."""
    return is_given_id(item.nodeid)


def is_given_id(nodeid: str) -> bool:
    """Whether the item of that id is."""
    return nodeid.startswith(f"{NODEID}::")


def rerun_options(item: pytest.Item, settings: Settings) -> list[str] | None:
    """The options that select such an item, since its id is not a file; None for any other item."""
    if not is_given(item):
        return None
    name = getattr(item, "callspec").params["ts_model"]  # noqa: B009  # Function has it, and does not declare it
    artifact = settings.options.artifact
    return [f'"--ts-model={name}"', *([f"--ts-artifact={artifact}"] if artifact else [])]
