"""model -> export, inside a hand-written test: the fixture `ts_export`."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_tsexport.errors import PolicyError, TsExportError
from pytest_tsexport.plugin.execution.lazy_pipeline import EXPORTER, Exporter
from pytest_tsexport.plugin.markers import with_settings
from pytest_tsexport.plugin.settings import SETTINGS, Settings

if TYPE_CHECKING:
    from pytest_tsexport.export import Export


class TsExport(Protocol):
    """The type of the fixture `ts_export`."""

    def __call__(self, model: object, inputs: Mapping[str, Any] | None = None, **keywords: Any) -> Export:
        """Export `model`; the keywords are the marker's."""


@pytest.fixture(scope="session")
def ts_export(pytestconfig: pytest.Config) -> Iterator[TsExport]:
    """Exports a model in a test of your own; called with a model, its inputs, and keywords of the marker.

    `export.module` is the artifact loaded back from `export.path`, `export.subject` what it is judged against;
    `export.validate()` runs every check that applies and raises `ValidationFailed` where one fails, and
    `export.check("parity")` gives one verdict. Verdicts are reported with the test that asked for them.

        def test_ranker(ts_export):
            export = ts_export(Ranker(), {"query": torch.ones(1, 7)})
            export.validate()

    Session-scoped, so that fixtures of any scope and hypothesis's `@given` can use it.
    """
    factory = _Factory(pytestconfig.stash[SETTINGS], pytestconfig.stash[EXPORTER])
    yield factory.export
    factory.close()


class _Factory:
    """Makes exports for the test that runs, and closes at the end those that somebody still holds."""

    def __init__(self, settings: Settings, exporter: Exporter) -> None:
        self._settings = settings
        self._exporter = exporter
        self._made: weakref.WeakSet[Export] = weakref.WeakSet()
        self._counts: dict[str, int] = {}

    def export(self, model: object, inputs: Mapping[str, Any] | None = None, **keywords: Any) -> Export:
        __tracebackhide__ = True  # the user's line says what is wrong
        given = keywords if inputs is None else {**keywords, "inputs": inputs}
        policy = with_settings(given, self._settings)
        if keywords.get("xfail"):
            raise PolicyError("xfail is for the marker; in a test with ts_export, mark the test with pytest.mark.xfail")
        if len(keywords.get("backends") or ()) > 1 and not isinstance(keywords["backends"], str):
            raise PolicyError(f"backends is {keywords['backends']!r}; ts_export makes one export, so give one")
        try:
            export = self._exporter.export(model, policy, name=self._name(), backend=policy.backends[0])
        except TsExportError as error:
            raise error.with_traceback(None) from None
        self._made.add(export)
        return export

    def close(self) -> None:
        for export in list(self._made):
            export.close()

    def _name(self) -> str:
        """The node id of the running test; a second export of it is told apart by a number."""
        item = self._exporter.running
        nodeid = item.nodeid if item else "ts_export"
        self._counts[nodeid] = self._counts.get(nodeid, 0) + 1
        count = self._counts[nodeid]
        return nodeid if count == 1 else f"{nodeid} #{count}"
