"""report -> reason: why an item of a check ended without a verdict, in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pytest

from pytest_tsexport.plugin.collection.item_ids import parse
from pytest_tsexport.reports.run_record import Unanswered

PROCESS_ENDED = "its process ended before it gave a verdict"


def why_ended(report: pytest.TestReport) -> str:
    """The first line of what failed or skipped the item."""
    longrepr = report.longrepr
    if isinstance(longrepr, tuple):
        return longrepr[2].removeprefix("Skipped: ")
    crash = getattr(longrepr, "reprcrash", None)
    text = report.longreprtext if crash is None else crash.message
    return next((line.strip() for line in str(text).splitlines() if line.strip()), "it failed without a message")


def unanswered(ended: Mapping[str, str], backends: Iterable[str]) -> Iterator[Unanswered]:
    """The items of checks among those that `ended`, which are node ids with their reasons."""
    for nodeid, why in ended.items():
        parts = parse(nodeid, backends)
        if parts is not None:
            yield Unanswered(item=nodeid, subject=parts.subject, backend=parts.backend, check=parts.check, why=why)
