"""table of known failures, verdicts -> lines: what got better, and which entries are stale, expired or of no test.

Only a check that passed in this run has got better. What was not reached says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from pytest_tsexport.config.known_failures import Key, KnownFailure, KnownFailures, names_of
from pytest_tsexport.config.names import OPT_IN
from pytest_tsexport.reports.numbers import counted
from pytest_tsexport.verdict import Outcome, Verdict


def known_failure_lines(table: KnownFailures, verdicts: Iterable[Verdict], gone: Collection[str] = ()) -> Iterator[str]:
    """One line for each entry of which there is something to say; `gone` are subjects that no test has."""
    found: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        entry = table.listed(verdict.subject, verdict.backend, verdict.check)
        if entry is not None:
            found.setdefault(entry.where, []).append(verdict)
    for entry in (*table.entries, *table.expired):
        reached = found.get(entry.where, [])
        said = _expired(entry, reached) if entry in table.expired else _better(entry, reached)
        missing = [name for name in entry.subjects if name in gone]
        said = said or (missing and f"no test has the subject {', '.join(missing)}; correct or remove it") or ""
        if said:
            yield f"{entry.where}: {said}"


def _better(entry: KnownFailure, reached: list[Verdict]) -> str:
    passed = _with(reached, Outcome.PASSED)
    if not passed:
        return ""
    if _is_stale(entry, reached):
        return f"stale: {_in_words(passed, 'now', 'passes')}; remove the entry"
    return f"better: {_in_words(passed, 'now', 'passes')}; narrow the entry"


def _expired(entry: KnownFailure, reached: list[Verdict]) -> str:
    failed, passed = _with(reached, Outcome.FAILED), _with(reached, Outcome.PASSED)
    if failed:
        return f"expired on {entry.expires}, and {_in_words(failed, 'still', 'fails')}: {entry.text}"
    if passed:
        rest = "remove the entry" if _is_stale(entry, reached) else "the rest was not judged in this run"
        return f"expired on {entry.expires}, and {_in_words(passed, 'now', 'passes')}; {rest}"
    return f"expired on {entry.expires}; nothing of it was judged in this run"


def _is_stale(entry: KnownFailure, reached: list[Verdict]) -> bool:
    """Whether all that the entry is about was reached, and nothing of it fails any more.

    One key may be the name of several subjects: those of files of one name in several folders.
    """
    is_well: dict[Key, bool] = {}
    for one in reached:
        for key in ((name, one.backend, one.check) for name in names_of(one.subject)):
            is_well[key] = is_well.get(key, True) and one.outcome in (Outcome.PASSED, Outcome.NOT_APPLICABLE)
    return all(is_well.get(key, key[2] in OPT_IN) for key in entry.keys)


def _with(reached: list[Verdict], outcome: Outcome) -> list[Verdict]:
    return [one for one in reached if one.outcome is outcome]


def _in_words(verdicts: list[Verdict], when: str, verb: str) -> str:
    """`test_x.py::test_bert now passes jit-parity, jit-shapes`; of several subjects, the first is named."""
    first = verdicts[0].subject
    names = ", ".join(one.name for one in verdicts if one.subject == first)
    others = len({one.subject for one in verdicts}) - 1
    more = f" (and {counted(others, 'other subject')})" if others else ""
    return f"{first} {when} {verb} {names}{more}"
