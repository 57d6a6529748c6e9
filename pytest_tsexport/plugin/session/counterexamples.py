"""verdicts -> counterexamples kept: what a run found wrong is what the next one looks at first.

They go into pytest's own cache, and leave it when the check passes; and, where a file is named, into that file, which
a team commits: there they stay, so that an old fault cannot come back unseen.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_tsexport.errors import PolicyError
from pytest_tsexport.plugin.settings import Settings
from pytest_tsexport.verdict import Outcome, Verdict

CACHE = "tsexport/counterexamples"

Case = Mapping[str, Any]
Cases = dict[str, dict[str, list[Case]]]
"""By subject, then by `backend-check`."""


class Counterexamples:
    """The counterexamples of earlier runs. Raises `pytest.UsageError`, one sentence, for a file that holds none."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._cache = getattr(config, "cache", None)
        self._path = settings.counterexamples
        try:
            self._filed = {} if self._path is None else _read(self._path)
        except PolicyError as error:
            raise pytest.UsageError(str(error)) from None
        self._cached: Cases = {} if self._cache is None else self._cache.get(CACHE, {})

    def known(self, subject: str, name: str) -> tuple[Case, ...]:
        """What to look at first for one check: the cache's, which is the last run's, then the file's."""
        found = [case for kept in (self._cached, self._filed) for case in kept.get(subject, {}).get(name, [])]
        return tuple(case for place, case in enumerate(found) if case not in found[:place])

    def keep(self, verdicts: Sequence[Verdict]) -> None:
        """Take in what a run found, at its end and in one process; what is as it was is not written."""
        cached = {subject: dict(names) for subject, names in self._cached.items()}
        filed = {subject: dict(names) for subject, names in self._filed.items()}
        for verdict in verdicts:
            _learn(cached, filed, verdict)
        if self._cache is not None and cached != self._cached:
            self._cache.set(CACHE, cached)
        if self._path is not None and filed != self._filed:
            _write(self._path, filed)


COUNTEREXAMPLES = pytest.StashKey[Counterexamples]()


def opened(config: pytest.Config, settings: Settings) -> Counterexamples:
    """What earlier runs kept, read once, for whoever asks `config`."""
    kept = config.stash[COUNTEREXAMPLES] = Counterexamples(config, settings)
    return kept


def _learn(cached: Cases, filed: Cases, verdict: Verdict) -> None:
    if verdict.outcome is Outcome.PASSED and verdict.name in cached.get(verdict.subject, {}):
        del cached[verdict.subject][verdict.name]
    if verdict.counterexample is None:
        return
    cached.setdefault(verdict.subject, {})[verdict.name] = [verdict.counterexample]
    known = filed.setdefault(verdict.subject, {}).get(verdict.name, [])
    if verdict.counterexample not in known:
        filed[verdict.subject][verdict.name] = [*known, verdict.counterexample]


def _read(path: Path) -> Cases:
    if not path.exists():
        return {}
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        lists = [cases for names in kept.values() for cases in names.values()]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, AttributeError) as error:
        raise PolicyError(
            f"{path} holds no counterexamples ({error}); give a file that --ts-counterexamples wrote"
        ) from None
    if not all(isinstance(case, dict) for cases in lists for case in cases):
        raise PolicyError(f"{path} holds no counterexamples; give a file that --ts-counterexamples wrote")
    return dict(kept)


def _write(path: Path, kept: Cases) -> None:
    """In its place at once, so that a run that is cut off leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
