"""specimen, seed -> runs: what the plugin and each peer made of it, as plain data that crosses processes."""

from __future__ import annotations

import multiprocessing
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch

from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.reports.grouping import ENDED
from pytest_tsexport.testing import Specimen, judge_specimen, right, wrong
from pytest_tsexport.verdict import Outcome, Verdict
from tests.benchmarks.peers import PEERS, ask

CHECKS = ("trace", "tied_weights", "parity", "shapes", "padding")
PLUGIN = "pytest-tsexport"
A_PROCESS = 400
"""Tasks of one process: each trace leaves some memory behind, for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One specimen at one seed, put to one tool: what came out, the cases it took, seconds.

    `missed` is a fault that went through, `accused` an accusation without a reason. `cases` are those judged until
    the first failure, all of them if nothing failed.
    """

    by: str
    title: str
    family: str
    wrong: bool
    seed: int
    missed: bool = False
    accused: bool = False
    cases: int = 0
    seconds: float = 0.0
    reported: str = ""

    @property
    def found(self) -> bool:
        """Whether a fault was seen."""
        return self.wrong and not self.missed


@dataclass(frozen=True, slots=True)
class Task:
    """One specimen at one seed, for the plugin and the peers named; `max_examples` is None for hypothesis' own."""

    title: str
    seed: int
    peers: tuple[str, ...] = ()
    max_examples: int | None = None


def all_runs(tasks: Sequence[Task], jobs: int) -> Iterator[Run]:
    """The runs of all tasks, in order, by so many processes."""
    if jobs < 2:
        prepare()
        yield from (run for task in tasks for run in runs_of(task))
        return
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(jobs, prepare, maxtasksperchild=A_PROCESS) as pool:
        for runs in pool.imap(runs_of, tasks):
            yield from runs


def prepare() -> None:
    """A process as the benchmark wants it: one thread, and no word about the faults that are traced on purpose."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]


@cache
def specimens() -> Mapping[str, Specimen]:
    """Every specimen by its title, wrong ones first."""
    return {one.title: one for one in (*wrong(), *right())}


def is_wrong(specimen: Specimen) -> bool:
    """Whether there is something to find."""
    return bool(specimen.fails) or specimen.refused


def runs_of(task: Task) -> list[Run]:
    """The plugin's run and the peers', side by side."""
    specimen = specimens()[task.title]
    return [by_plugin(specimen, task), *(by_peer(specimen, task.seed, name) for name in task.peers)]


def by_plugin(specimen: Specimen, task: Task) -> Run:
    """Found where all checks fail that must, accused where one fails that has no reason to."""
    checks = (*CHECKS, "round_trip") if "round_trip" in specimen.fails else CHECKS
    hard = {} if task.max_examples is None else {"max_examples": task.max_examples}
    verdicts: Mapping[str, Verdict] = {}
    stopped = ""
    started = time.monotonic()
    try:
        verdicts = judge_specimen(specimen, seed=task.seed, checks=checks, **hard)
    except ArtifactError:
        stopped = "refused"
    except Exception as error:  # the plugin must not raise: it is reported with the rest, and the run goes on
        stopped = f"raised {type(error).__name__}: {error}"
    failed = {name for name, one in verdicts.items() if one.outcome is Outcome.FAILED}
    # A check that crashed, or was too slow, found nothing: nobody is told what it would have said.
    stopped = stopped or "; ".join(one.headline for one in verdicts.values() if one.outcome in ENDED)
    fault, as_known = is_wrong(specimen), stopped == ("refused" if specimen.refused else "")
    return _run(
        specimen,
        task.seed,
        PLUGIN,
        missed=fault and not (as_known and set(specimen.fails) <= failed),
        accused=not failed <= {*specimen.fails, *specimen.also} or not (fault or as_known),
        cases=_cases(verdicts),
        seconds=time.monotonic() - started,
        reported=stopped or f"failed {', '.join(sorted(failed)) or 'nothing'}",
    )


def by_peer(specimen: Specimen, seed: int, name: str) -> Run:
    """The run of a peer: a fault is found if it rejects a wrong specimen; it accuses if it rejects a right one."""
    started = time.monotonic()
    said = ask(PEERS[name], specimen, seed)
    accuses, fault = said.accusation is not None, is_wrong(specimen)
    return _run(
        specimen,
        seed,
        name,
        missed=fault and not accuses,
        accused=accuses and not fault,
        cases=said.cases,
        seconds=time.monotonic() - started,
        reported=(said.accusation or "nothing").strip().splitlines()[0],
    )


def _run(specimen: Specimen, seed: int, by: str, **came: object) -> Run:
    shown = {"title": specimen.title, "family": specimen.family, "wrong": is_wrong(specimen)}
    return Run(by=by, seed=seed, **shown, **came)  # type: ignore[arg-type]


def _cases(verdicts: Mapping[str, Verdict]) -> int:
    """Cases judged by the checks, one after the other, up to the first counterexample; all of them without one."""
    judged = 0
    for one in verdicts.values():
        if one.outcome is Outcome.FAILED:
            return judged + (one.first_breach or one.judged)
        judged += one.judged
    return judged
