"""specimens -> table: what is found, missed and wrongly accused, in how many cases and seconds.

`python -m tests.benchmarks.detection --seeds 20` judges every specimen of `pytest_tsexport.testing` with the default
number of cases at each seed, and exits with 1 where one is missed or a right one is accused.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

import torch

from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.testing import Specimen, judge_specimen, right, wrong
from pytest_tsexport.verdict import Outcome, Verdict

CHECKS = ("trace", "tied_weights", "parity", "shapes", "padding")


@dataclass(frozen=True, slots=True)
class Run:
    """One specimen at one seed: the checks that failed, the cases judged until then, seconds."""

    specimen: Specimen
    seed: int
    failed: frozenset[str]
    cases: int
    seconds: float
    refused: bool = False

    @property
    def missed(self) -> bool:
        """Whether a fault went through."""
        return self.specimen.refused != self.refused or not set(self.specimen.fails) <= self.failed

    @property
    def accused(self) -> bool:
        """Whether a check failed for which there is no reason."""
        return not self.failed <= {*self.specimen.fails, *self.specimen.also}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and say by the exit code whether it came out right."""
    parser = argparse.ArgumentParser(description="How well faults are found, over the specimens of the kit.")
    parser.add_argument("--seeds", type=int, default=3, help="seeds a specimen (3)")
    parser.add_argument("--max-examples", type=int, default=None, help="cases a check (those of hypothesis: 100)")
    parser.add_argument("--only", nargs="*", default=(), help="titles of specimens")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
    specimens = [one for one in (*wrong(), *right()) if not given.only or one.title in given.only]
    runs = [one for specimen in specimens for one in _runs(specimen, given.seeds, given.max_examples)]
    for line in table(runs):
        sys.stdout.write(f"{line}\n")
    return int(any(run.missed or run.accused for run in runs))


def _runs(specimen: Specimen, seeds: int, cases: int | None) -> Iterator[Run]:
    for seed in range(seeds):
        yield _run(specimen, seed, cases)


def _run(specimen: Specimen, seed: int, cases: int | None) -> Run:
    checks = (*CHECKS, "round_trip") if "round_trip" in specimen.fails else CHECKS
    hard = {} if cases is None else {"max_examples": cases}
    started = time.monotonic()
    try:
        verdicts = judge_specimen(specimen, seed=seed, checks=checks, **hard)
    except ArtifactError:
        return Run(specimen, seed, frozenset(), 0, time.monotonic() - started, refused=True)
    failed = frozenset(name for name, one in verdicts.items() if one.outcome is Outcome.FAILED)
    return Run(specimen, seed, failed, _cases(verdicts), time.monotonic() - started)


def _cases(verdicts: Mapping[str, Verdict]) -> int:
    """Cases judged by the checks up to and with the first that failed."""
    judged = 0
    for one in verdicts.values():
        judged += one.judged
        if one.outcome is Outcome.FAILED:
            break
    return judged


def table(runs: Sequence[Run]) -> Iterator[str]:
    """A line a family, the sums, and each run that came out wrong."""
    yield f"{'family':<16}{'runs':>6}{'found':>7}{'missed':>8}{'alarms':>8}{'cases':>7}{'seconds':>9}"
    for kind, group in (("wrong", [run for run in runs if _is_wrong(run)]), ("right", _rest(runs))):
        yield f"{kind} ones"
        ordered = sorted(group, key=lambda run: run.specimen.family)
        for family, members in groupby(ordered, key=lambda run: run.specimen.family):
            yield _line(f"  {family}", list(members))
        yield _line("  all", group)
    for run in runs:
        if run.missed or run.accused:
            what = "missed" if run.missed else "wrongly accused"
            failed = ", ".join(sorted(run.failed)) or "nothing"
            yield f"{run.specimen.title} at seed {run.seed} was {what}: failed {failed}"


def _is_wrong(run: Run) -> bool:
    return bool(run.specimen.fails) or run.specimen.refused


def _rest(runs: Iterable[Run]) -> list[Run]:
    return [run for run in runs if not _is_wrong(run)]


def _line(name: str, runs: Sequence[Run]) -> str:
    missed, accused = (sum(getattr(run, what) for run in runs) for what in ("missed", "accused"))
    found = sum(_is_wrong(run) and not run.missed for run in runs)
    cases = median([run.cases for run in runs]) if runs else 0
    seconds = sum(run.seconds for run in runs)
    return f"{name:<16}{len(runs):>6}{found:>7}{missed:>8}{accused:>8}{cases:>7.0f}{seconds:>9.1f}"


if __name__ == "__main__":
    sys.exit(main())
