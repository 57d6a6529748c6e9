"""Carries the verdicts of an item on its report, and so from a worker to the controller."""

from __future__ import annotations

import pytest

from pytest_tsexport.reports.junit import PROPERTY, to_property
from pytest_tsexport.verdict import Verdict

VERDICTS = pytest.StashKey[list[Verdict]]()
UNREPORTED = pytest.StashKey[list[Verdict]]()
BARE_MARKER = pytest.StashKey[bool]()


def forget(item: pytest.Item) -> None:
    """Drop the verdicts of an earlier run of this item, before a rerun."""
    item.stash[VERDICTS] = []
    item.stash[UNREPORTED] = []
    item.stash[BARE_MARKER] = False
    item.user_properties[:] = _others(item)


def note(item: pytest.Item, verdict: Verdict) -> None:
    """Give a verdict to the item that asked for it; it replaces an earlier answer to the same question."""
    verdicts = with_verdict(item.stash.setdefault(VERDICTS, []), verdict)
    item.stash[VERDICTS] = verdicts
    item.stash[UNREPORTED] = with_verdict(item.stash.setdefault(UNREPORTED, []), verdict)
    item.user_properties[:] = [*_others(item), *(to_property(v) for v in verdicts)]


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put the item's new verdicts on its report, as builtin types: only these can be sent to another process."""
    verdicts = item.stash.get(UNREPORTED, [])
    if verdicts:
        vars(report)["tsexport"] = [verdict.to_dict() for verdict in verdicts]
    if item.stash.get(BARE_MARKER, False):
        vars(report)["tsexport_bare_marker"] = True
    item.stash[UNREPORTED] = []


def with_verdict(verdicts: list[Verdict], verdict: Verdict) -> list[Verdict]:
    """`verdicts` with this one, which replaces an earlier answer to the same question."""
    question = (verdict.subject, verdict.name)
    return [*(v for v in verdicts if (v.subject, v.name) != question), verdict]


def _others(item: pytest.Item) -> list[tuple[str, object]]:
    return [pair for pair in item.user_properties if pair[0] != PROPERTY]
