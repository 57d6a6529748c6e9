"""runs -> lines: the plugin family by family, then all tools side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean, median

from tests.benchmarks.runs import PLUGIN, Run

WIDE = 18


def all_tables(runs: Sequence[Run]) -> Iterator[str]:
    """Every table; cases are the median until the first failure, seconds the mean of a run."""
    ours = [run for run in runs if run.by == PLUGIN]
    yield from families(ours)
    tools = list(dict.fromkeys(run.by for run in runs))
    if len(tools) > 1:
        yield ""
        yield from side_by_side(runs, tools)
        yield ""
        yield from by_family(runs, tools)


def families(runs: Sequence[Run]) -> Iterator[str]:
    """A line a family, and the sums, of the runs of one tool."""
    yield f"{PLUGIN:<{WIDE}}{'runs':>6}{'found':>7}{'missed':>8}{'alarms':>8}{'cases':>7}{'seconds':>9}"
    for kind, group in _kinds(runs):
        yield f"{kind} ones"
        for family in _families(group):
            yield _counts(f"  {family}", [run for run in group if run.family == family])
        yield _counts("  all", group)


def side_by_side(runs: Sequence[Run], tools: Sequence[str]) -> Iterator[str]:
    """A line a tool."""
    yield f"{'side by side':<{WIDE}}{'found':>12}{'missed':>8}{'false alarms':>14}{'cases':>7}{'seconds':>9}"
    for tool in tools:
        mine = [run for run in runs if run.by == tool]
        wrong = [run for run in mine if run.wrong]
        found = f"{sum(run.found for run in wrong)} of {len(wrong)}"
        missed, accused = sum(run.missed for run in wrong), sum(run.accused for run in mine)
        yield f"{tool:<{WIDE}}{found:>12}{missed:>8}{accused:>14}{_cases(mine):>7}{_seconds(mine):>9}"


def by_family(runs: Sequence[Run], tools: Sequence[str]) -> Iterator[str]:
    """A line a family: of how many runs each tool found the fault, and of how many it accused a right one."""
    for kind, group in _kinds(runs):
        title = "found" if kind == "wrong" else "accused"
        yield f"{title:<{WIDE}}{'runs':>6}" + "".join(f"{tool:>{len(tool) + 2}}" for tool in tools)
        for family in _families(group):
            members = [run for run in group if run.family == family]
            yield f"  {family:<{WIDE - 2}}{len(members) // len(tools):>6}" + "".join(
                f"{sum(_hit(run) for run in members if run.by == tool):>{len(tool) + 2}}" for tool in tools
            )


def fault(run: Run) -> str:
    """A run that came out wrong."""
    what = "missed" if run.missed else "wrongly accused"
    return f"{run.title} at seed {run.seed} was {what}: {run.reported}"


def _hit(run: Run) -> bool:
    return run.found if run.wrong else run.accused


def _kinds(runs: Sequence[Run]) -> Iterator[tuple[str, list[Run]]]:
    for kind in ("wrong", "right"):
        group = [run for run in runs if run.wrong == (kind == "wrong")]
        if group:
            yield kind, group


def _families(runs: Sequence[Run]) -> list[str]:
    return sorted({run.family for run in runs})


def _counts(name: str, runs: Sequence[Run]) -> str:
    found, missed, accused = (sum(getattr(run, what) for run in runs) for what in ("found", "missed", "accused"))
    counts = f"{len(runs):>6}{found:>7}{missed:>8}{accused:>8}"
    return f"{name:<{WIDE}}{counts}{_cases(runs):>7}{_seconds(runs):>9}"


def _cases(runs: Sequence[Run]) -> str:
    """The median over the runs that found a fault; over all runs if no specimen is wrong."""
    counted = [run.cases for run in runs if run.found or not any(one.wrong for one in runs)]
    return f"{median(counted):.0f}" if counted else "-"


def _seconds(runs: Sequence[Run]) -> str:
    return f"{mean(run.seconds for run in runs):.2f}"
