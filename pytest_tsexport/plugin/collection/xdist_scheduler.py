"""What the controller of pytest-xdist needs: a scheduler that gives one worker all items of a subject.

Only the hook that pytest-xdist calls loads this module. xdist's own `loadgroup` would need a mark on each item; on
pytest 9.2 it groups nothing (pytest-xdist #1386), and on older versions it renames the items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadGroupScheduling, LoadScheduling, Scheduling  # type: ignore[import-untyped]
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]

from pytest_tsexport.config.names import BACKENDS
from pytest_tsexport.plugin.collection.item_ids import ItemId, parse

THEIRS = {"load": LoadScheduling, "loadgroup": LoadGroupScheduling}
"""The kinds that ours replaces; a user who asks for `loadfile`, `worksteal` or `each` gets that."""

ENOUGH = 2
"""Items: fewer of them do not keep a worker going."""


def make_scheduler(config: pytest.Config, log: Producer, backends: Iterable[str] = BACKENDS) -> object:
    """The scheduler of this run, or None if the user asked for another kind."""
    theirs = THEIRS.get(config.getoption("dist"))
    if theirs is None:
        return None
    names = tuple(backends)
    return SubjectScheduling(
        BySubject(config, log, names), theirs(config, log), lambda nodeid: parse(nodeid, names) is not None
    )


class SubjectScheduling:
    """Ours if some collected id is one of ours, else xdist's own."""

    def __init__(self, ours: Scheduling, theirs: Scheduling, is_ours: Callable[[str], bool]) -> None:
        self._scheduler = ours
        self._theirs = theirs
        self._is_ours = is_ours
        self._decided = False

    def __getattr__(self, name: str) -> Any:
        """Whatever xdist asks of a scheduler."""
        return getattr(self._scheduler, name)

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """The first collection decides: all workers collect the same."""
        if not self._decided and not any(map(self._is_ours, collection)):
            for waiting in self._scheduler.nodes:
                self._theirs.add_node(waiting)
            self._scheduler = self._theirs
        self._decided = True
        self._scheduler.add_node_collection(node, collection)


class BySubject(LoadGroupScheduling):  # type: ignore[misc]  # xdist ships no types
    """The items of a subject, on all its backends, are one unit of work; any other item is a separate unit."""

    def __init__(self, config: pytest.Config, log: Producer, backends: tuple[str, ...]) -> None:
        super().__init__(config, log)
        self._backends = backends

    def _split_scope(self, nodeid: str) -> str:
        parts: ItemId | None = parse(nodeid, self._backends)
        theirs: str = super()._split_scope(nodeid)
        return theirs if parts is None else parts.subject

    def remove_node(self, node: WorkerController) -> str | None:
        """The item during which a worker died is not rerun; xdist's version would let it kill the next worker too."""
        work: dict[str, dict[str, bool]] = self.assigned_work.pop(node)
        crashed = next((nodeid for unit in work.values() for nodeid, done in unit.items() if not done), None)
        if crashed is None:
            return None
        for scope, unit in work.items():
            left = {nodeid: done or nodeid == crashed for nodeid, done in unit.items()}
            if not all(left.values()):
                self.workqueue[scope] = left
        for other in self.assigned_work:
            self._reschedule(other)
        return crashed

    def _reschedule(self, node: WorkerController) -> None:
        """Give work to a worker that has collected, and enough: one that replaces a dead one has nothing else to do.

        A worker starts an item when it knows the next one, or that there is none. xdist's version raises `KeyError` if
        a second worker is being replaced, and one unit with one item left would never be started.
        """
        if node not in self.registered_collections:
            return
        super()._reschedule(node)
        while not node.shutting_down and self._pending_of(self.assigned_work[node]) < ENOUGH:
            super()._reschedule(node)


class Recorder(Protocol):
    """What takes the reports of the run."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Each report of each item."""


class FirstReport:
    """Makes the recorder with the first report of an item of ours: a controller collects nothing itself."""

    def __init__(self, make_recorder: Callable[[], Recorder]) -> None:
        self._make_recorder = make_recorder
        self._is_made = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The recorder hears of this report from here, and of all later ones from pytest."""
        if not self._is_made and (parse(report.nodeid, BACKENDS) or _carries_ours(report)):
            self._is_made = True
            self._make_recorder().pytest_runtest_logreport(report)


def _carries_ours(report: pytest.TestReport) -> bool:
    """Whether a test that is not an item of ours has verdicts, made by `ts_export`, or a bare marker."""
    return any(name.startswith("tsexport") for name in vars(report))
