"""report -> reason: why an item failed, or ended without a verdict, in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pytest

from pytest_tsexport.plugin.collection.item_ids import parse
from pytest_tsexport.reports.grouping import Unanswered
from pytest_tsexport.reports.run_record import FailedItem
from pytest_tsexport.verdict import Verdict


class Ended(NamedTuple):
    """Why an item ended, and whether it was skipped."""

    why: str
    skipped: bool = False


PROCESS_ENDED = Ended("its process ended before it gave a verdict")


def ended(report: pytest.TestReport) -> Ended:
    """The first line of what failed or skipped the item."""
    return Ended(_why(report), report.skipped)


def _why(report: pytest.TestReport) -> str:
    longrepr = report.longrepr
    if isinstance(longrepr, tuple):
        return longrepr[2].removeprefix("Skipped: ")
    crash = getattr(longrepr, "reprcrash", None)
    text = report.longreprtext if crash is None else crash.message
    return next((line.strip() for line in str(text).splitlines() if line.strip()), "it failed without a message")


def unanswered(items: Mapping[str, Ended], backends: Iterable[str]) -> Iterator[Unanswered]:
    """The items of checks among those that ended without a verdict, by node id."""
    for nodeid, (why, skipped) in items.items():
        parts = parse(nodeid, backends)
        if parts is not None:
            yield Unanswered(
                item=nodeid, subject=parts.subject, backend=parts.backend, check=parts.check, why=why, skipped=skipped
            )


def failed_items(
    items: Mapping[str, str], verdicts: Mapping[str, Sequence[Verdict]], backends: Iterable[str]
) -> Iterator[FailedItem]:
    """Each failed item with each export that it is about: by its id, or by the verdicts of a hand-written test."""
    for nodeid, why in items.items():
        parts = parse(nodeid, backends)
        exports = {(one.subject, one.backend) for one in verdicts.get(nodeid, ())}
        for subject, backend in sorted(exports if parts is None else {(parts.subject, parts.backend)}):
            yield FailedItem(nodeid, subject, backend, why)
