"""Items as verdicts: the check of each item is run where its subject is, and ends the item as its verdict says."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import pytest

from pytest_tsexport.plugin.collection.expansion import id_of
from pytest_tsexport.plugin.collection.item_ids import ItemId
from pytest_tsexport.plugin.execution import outcomes, unexpanded
from pytest_tsexport.plugin.execution.capture_return import FixtureGraph, captured_return
from pytest_tsexport.plugin.execution.export_cache import ExportCache
from pytest_tsexport.plugin.execution.lazy_pipeline import LazyPipeline
from pytest_tsexport.plugin.session import transport
from pytest_tsexport.plugin.settings import Settings
from pytest_tsexport.verdict import Verdict

FIXTURES = pytest.StashKey[list[str]]()


class Subjects(Protocol):
    """Holds the subject that is being judged, here or in a process of its own."""

    def holds(self, subject: str) -> bool:
        """Whether an earlier item has run the function of this subject."""

    def release(self, following: ItemId | None = None) -> None:
        """Release all that the following item does not need."""

    def verdict(self, item: pytest.Function, parts: ItemId, returned: list[object]) -> Verdict | None:
        """The verdict of the item's check; None for a bare marker. `returned` is empty if an earlier item has it."""


class Judge:
    """Gives each item its verdict, and lets the function of a subject, with its fixtures, run once."""

    def __init__(self, settings: Settings, pipeline: LazyPipeline) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._fixtures = FixtureGraph()
        here = ExportCache(settings, pipeline, self._fixtures)
        self._changes = here.changes
        self._subjects: Subjects = pipeline.isolated(here, settings) if settings.options.is_isolated else here

    def has_subject(self, item: pytest.Item) -> bool:
        """Whether an earlier item has run the function of this item."""
        parts = id_of(item)
        return parts is not None and self._subjects.holds(parts.subject)

    def _defers(self, item: pytest.Item) -> bool:
        """Whether the function of this item is called later, in the process of its subject."""
        return self._settings.options.is_isolated and id_of(item) is not None

    def captured(self, item: pytest.Item) -> AbstractContextManager[list[object]]:
        """While this is open, what the function of a marked item returns is kept, and what it changes is recorded."""
        parts = id_of(item)
        if parts is None:
            return captured_return(item)
        return captured_return(item, lambda: self._changes.watched(parts.subject), deferred=self._defers(item))

    def release(self) -> None:
        """Release the export and the subject."""
        self._subjects.release()

    def fixture_starts(self, fixturedef: pytest.FixtureDef[object]) -> None:
        """A fixture is being set up: record which other ones it requests."""
        self._fixtures.add(fixturedef)

    def item_starts(self, item: pytest.Item) -> None:
        """Leave out the fixtures that only the function requests, if the function has already run."""
        transport.forget(item)
        self._pipeline.item_starts(item)
        if isinstance(item, pytest.Function) and self.has_subject(item):
            item.stash[FIXTURES] = item.fixturenames
            item.fixturenames = self._fixtures.without_own(item)

    def item_ends(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Give the item its fixtures back: a rerun may have to call the function. Release what is not needed."""
        if isinstance(item, pytest.Function):
            item.fixturenames = item.stash.get(FIXTURES, item.fixturenames)
        self._pipeline.item_ends()
        self._subjects.release(None if nextitem is None else id_of(nextitem))

    def judge(self, item: pytest.Item, returned: list[object]) -> None:
        """Run the item's check; `returned` is empty if an earlier item ran the function."""
        parts = id_of(item)
        if parts is None:
            unexpanded.judge(item, returned, self._settings)
        elif isinstance(item, pytest.Function):
            is_later = self.has_subject(item)
            verdict = self._subjects.verdict(item, parts, returned)
            if verdict is None:
                _pass_bare_marker(item, is_later=is_later)
            else:
                self._conclude(item, parts, verdict)

    def _conclude(self, item: pytest.Function, parts: ItemId, verdict: Verdict) -> None:
        verdict = outcomes.with_rerun(verdict, item, self._settings)
        transport.note(item, verdict)
        says_why = _is_selected(item.session, parts.of("trace"))
        outcomes.conclude(verdict, self._settings, test=item.originalname, trace_is_selected=says_why)


def _pass_bare_marker(item: pytest.Item, *, is_later: bool) -> None:
    item.stash[transport.BARE_MARKER] = True
    if is_later:
        outcomes.skip("the marked function returned None, and has already run")


def _is_selected(session: pytest.Session, nodeid: str) -> bool:
    """Whether that item is selected in this run. With pytest-xdist, every worker has collected every item."""
    return any(item.nodeid == nodeid for item in session.items)
