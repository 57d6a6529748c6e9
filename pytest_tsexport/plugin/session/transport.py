"""verdict -> report: what an item was told rides on its report, and so out of a worker."""

from __future__ import annotations

import pytest

from pytest_tsexport.reports.junit import PROPERTY, to_property
from pytest_tsexport.verdict import Verdict

VERDICTS = pytest.StashKey[list[Verdict]]()
UNREPORTED = pytest.StashKey[list[Verdict]]()
LABEL = pytest.StashKey[bool]()


def forget(item: pytest.Item) -> None:
    """Drop what an earlier run of this item left: a rerun says everything again."""
    item.stash[VERDICTS] = []
    item.stash[UNREPORTED] = []
    item.stash[LABEL] = False
    item.user_properties[:] = _others(item)


def note(item: pytest.Item, verdict: Verdict) -> None:
    """Hang a verdict on the item that asked for it, in the place of an earlier one of the same question."""
    verdicts = with_verdict(item.stash.setdefault(VERDICTS, []), verdict)
    item.stash[VERDICTS] = verdicts
    item.stash[UNREPORTED] = with_verdict(item.stash.setdefault(UNREPORTED, []), verdict)
    item.user_properties[:] = [*_others(item), *(to_property(v) for v in verdicts)]


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """The item's new verdicts on its report, as builtin types alone: that is all that crosses to another process."""
    verdicts = item.stash.get(UNREPORTED, [])
    if verdicts:
        vars(report)["tsexport"] = [verdict.to_dict() for verdict in verdicts]
    if item.stash.get(LABEL, False):
        vars(report)["tsexport_label"] = True
    item.stash[UNREPORTED] = []


def with_verdict(verdicts: list[Verdict], verdict: Verdict) -> list[Verdict]:
    """`verdicts` with this one in the place of an earlier answer to the same question."""
    question = (verdict.subject, verdict.name)
    return [*(v for v in verdicts if (v.subject, v.name) != question), verdict]


def _others(item: pytest.Item) -> list[tuple[str, object]]:
    return [pair for pair in item.user_properties if pair[0] != PROPERTY]
