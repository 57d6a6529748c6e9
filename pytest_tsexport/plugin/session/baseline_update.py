"""Writes the interface of each export to the interface baseline, at the end of the run and in one process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from pytest_tsexport.config.baseline import Baseline, Entries
from pytest_tsexport.errors import PolicyError
from pytest_tsexport.verdict import Verdict


def write(session: pytest.Session, baseline: Baseline | None, verdicts: Sequence[Verdict]) -> str:
    """The line that says what was written; empty if nobody asked for it.

    Entries of tests that did not run stay as they are. If nothing can be written, the run fails.
    """
    if baseline is None:
        return ""
    try:
        entries = baseline.read()
        counts = _update(entries, verdicts)
        if counts:
            baseline.write(entries)
    except PolicyError as error:
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
        return str(error)
    except OSError as error:
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
        return f"{baseline.typed} was not written: {error.strerror}"
    if not counts:
        return f"{baseline.typed} was not written: no export was asked for its interface"
    kept = sum(map(len, entries.values())) - counts.total()
    parts = [f"{counts[word]} {word}" for word in ("new", "changed", "as before") if counts[word]]
    return f"{baseline.typed} was written: {', '.join(parts)}" + (f"; {kept} did not run and stay" if kept else "")


def _update(entries: Entries, verdicts: Sequence[Verdict]) -> Counter[str]:
    """Add the interfaces of these verdicts to `entries`, and count what changed."""
    counts: Counter[str] = Counter()
    for verdict in verdicts:
        if verdict.interface is not None:
            by_backend = entries.setdefault(verdict.subject, {})
            was = by_backend.get(verdict.backend)
            counts["new" if was is None else "as before" if was == verdict.interface else "changed"] += 1
            by_backend[verdict.backend] = verdict.interface
    return counts
