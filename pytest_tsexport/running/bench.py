"""item -> verdict: the export of one subject, held from its first item to its last."""

from __future__ import annotations

from dataclasses import dataclass
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
    """What the first item of a subject left for the others: an export, or why there is none.

    `answer` is the digest of what the model answered then.
    """

    group: str
    export: Export | None = None
    answer: str = ""
    error: str = ""


class Bench:
    """The one subject that is being judged."""

    def __init__(self, settings: Settings, exporter: Exporter) -> None:
        self._settings = settings
        self._exporter = exporter
        self._held: Held | None = None
        self.fixtures = FixtureGraph()

    def holds(self, item: pytest.Item) -> bool:
        """Whether an earlier item already ran the function of this one."""
        parts = id_of(item)
        return parts is not None and self._held is not None and self._held.group == parts.group

    def let_go(self, nextitem: pytest.Item | None = None) -> None:
        """Free the export, unless the next item asks about it too."""
        if self._held is None or (nextitem is not None and self.holds(nextitem)):
            return
        if self._held.export is not None:
            self._held.export.close()
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
        if held.export is None:
            self._label(item, again=again)
            return
        if again:
            self._require_same_answer(item, held)
        self._ask(item, parts, held.export)

    def _begin(self, item: pytest.Function, parts: ItemId, returned: list[object]) -> Held:
        if not returned:
            return Held(parts.group, error=f"{item.originalname} was not called: another plugin ran it in its own way")
        if returned[-1] is None:
            label = unexpanded.may_be_label(item, self._settings)
            return Held(parts.group, error="" if label else unexpanded.none_returned(item))
        try:
            policy = item.stash[POLICY]
            export = self._exporter.export(returned[-1], policy, name=parts.subject, backend=parts.backend)
            return Held(parts.group, export=export, answer=export.reference_answer())
        except TsExportError as error:
            return Held(parts.group, error=f"{item.originalname}: {error}")

    def _label(self, item: pytest.Item, *, again: bool) -> None:
        item.stash[recording.LABEL] = True
        if again:
            judging.skip("the marked function returned None, and has run already")

    def _require_same_answer(self, item: pytest.Function, held: Held) -> None:
        assert held.export is not None
        if held.export.reference_answer() == held.answer:
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
