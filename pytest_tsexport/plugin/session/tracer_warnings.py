"""Folds the warnings of torch's tracer into one note for each export whose check of other sizes has passed.

They say that a trace *might* not generalize to other inputs. `shapes` has looked at other sizes.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from pytest_tsexport.plugin.collection.item_ids import parse
from pytest_tsexport.verdict import Outcome, Verdict

CATEGORY = "TracerWarning"
"""The class in torch, by its name: the controller of pytest-xdist does not import torch."""

Export = tuple[str, str]
"""A subject and its backend."""


class TracerWarnings:
    """The warnings of a run's tracers, by export and item."""

    def __init__(self, backends: Iterable[str]) -> None:
        self._backends = tuple(backends)
        self._items: dict[Export, Counter[str]] = {}

    def record(self, warning: warnings.WarningMessage, nodeid: str) -> None:
        """Count it, if it is one of an item of ours."""
        parts = parse(nodeid, self._backends) if warning.category.__name__ == CATEGORY else None
        if parts is not None:
            self._items.setdefault((parts.subject, parts.backend), Counter())[nodeid] += 1

    def fold(self, config: pytest.Config, verdicts: Iterable[Verdict]) -> Mapping[str, int]:
        """Take those of exports that are right at other sizes out of pytest's summary; returns how many, by subject."""
        right = {(v.subject, v.backend) for v in verdicts if v.check == "shapes" and v.outcome is Outcome.PASSED}
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        folded = {export: counts for export, counts in self._items.items() if export in right and reporter is not None}
        _take_out(reporter, {nodeid for counts in folded.values() for nodeid in counts})
        by_subject: Counter[str] = Counter()
        for (subject, _), counts in folded.items():
            by_subject[subject] += counts.total()
        return by_subject


def _take_out(reporter: Any, nodeids: set[str]) -> None:
    """Pytest shows what stands in its list of warnings; the list is its own."""
    if nodeids and "warnings" in reporter.stats:
        reported = reporter.stats["warnings"]
        reported[:] = [one for one in reported if one.nodeid not in nodeids or f" {CATEGORY}: " not in one.message]
        if not reported:
            del reporter.stats["warnings"]
