"""item -> verdict: what the function of one subject returned, held from its first item to its last.

From it comes the export of one backend at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from pytest_tsexport.collecting.expansion import POLICY, id_of
from pytest_tsexport.collecting.itemid import ItemId
from pytest_tsexport.errors import TsExportError
from pytest_tsexport.running import judging, unexpanded
from pytest_tsexport.running.calling import FixtureGraph
from pytest_tsexport.running.exporting import Exporter
from pytest_tsexport.settings import Settings
from pytest_tsexport.telling import recording

if TYPE_CHECKING:
    from pytest_tsexport.export import Export

FIXTURES = pytest.StashKey[list[str]]()


@dataclass(frozen=True)
class Held:
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


class Bench:
    """The one subject that is being judged, and its export on the one backend that is asked about."""

    def __init__(self, settings: Settings, exporter: Exporter) -> None:
        self._settings = settings
        self._exporter = exporter
        self._held: Held | None = None
        self._exported: Exported | None = None
        self.fixtures = FixtureGraph()

    def holds(self, item: pytest.Item) -> bool:
        """Whether an earlier item already ran the function of this one."""
        parts = id_of(item)
        return parts is not None and self._held is not None and self._held.subject == parts.subject

    def let_go(self, nextitem: pytest.Item | None = None) -> None:
        """Free the export, unless the next item asks about it too; the subject, unless that is what it asks about."""
        parts = None if nextitem is None else id_of(nextitem)
        if self._exported is not None and (parts is None or parts.group != self._exported.group):
            if self._exported.export is not None:
                self._exported.export.close()
            self._exported = None
        if self._held is not None and (parts is None or parts.subject != self._held.subject):
            self._held = None

    def enter(self, item: pytest.Item) -> None:
        """An item begins: fixtures that only its function asks for are not set up for a second time."""
        recording.forget(item)
        self._exporter.enter(item)
        if isinstance(item, pytest.Function) and self.holds(item):
            item.stash[FIXTURES] = item.fixturenames
            item.fixturenames = self.fixtures.without_own(item)

    def leave(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """The item has ended. Its fixtures are as they were, since a rerun may have to build the subject anew."""
        if isinstance(item, pytest.Function):
            item.fixturenames = item.stash.get(FIXTURES, item.fixturenames)
        self._exporter.leave()
        self.let_go(nextitem)

    def judge(self, item: pytest.Item, returned: list[object]) -> None:
        """Ask the item's one question; `returned` is empty where an earlier item ran the function."""
        parts = id_of(item)
        if parts is None:
            unexpanded.judge(item, returned, self._settings)
        elif isinstance(item, pytest.Function):
            self._judge(item, parts, returned)

    def _judge(self, item: pytest.Function, parts: ItemId, returned: list[object]) -> None:
        held, again = self._held, self.holds(item)
        if held is None or not again:
            self.let_go()
            held = self._held = self._begin(item, parts, returned)
        if held.error:
            judging.fail(held.error)
        if held.returned is None:
            self._label(item, again=again)
            return
        self._require_same_answer(item, held)
        exported = self._exported_on(item, parts, held)
        if exported.export is None:
            judging.fail(exported.error)
        self._ask(item, parts, exported.export)

    def _begin(self, item: pytest.Function, parts: ItemId, returned: list[object]) -> Held:
        if not returned:
            return Held(
                parts.subject, error=f"{item.originalname} was not called: another plugin ran it in its own way"
            )
        if returned[-1] is None and not unexpanded.may_be_label(item, self._settings):
            return Held(parts.subject, error=unexpanded.none_returned(item))
        return Held(parts.subject, returned=returned[-1])

    def _exported_on(self, item: pytest.Function, parts: ItemId, held: Held) -> Exported:
        """The export of the item's backend: the first item that asks makes it."""
        if self._exported is not None and self._exported.group == parts.group:
            return self._exported
        # What is raised unforeseen leaves nothing behind, not even a model that nobody has asked what it answers.
        self._held = None
        try:
            export = self._exporter.export(held.returned, item.stash[POLICY], name=parts.subject, backend=parts.backend)
        except TsExportError as error:
            self._exported = Exported(parts.group, error=f"{item.originalname}: {error}")
        else:
            self._exported = Exported(parts.group, export)
            held = replace(held, latest=export, answer=export.reference_answer())
        self._held = held
        return self._exported

    def _label(self, item: pytest.Item, *, again: bool) -> None:
        item.stash[recording.LABEL] = True
        if again:
            judging.skip("the marked function returned None, and has run already")

    def _require_same_answer(self, item: pytest.Function, held: Held) -> None:
        """Fail where the model is not what it was, whichever backend asked it then."""
        # The export that asked asks again: another one may have been given other inputs.
        if held.latest is None or held.latest.reference_answer() == held.answer:
            return
        ended = self.fixtures.that_ended(item)
        if not ended:
            judging.fail("the model changed after its first check: something outside the test changes it")
        names = ", ".join(f"`{name}`" for name in ended)
        what = f"fixture {names} ended; give it" if len(ended) == 1 else f"fixtures {names} ended; give them"
        judging.fail(f'the model changed when {what} scope="module"')

    def _ask(self, item: pytest.Item, parts: ItemId, export: Export) -> None:
        verdict = export.check(parts.check)
        verdict = judging.with_replay(verdict, item, self._settings)
        recording.note(item, verdict)
        judging.conclude(verdict, self._settings, trace_is_selected=_is_selected(item.session, parts.of("trace")))


BENCH = pytest.StashKey[Bench]()


def _is_selected(session: pytest.Session, nodeid: str) -> bool:
    """Whether that item runs too; with workers, each of them has collected every item."""
    return any(item.nodeid == nodeid for item in session.items)
