"""Caches what a marked function returned, and its export, from the first item of the subject to the last.

There is one export at a time. The next backend replaces it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from pytest_tsexport.errors import CrashError, TsExportError, UnavailableError
from pytest_tsexport.plugin.collection.expansion import POLICY
from pytest_tsexport.plugin.collection.item_ids import ItemId
from pytest_tsexport.plugin.execution import outcomes, unexpanded
from pytest_tsexport.plugin.execution.capture_return import FixtureGraph
from pytest_tsexport.plugin.execution.function_changes import FunctionChanges
from pytest_tsexport.plugin.execution.lazy_pipeline import LazyPipeline
from pytest_tsexport.plugin.settings import Settings
from pytest_tsexport.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from pytest_tsexport.export import Export


@dataclass(frozen=True)
class CachedSubject:
    """What the function of a subject returned, kept for the later items of the subject on any backend.

    `returned` is None for a bare marker, or if `error` says why there is nothing to judge, or `unavailable` why the
    model cannot be made here. `latest` is the latest export, open or closed, and `answer` is a digest of the model's
    answer when that export was made.
    """

    subject: str
    returned: object = None
    error: str = ""
    unavailable: str = ""
    latest: Export | None = None
    answer: str = ""


@dataclass(frozen=True)
class CachedExport:
    """The export of a subject on one backend, kept for its later items; or the `error` if it could not be made.

    `crash` is there instead if the model or the exporter ended it: a model that hangs is not exported for each item.
    """

    group: str
    export: Export | None = None
    error: str = ""
    crash: CrashError | None = None


class ExportCache:
    """The one subject that is being judged, and its export on one backend."""

    def __init__(self, settings: Settings, pipeline: LazyPipeline, fixtures: FixtureGraph) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._fixtures = fixtures
        self._cached: CachedSubject | None = None
        self._export: CachedExport | None = None
        self.changes = FunctionChanges()

    def holds(self, subject: str) -> bool:
        """Whether an earlier item has run the function of this subject."""
        return self._cached is not None and self._cached.subject == subject

    def release(self, following: ItemId | None = None) -> None:
        """Release the export and the subject, except what the following item needs; put back what the function set."""
        self._forget(following)
        self.changes.put_back("" if following is None else following.subject)

    def _forget(self, following: ItemId | None = None) -> None:
        if self._export is not None and (following is None or following.group != self._export.group):
            if self._export.export is not None:
                self._export.export.close()
            if self._export.crash is not None:
                self._cached = None  # what crashed may have left the model changed
            self._export = None
        if self._cached is not None and (following is None or following.subject != self._cached.subject):
            self._cached = None

    def verdict(self, item: pytest.Function, parts: ItemId, returned: list[object]) -> Verdict | None:
        """The verdict of the item's check; None for a bare marker. `returned` is empty if an earlier item has it."""
        verdict = self._verdict(item, parts, returned)
        return verdict and replace(verdict, notes=(*verdict.notes, *self.changes.notes()))

    def _verdict(self, item: pytest.Function, parts: ItemId, returned: list[object]) -> Verdict | None:
        cached = self._cached
        if cached is None or not self.holds(parts.subject):
            self._forget()
            cached = self._cached = self._begin(item, parts, returned)
        if cached.unavailable:
            return replace(_without_export(parts, Outcome.UNAVAILABLE, cached.unavailable), no_model=True)
        if cached.error:
            return _without_export(parts, Outcome.NOT_RUN, cached.error)
        return None if cached.returned is None else self._judged(item, parts, cached)

    def _judged(self, item: pytest.Function, parts: ItemId, cached: CachedSubject) -> Verdict:
        try:
            self._require_same_answer(item, cached)
        except CrashError as crash:
            return crashed(parts, crash)
        cached_export = self._export_on(item, parts, cached)
        if cached_export.crash is not None:
            return crashed(parts, cached_export.crash)
        if cached_export.export is None:
            return _without_export(parts, Outcome.NOT_RUN, cached_export.error)
        return cached_export.export.check(parts.check)

    def _begin(self, item: pytest.Function, parts: ItemId, returned: list[object]) -> CachedSubject:
        if not returned:
            return CachedSubject(
                parts.subject, error=f"{item.originalname} was not called by pytest: another plugin ran it"
            )
        if isinstance(returned[-1], UnavailableError):
            return CachedSubject(parts.subject, unavailable=str(returned[-1]))
        if isinstance(returned[-1], TsExportError):
            return CachedSubject(parts.subject, error=str(returned[-1]))
        if returned[-1] is None and not unexpanded.may_return_nothing(item, self._settings):
            return CachedSubject(parts.subject, error=unexpanded.none_returned(item))
        return CachedSubject(parts.subject, returned=returned[-1])

    def _export_on(self, item: pytest.Function, parts: ItemId, cached: CachedSubject) -> CachedExport:
        """The export on the backend of the item. The first item that needs it makes it."""
        if self._export is not None and self._export.group == parts.group:
            return self._export
        # After an interrupt below, no incomplete subject stays in the cache.
        self._cached = None
        try:
            export = self._pipeline.export(
                cached.returned, item.stash[POLICY], name=parts.subject, backend=parts.backend
            )
            self._export = CachedExport(parts.group, export)
            cached = replace(cached, latest=export, answer=export.reference_answer())
        except CrashError as crash:
            self._export = CachedExport(parts.group, crash=crash)
        except TsExportError as error:
            self._export = CachedExport(parts.group, error=str(error))
        self._cached = cached
        return self._export

    def _require_same_answer(self, item: pytest.Function, cached: CachedSubject) -> None:
        """Fail if the model answers differently than when it was exported."""
        # The digest is taken by the same export as before: another export may have other inputs.
        if cached.latest is None or cached.latest.reference_answer() == cached.answer:
            return
        ended = self._fixtures.that_ended(item)
        if not ended:
            outcomes.fail("the model changed after its first check: something outside the test changes it")
        names = ", ".join(f"`{name}`" for name in ended)
        what = f"fixture {names} ended; give it" if len(ended) == 1 else f"fixtures {names} ended; give them"
        outcomes.fail(f'the model changed when {what} scope="module"')


def crashed(parts: ItemId, crash: CrashError, outcome: Outcome = Outcome.CRASHED) -> Verdict:
    """The verdict of an item whose export ended before its check gave one."""
    return _without_export(parts, outcome, f"{outcome.value}: {crash.what}; not judged").with_rows(*crash.rows)


def _without_export(parts: ItemId, outcome: Outcome, headline: str) -> Verdict:
    return Verdict(subject=parts.subject, backend=parts.backend, check=parts.check, outcome=outcome, headline=headline)
