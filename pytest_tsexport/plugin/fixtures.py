"""What the fixture `ts_export` gives to a hand-written test: a function that exports a model."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from pytest_tsexport.errors import PolicyError, raises_at_the_call
from pytest_tsexport.plugin.execution.lazy_pipeline import LazyPipeline
from pytest_tsexport.plugin.markers import with_settings
from pytest_tsexport.plugin.settings import Settings

if TYPE_CHECKING:
    from pytest_tsexport.export import Export


class TsExport(Protocol):
    """The type of the fixture `ts_export`."""

    def __call__(self, model: object, inputs: Mapping[str, Any] | None = None, **keywords: Any) -> Export:
        """Export `model`; the keywords are the marker's."""


@contextmanager
def export_factory(settings: Settings, pipeline: LazyPipeline) -> Iterator[TsExport]:
    """While this is open, exports are made; at the end, those that somebody still holds are closed."""
    factory = _Factory(settings, pipeline)
    yield factory.export
    factory.close()


class _Factory:
    """Makes exports for the test that runs."""

    def __init__(self, settings: Settings, pipeline: LazyPipeline) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._made: weakref.WeakSet[Export] = weakref.WeakSet()
        self._counts: dict[str, int] = {}

    @raises_at_the_call
    def export(self, model: object, inputs: Mapping[str, Any] | None = None, **keywords: Any) -> Export:
        given = keywords if inputs is None else {**keywords, "inputs": inputs}
        policy = with_settings(given, self._settings)
        if keywords.get("xfail"):
            raise PolicyError("xfail is for the marker; in a test with ts_export, mark the test with pytest.mark.xfail")
        if len(keywords.get("backends") or ()) > 1 and not isinstance(keywords["backends"], str):
            raise PolicyError(f"backends is {keywords['backends']!r}; ts_export makes one export, so give one")
        export = self._pipeline.export(model, policy, name=self._name(), backend=policy.backends[0])
        self._made.add(export)
        return export

    def close(self) -> None:
        for export in list(self._made):
            export.close()

    def _name(self) -> str:
        """The node id of the running test, with a number from its second export on."""
        item = self._pipeline.current_item
        nodeid = item.nodeid if item else "ts_export"
        self._counts[nodeid] = self._counts.get(nodeid, 0) + 1
        count = self._counts[nodeid]
        return nodeid if count == 1 else f"{nodeid} #{count}"
