"""Keeps the counterexamples of a run, which the next run looks at first.

pytest's cache holds those of the last run, until the check passes. The file that `--ts-counterexamples` names, which a
team commits, holds all of them, so that an old fault cannot return unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_tsexport.config.atomic_file import replacing
from pytest_tsexport.errors import PolicyError
from pytest_tsexport.plugin.settings import Settings
from pytest_tsexport.verdict import Outcome, Verdict

CACHE = "tsexport/counterexamples"

Case = Mapping[str, Any]
Cases = dict[str, dict[str, list[Case]]]
"""By subject, then by `backend-check`."""


class Counterexamples:
    """The counterexamples of earlier runs. Raises `pytest.UsageError`, one sentence, for a file of another kind."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._cache = getattr(config, "cache", None)
        self._path = settings.options.counterexamples
        try:
            self._filed = {} if self._path is None else _read(self._path)
        except PolicyError as error:
            raise pytest.UsageError(str(error)) from None
        self._cached: Cases = {} if self._cache is None else self._cache.get(CACHE, {})

    def known(self, subject: str, name: str) -> tuple[Case, ...]:
        """What to look at first for one check: those of the last run, then those of the file."""
        found = [case for kept in (self._cached, self._filed) for case in kept.get(subject, {}).get(name, [])]
        return tuple(case for number, case in enumerate(found) if case not in found[:number])

    def keep(self, verdicts: Sequence[Verdict]) -> None:
        """Add what a run found, at its end and in one process; nothing is written without a change."""
        cached = {subject: dict(names) for subject, names in self._cached.items()}
        filed = {subject: dict(names) for subject, names in self._filed.items()}
        for verdict in verdicts:
            _learn(cached, filed, verdict)
        if self._cache is not None and cached != self._cached:
            self._cache.set(CACHE, cached)
        if self._path is not None and filed != self._filed:
            _write(self._path, filed)


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
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_text(json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
