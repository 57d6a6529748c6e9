"""trials -> lines: how many of the wrong files are found and of the equivalent ones accused, with intervals of 95 %."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from tests.benchmarks.corpus.trials import Trial
from tests.benchmarks.corpus.truth import BETWEEN, CRASHED, EQUIVALENT, RAISING, WRONG

PERCENT = 95
"""At least so many of the wrong files are found, and none of the equivalent ones is accused."""

WIDE = 22
_SIGMAS = 1.959964


def interval(hits: int, runs: int) -> tuple[float, float]:
    """The Wilson interval of a share, at 95 %: from 0 to 1 if there were no runs."""
    if not runs:
        return 0.0, 1.0
    share, square = hits / runs, _SIGMAS**2
    middle = share + square / (2 * runs)
    half = _SIGMAS * math.sqrt(share * (1 - share) / runs + square / (4 * runs**2))
    return max((middle - half) / (1 + square / runs), 0.0), min((middle + half) / (1 + square / runs), 1.0)


def summary(trials: Sequence[Trial]) -> Iterator[str]:
    """The tables by family and by kind of mutation, the sums, and every trial that came out wrong."""
    for title, key in (("family", lambda one: one.family), ("mutation", lambda one: one.kind)):
        yield from table(title, trials, key)
        yield ""
    wrong = [one for one in trials if one.truth == WRONG]
    yield _share("found", sum(one.found for one in wrong), len(wrong), f"wrong files of {_families(wrong)} families")
    for kind in (EQUIVALENT, RAISING):
        group = [one for one in trials if one.truth == kind]
        yield _share("accused", sum(one.accused for one in group), len(group), f"{kind} ones")
    between = [one for one in trials if one.truth == BETWEEN]
    yield _share("failed", sum(one.failed for one in between), len(between), "in between (neither counts)")
    crashed = [f"{one.family} {one.number}" for one in trials if one.truth == CRASHED]
    if crashed:
        yield f"crashed   {', '.join(crashed)}: not judged, because the process ended"
    redrawn = sum(one.redrawn for one in trials)
    yield f"redrawn   {redrawn} mutations that did not run, changed nothing, or were drawn before"
    for title, chosen in (("missed", [one for one in wrong if one.missed]), ("accused", _accused(trials))):
        if chosen:
            yield f"\n{title}"
        for one in chosen:
            yield from lines_of(one)


def of_reports(trials: Sequence[Trial]) -> Iterator[str]:
    """The public reports: how many wrong ones are found, and right ones accused."""
    wrong, right = ([one for one in trials if (one.truth == WRONG) is fault] for fault in (True, False))
    yield _share("found", sum(one.found for one in wrong), len(wrong), "wrong exports of public reports")
    yield _share("accused", sum(one.accused for one in right), len(right), "right ones")
    for one in trials:
        if one.missed or one.accused:
            yield from lines_of(one)


def table(title: str, trials: Sequence[Trial], key: Callable[[Trial], str]) -> Iterator[str]:
    """A line for each family, or kind of mutation."""
    yield (
        f"{title:<{WIDE}}{'wrong':>7}{'found':>7}{'equal':>7}{'accused':>9}{'raising':>9}{'accused':>9}{'between':>9}"
        f"{'seconds':>9}"
    )
    for name in sorted({key(one) for one in trials}):
        yield _row(name, [one for one in trials if key(one) == name])
    yield _row("all", trials)


def _row(name: str, trials: Sequence[Trial]) -> str:
    groups = {kind: [one for one in trials if one.truth == kind] for kind in (WRONG, EQUIVALENT, RAISING, BETWEEN)}
    accused = {kind: sum(one.accused for one in group) for kind, group in groups.items()}
    seconds = sum(one.seconds for one in trials) / max(len(trials), 1)
    return (
        f"{name:<{WIDE}}{len(groups[WRONG]):>7}{sum(one.found for one in trials):>7}{len(groups[EQUIVALENT]):>7}"
        f"{accused[EQUIVALENT]:>9}{len(groups[RAISING]):>9}{accused[RAISING]:>9}{len(groups[BETWEEN]):>9}{seconds:>9.2f}"
    )


def lines_of(one: Trial) -> Iterator[str]:
    """What is needed to look at one trial: its command, what was changed, what shows it, what the package says."""
    sizes = ", ".join(f"{axis}={size}" for axis, size in one.sizes.items()) or "no input"
    yield f"  {one.family} {one.number}: {one.mutation}"
    yield f"    {one.truth} after {one.inputs} inputs, {one.ratio:.3g} x noise at ({sizes}): {one.shown or 'bit-equal'}"
    yield f"    {', '.join(f'{check} {outcome}' for check, outcome in one.outcomes.items())}: {one.headline}"


def exit_code(trials: Sequence[Trial]) -> int:
    """0 if enough of the wrong files are found and none of the equivalent ones is accused."""
    wrong = [one for one in trials if one.truth == WRONG]
    enough = 100 * sum(one.found for one in wrong) >= PERCENT * len(wrong)
    return int(not (wrong and enough) or bool(_accused(trials)))


def _accused(trials: Sequence[Trial]) -> list[Trial]:
    return [one for one in trials if one.accused]


def _share(what: str, hits: int, runs: int, of: str) -> str:
    low, high = interval(hits, runs)
    share = f"{100 * hits / runs:.1f} %" if runs else "-"
    return f"{what:<9} {hits} of {runs} {of}: {share} (95 %: {100 * low:.1f} to {100 * high:.1f})"


def _families(trials: Sequence[Trial]) -> int:
    return len({one.family for one in trials})
