"""Runs mutants: each is applied in a copy and meets the tests that cover it, within a time limit."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import SimpleQueue

from tests.benchmarks.mutants.copies import Copy, PytestRun
from tests.benchmarks.mutants.mutations import Mutant, mutated
from tests.benchmarks.mutants.recording import Recording, chosen, passed

KILLED, SURVIVED, TIMED_OUT, UNCOVERED = "killed", "survived", "timed out", "no covering test"
UNRELIABLE = "not judged"
"""What killed it fails without the mutant, too."""

BEFORE_ANY = "the import or the collection"
NO_TEST_COLLECTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of a mutant.

    `before` and `after` are the changed lines, stripped and joined by newlines; `by` is the test that killed it.
    `tests` were chosen from the `covering` ones.
    """

    mutant: Mutant
    before: str
    after: str
    outcome: str = UNCOVERED
    by: str = ""
    tests: tuple[str, ...] = ()
    covering: int = 0

    @property
    def survived(self) -> bool:
        """Whether no test noticed the change; a change that no test runs is not noticed."""
        return self.outcome in {SURVIVED, UNCOVERED}


def trials(mutants: Sequence[Mutant], recording: Recording, copies: Sequence[Copy], bound: float) -> Iterator[Trial]:
    """A trial of each mutant, in order, in as many processes as there are copies."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def one(mutant: Mutant) -> Trial:
        copy = free.get()
        try:
            return trial(mutant, recording, copy, bound)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        yield from pool.map(one, mutants)


def trial(mutant: Mutant, recording: Recording, copy: Copy, bound: float) -> Trial:
    """The mutant, applied in the copy, and what the covering tests say of it."""
    source = (copy.tree / mutant.module).read_text(encoding="utf-8")
    changed = mutated(source, mutant)
    if changed is None:
        raise ValueError(f"{mutant} changes nothing")
    before, after = changed_lines(source, changed)
    tests = chosen(recording, mutant, bound)
    result = Trial(
        mutant=mutant, before=before, after=after, tests=tuple(tests), covering=len(recording.covering(mutant))
    )
    if not tests:
        return result
    limit = 60 + 3 * sum(recording.seconds[test] for test in tests)
    with copy.changed(mutant.module, changed):
        run = copy.pytest(["-x"], tests, limit)
    outcome, by = judged(run)
    return replace(result, outcome=outcome, by=by)


def judged(run: PytestRun) -> tuple[str, str]:
    """The outcome, and what killed the mutant."""
    if run.code is None:
        return TIMED_OUT, ""
    if run.code == NO_TEST_COLLECTED:
        raise RuntimeError(f"pytest found none of the tests:\n{run.output[-4000:]}")
    if run.code == 0:
        return SURVIVED, ""
    if run.failed:
        return KILLED, run.failed[0]
    if run.phases or run.code < 0:
        return KILLED, f"a crash of pytest (exit code {run.code})"
    return KILLED, BEFORE_ANY


def controlled(done: Sequence[Trial], copy: Copy, limit: float) -> list[Trial]:
    """The trials, where those count as killed whose test passes without the mutant.

    The tests that killed are run once more, on the unchanged copy. Where nothing was run before pytest stopped, the
    tests are collected there.
    """
    killers = sorted({one.by for one in done if "::" in one.by})
    unread = sorted({test for one in done if one.by == BEFORE_ANY for test in one.tests})
    bad: set[str] = set()
    if killers:
        bad |= set(killers) - set(passed(copy.pytest([], killers, limit).phases))
    if unread and copy.pytest(["--collect-only"], unread, limit).code != 0:
        bad.add(BEFORE_ANY)
    return [replace(one, outcome=UNRELIABLE) if one.by in bad else one for one in done]


def changed_lines(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, as they were and as they are."""
    lines = [(line[:2], line[2:].strip()) for line in difflib.ndiff(before.splitlines(), after.splitlines())]
    old, new = ("\n".join(text for sign, text in lines if sign == wanted and text) for wanted in ("- ", "+ "))
    return old, new
