"""Caches what a marked function returned, and its export, from the first item of the subject to the last.

There is one export at a time. The next backend replaces it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

import pytest

from pytest_tsexport.errors import CrashError, TsExportError, UnavailableError
from pytest_tsexport.plugin.collection.expansion import POLICY, id_of
from pytest_tsexport.plugin.collection.item_ids import ItemId
from pytest_tsexport.plugin.execution import outcomes, unexpanded
from pytest_tsexport.plugin.execution.capture_return import FixtureGraph
from pytest_tsexport.plugin.execution.lazy_pipeline import LazyPipeline
from pytest_tsexport.plugin.session import transport
from pytest_tsexport.plugin.settings import Settings
from pytest_tsexport.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from pytest_tsexport.export import Export

FIXTURES = pytest.StashKey[list[str]]()


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

    def __init__(self, settings: Settings, pipeline: LazyPipeline) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._cached: CachedSubject | None = None
        self._export: CachedExport | None = None
        self.fixtures = FixtureGraph()

    def has_subject(self, item: pytest.Item) -> bool:
        """Whether an earlier item has run the function of this item."""
        parts = id_of(item)
        return parts is not None and self._cached is not None and self._cached.subject == parts.subject

    def release(self, nextitem: pytest.Item | None = None) -> None:
        """Release the export and the subject, except what the next item needs."""
        parts = None if nextitem is None else id_of(nextitem)
        if self._export is not None and (parts is None or parts.group != self._export.group):
            if self._export.export is not None:
                self._export.export.close()
            if self._export.crash is not None:
                self._cached = None  # what crashed may have left the model changed
            self._export = None
        if self._cached is not None and (parts is None or parts.subject != self._cached.subject):
            self._cached = None

    def item_starts(self, item: pytest.Item) -> None:
        """Leave out the fixtures that only the function requests, if the function has already run."""
        transport.forget(item)
        self._pipeline.item_starts(item)
        if isinstance(item, pytest.Function) and self.has_subject(item):
            item.stash[FIXTURES] = item.fixturenames
            item.fixturenames = self.fixtures.without_own(item)

    def item_ends(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Give the item its fixtures back: a rerun may have to call the function. Release what is not needed."""
        if isinstance(item, pytest.Function):
            item.fixturenames = item.stash.get(FIXTURES, item.fixturenames)
        self._pipeline.item_ends()
        self.release(nextitem)

    def judge(self, item: pytest.Item, returned: list[object]) -> None:
        """Run the item's check; `returned` is empty if an earlier item ran the function."""
        parts = id_of(item)
        if parts is None:
            unexpanded.judge(item, returned, self._settings)
        elif isinstance(item, pytest.Function):
            self._judge(item, parts, returned)

    def _judge(self, item: pytest.Function, parts: ItemId, returned: list[object]) -> None:
        cached, is_later = self._cached, self.has_subject(item)
        if cached is None or not is_later:
            self.release()
            cached = self._cached = self._begin(item, parts, returned)
        if cached.unavailable:
            self._end_unavailable(item, parts, cached.unavailable)
        if cached.error:
            _end_not_set_up(item, parts, cached.error)
        if cached.returned is None:
            self._pass_bare_marker(item, is_later=is_later)
            return
        try:
            self._require_same_answer(item, cached)
        except CrashError as crash:
            self._conclude(item, parts, _crashed(parts, crash))
        cached_export = self._export_on(item, parts, cached)
        if cached_export.crash is not None:
            self._conclude(item, parts, _crashed(parts, cached_export.crash))
        if cached_export.export is None:
            _end_not_set_up(item, parts, cached_export.error)
        self._conclude(item, parts, cached_export.export.check(parts.check))

    def _begin(self, item: pytest.Function, parts: ItemId, returned: list[object]) -> CachedSubject:
        if not returned:
            return CachedSubject(
                parts.subject, error=f"{item.originalname} was not called by pytest: another plugin ran it"
            )
        if isinstance(returned[-1], UnavailableError):
            return CachedSubject(parts.subject, unavailable=str(returned[-1]))
        if isinstance(returned[-1], TsExportError):
            return CachedSubject(parts.subject, error=f"{item.originalname}: {returned[-1]}")
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
            self._export = CachedExport(parts.group, error=f"{item.originalname}: {error}")
        self._cached = cached
        return self._export

    def _pass_bare_marker(self, item: pytest.Item, *, is_later: bool) -> None:
        item.stash[transport.BARE_MARKER] = True
        if is_later:
            outcomes.skip("the marked function returned None, and has already run")

    def _require_same_answer(self, item: pytest.Function, cached: CachedSubject) -> None:
        """Fail if the model answers differently than when it was exported."""
        # The digest is taken by the same export as before: another export may have other inputs.
        if cached.latest is None or cached.latest.reference_answer() == cached.answer:
            return
        ended = self.fixtures.that_ended(item)
        if not ended:
            outcomes.fail("the model changed after its first check: something outside the test changes it")
        names = ", ".join(f"`{name}`" for name in ended)
        what = f"fixture {names} ended; give it" if len(ended) == 1 else f"fixtures {names} ended; give them"
        outcomes.fail(f'the model changed when {what} scope="module"')

    def _end_unavailable(self, item: pytest.Item, parts: ItemId, why: str) -> NoReturn:
        verdict = _without_export(parts, Outcome.UNAVAILABLE, why)
        transport.note(item, verdict)
        outcomes.conclude_unavailable(verdict, self._settings, what="the model")

    def _conclude(self, item: pytest.Item, parts: ItemId, verdict: Verdict) -> None:
        verdict = outcomes.with_rerun(verdict, item, self._settings)
        transport.note(item, verdict)
        outcomes.conclude(verdict, self._settings, trace_is_selected=_is_selected(item.session, parts.of("trace")))


def _end_not_set_up(item: pytest.Function, parts: ItemId, sentence: str) -> NoReturn:
    """Fail the item; its verdict says why there was nothing to judge, so that the subject has a row in each report."""
    why = sentence.removeprefix(f"{item.originalname}: ")
    transport.note(item, _without_export(parts, Outcome.NOT_RUN, why))
    raise outcomes.NotSetUp(sentence, pytrace=False)


def _crashed(parts: ItemId, crash: CrashError) -> Verdict:
    """The verdict of an item whose export ended before its check began."""
    verdict = _without_export(parts, Outcome.CRASHED, f"crashed: {crash.what}; not judged")
    return verdict.with_rows(*crash.rows)


def _without_export(parts: ItemId, outcome: Outcome, headline: str) -> Verdict:
    return Verdict(
        subject=parts.subject, backend=parts.backend, check=parts.check, outcome=outcome, headline=headline
    )


def _is_selected(session: pytest.Session, nodeid: str) -> bool:
    """Whether that item is selected in this run. With pytest-xdist, every worker has collected every item."""
    return any(item.nodeid == nodeid for item in session.items)
