"""item -> verdict: what the function of one subject returned, held from its first item to its last.

From it comes the export of one backend at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from pytest_tsexport.errors import TsExportError
from pytest_tsexport.plugin.collection.expansion import POLICY, id_of
from pytest_tsexport.plugin.collection.item_ids import ItemId
from pytest_tsexport.plugin.execution import outcomes, unexpanded
from pytest_tsexport.plugin.execution.capture_return import FixtureGraph
from pytest_tsexport.plugin.execution.lazy_pipeline import Exporter
from pytest_tsexport.plugin.session import transport
from pytest_tsexport.plugin.settings import Settings

if TYPE_CHECKING:
    from pytest_tsexport.export import Export

FIXTURES = pytest.StashKey[list[str]]()


@dataclass(frozen=True)
class CachedSubject:
    """What the first item of a subject left for the others, on whichever backend: what the function returned.

    None is a label, unless `error` says why there is nothing to judge. `latest` is the export that was made last, open
    or closed, and `answer` the digest of what the model answered then.
    """

    subject: str
    returned: object = None
    error: str = ""
    latest: Export | None = None
    answer: str = ""


@dataclass(frozen=True)
class Exported:
    """What the first item of a subject and backend left for the others: an export, or why there is none."""

    group: str
    export: Export | None = None
    error: str = ""


class ExportCache:
    """The one subject that is being judged, and its export on the one backend that is asked about."""

    def __init__(self, settings: Settings, exporter: Exporter) -> None:
        self._settings = settings
        self._exporter = exporter
        self._cached: CachedSubject | None = None
        self._exported: Exported | None = None
        self.fixtures = FixtureGraph()

    def has_subject(self, item: pytest.Item) -> bool:
        """Whether an earlier item already ran the function of this one."""
        parts = id_of(item)
        return parts is not None and self._cached is not None and self._cached.subject == parts.subject

    def release(self, nextitem: pytest.Item | None = None) -> None:
        """Free the export, unless the next item asks about it too; the subject, unless that is what it asks about."""
        parts = None if nextitem is None else id_of(nextitem)
        if self._exported is not None and (parts is None or parts.group != self._exported.group):
            if self._exported.export is not None:
                self._exported.export.close()
            self._exported = None
        if self._cached is not None and (parts is None or parts.subject != self._cached.subject):
            self._cached = None

    def enter(self, item: pytest.Item) -> None:
        """An item begins: fixtures that only its function asks for are not set up for a second time."""
        transport.forget(item)
        self._exporter.enter(item)
        if isinstance(item, pytest.Function) and self.has_subject(item):
            item.stash[FIXTURES] = item.fixturenames
            item.fixturenames = self.fixtures.without_own(item)

    def leave(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """The item has ended. Its fixtures are as they were, since a rerun may have to build the subject anew."""
        if isinstance(item, pytest.Function):
            item.fixturenames = item.stash.get(FIXTURES, item.fixturenames)
        self._exporter.leave()
        self.release(nextitem)

    def judge(self, item: pytest.Item, returned: list[object]) -> None:
        """Ask the item's one question; `returned` is empty where an earlier item ran the function."""
        parts = id_of(item)
        if parts is None:
            unexpanded.judge(item, returned, self._settings)
        elif isinstance(item, pytest.Function):
            self._judge(item, parts, returned)

    def _judge(self, item: pytest.Function, parts: ItemId, returned: list[object]) -> None:
        cached, is_rerun = self._cached, self.has_subject(item)
        if cached is None or not is_rerun:
            self.release()
            cached = self._cached = self._begin(item, parts, returned)
        if cached.error:
            outcomes.fail(cached.error)
        if cached.returned is None:
            self._label(item, is_rerun=is_rerun)
            return
        self._require_same_answer(item, cached)
        exported = self._exported_on(item, parts, cached)
        if exported.export is None:
            outcomes.fail(exported.error)
        self._ask(item, parts, exported.export)

    def _begin(self, item: pytest.Function, parts: ItemId, returned: list[object]) -> CachedSubject:
        if not returned:
            return CachedSubject(
                parts.subject, error=f"{item.originalname} was not called: another plugin ran it in its own way"
            )
        if returned[-1] is None and not unexpanded.may_be_label(item, self._settings):
            return CachedSubject(parts.subject, error=unexpanded.none_returned(item))
        return CachedSubject(parts.subject, returned=returned[-1])

    def _exported_on(self, item: pytest.Function, parts: ItemId, cached: CachedSubject) -> Exported:
        """The export of the item's backend: the first item that asks makes it."""
        if self._exported is not None and self._exported.group == parts.group:
            return self._exported
        # What is raised unforeseen leaves nothing behind, not even a model that nobody has asked what it answers.
        self._cached = None
        try:
            export = self._exporter.export(
                cached.returned, item.stash[POLICY], name=parts.subject, backend=parts.backend
            )
        except TsExportError as error:
            self._exported = Exported(parts.group, error=f"{item.originalname}: {error}")
        else:
            self._exported = Exported(parts.group, export)
            cached = replace(cached, latest=export, answer=export.reference_answer())
        self._cached = cached
        return self._exported

    def _label(self, item: pytest.Item, *, is_rerun: bool) -> None:
        item.stash[transport.LABEL] = True
        if is_rerun:
            outcomes.skip("the marked function returned None, and has run already")

    def _require_same_answer(self, item: pytest.Function, cached: CachedSubject) -> None:
        """Fail where the model is not what it was, whichever backend asked it then."""
        # The export that asked asks again: another one may have been given other inputs.
        if cached.latest is None or cached.latest.reference_answer() == cached.answer:
            return
        ended = self.fixtures.that_ended(item)
        if not ended:
            outcomes.fail("the model changed after its first check: something outside the test changes it")
        names = ", ".join(f"`{name}`" for name in ended)
        what = f"fixture {names} ended; give it" if len(ended) == 1 else f"fixtures {names} ended; give them"
        outcomes.fail(f'the model changed when {what} scope="module"')

    def _ask(self, item: pytest.Item, parts: ItemId, export: Export) -> None:
        verdict = export.check(parts.check)
        verdict = outcomes.with_replay(verdict, item, self._settings)
        transport.note(item, verdict)
        outcomes.conclude(verdict, self._settings, trace_is_selected=_is_selected(item.session, parts.of("trace")))


EXPORT_CACHE = pytest.StashKey[ExportCache]()


def _is_selected(session: pytest.Session, nodeid: str) -> bool:
    """Whether that item runs too; with workers, each of them has collected every item."""
    return any(item.nodeid == nodeid for item in session.items)
