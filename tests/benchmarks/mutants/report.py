"""Prints what became of the mutants, and decides the exit code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.benchmarks.mutants.equivalent import Equivalent
from tests.benchmarks.mutants.trials import KILLED, SURVIVED, TIMED_OUT, UNCOVERED, UNRELIABLE, Trial

PERCENT = 90
"""At least so many of all mutants are killed."""

OUTCOMES = (KILLED, SURVIVED, UNCOVERED, TIMED_OUT, UNRELIABLE)
WIDE = 34
NO_REASON = (
    "no reason is given: write the test that is missing, or say in tests/benchmarks/mutants/equivalent.py why not"
)


def line_of(number: int, trial: Trial) -> str:
    """What became of one mutant."""
    by = f" by {trial.by}" if trial.by else ""
    ran = f", {_ran(trial)}" if trial.outcome == SURVIVED else ""
    return f"{number:>3}  {place_of_change(trial):<{WIDE}} {trial.mutant.family}: {trial.outcome}{by}{ran}"


def summary(trials: Sequence[Trial], equivalent: Sequence[Equivalent]) -> Iterator[str]:
    """The table of packages, the time-outs, the survivors with their reasons, and the share of killed ones."""
    yield ""
    yield from table(trials)
    for outcome, title in ((TIMED_OUT, "timed out"), (UNRELIABLE, "not judged: what killed it fails without it, too")):
        of_outcome = [one for one in trials if one.outcome == outcome]
        yield from ([f"\n{title}"] if of_outcome else [])
        for one in of_outcome:
            yield from _change(one)
    survivors = [one for one in trials if one.survived]
    yield from (["\nsurvived"] if survivors else [])
    for one in survivors:
        yield from _change(one)
        yield f"    {reason(one, equivalent) or NO_REASON}"
    killed = _count(trials, KILLED)
    yield f"\n{killed} of {len(trials)} mutants were killed ({_share(trials)}); at least {PERCENT} % are wanted"


def table(trials: Sequence[Trial]) -> Iterator[str]:
    """A line a package, and one for all."""
    yield f"{'package':<12}{'mutants':>8}" + "".join(f"{name:>{len(name) + 2}}" for name in OUTCOMES) + "  share killed"
    packages = sorted({one.mutant.package for one in trials})
    for name, chosen in (
        *((name, [one for one in trials if one.mutant.package == name]) for name in packages),
        ("all", trials),
    ):
        counts = "".join(f"{_count(chosen, outcome):>{len(outcome) + 2}}" for outcome in OUTCOMES)
        yield f"{name:<12}{len(chosen):>8}{counts}{_share(chosen):>14}"


def exit_code(trials: Sequence[Trial], equivalent: Sequence[Equivalent]) -> int:
    """0 if enough were killed, each survivor has a reason, and whatever killed one passes without it.

    Time-outs count as mutants and not as killed.
    """
    enough = 100 * _count(trials, KILLED) >= PERCENT * len(trials)
    explained = all(reason(one, equivalent) for one in trials if one.survived)
    return int(not (trials and enough and explained and not _count(trials, UNRELIABLE)))


def reason(trial: Trial, equivalent: Sequence[Equivalent]) -> str | None:
    """Why no test can kill it, if somebody said so."""
    key = (_inside(trial), trial.before, trial.after)
    return next((one.reason for one in equivalent if (one.module, one.before, one.after) == key), None)


def place_of_change(trial: Trial) -> str:
    """`checks/padding.py:62`."""
    return f"{_inside(trial)}:{trial.mutant.line}"


def _inside(trial: Trial) -> str:
    return trial.mutant.module.partition("/")[2]


def _change(trial: Trial) -> Iterator[str]:
    yield f"  {place_of_change(trial)}  {trial.outcome}, {_ran(trial)}"
    for sign, text in (("-", trial.before), ("+", trial.after)):
        yield from (f"    {sign} {line}" for line in text.splitlines())


def _ran(trial: Trial) -> str:
    return f"{len(trial.tests)} of {trial.covering} covering tests chosen"


def _count(trials: Sequence[Trial], outcome: str) -> int:
    return sum(one.outcome == outcome for one in trials)


def _share(trials: Sequence[Trial]) -> str:
    return f"{100 * _count(trials, KILLED) / len(trials):.0f} %" if trials else "-"
