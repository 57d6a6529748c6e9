"""tasks -> trials: the trials of many families by several processes, each written to a file as it ends.

A mutated graph may read memory that is not its own, and end the process that runs it. So each task has a process, and a
trial that ended it is reported as that; the rest of its task is done by another process.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

import transformers

from tests.benchmarks.corpus.families import families
from tests.benchmarks.corpus.trials import Effort, Trial, trials
from tests.benchmarks.corpus.truth import CRASHED

A_PROCESS = 16
"""Trials of one process: each file that is loaded leaves some memory behind, for good."""


@dataclass(frozen=True, slots=True)
class Task:
    """Some trials of one family."""

    family: str
    numbers: tuple[int, ...]


def remaining(names: Sequence[str], count: int, done: Sequence[Trial]) -> list[Task]:
    """The trials that are not done: each family has its share of `count`, in parts that one process can hold."""
    over = {(one.family, one.number) for one in done}
    tasks = []
    for place, name in enumerate(names):
        numbers = [number for number in range(-(-(count - place) // len(names))) if (name, number) not in over]
        tasks += [Task(name, tuple(numbers[at : at + A_PROCESS])) for at in range(0, len(numbers), A_PROCESS)]
    return tasks


def kept(file: Path, seed: int | None) -> list[Trial]:
    """The trials of an earlier run with that seed; the file holds them, and nothing else, from now on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    done = [] if seed is None else [one for one in read(file) if one.seed == seed]
    file.write_text("".join(f"{json.dumps(asdict(one))}\n" for one in done), encoding="utf-8")
    return done


def read(file: Path) -> list[Trial]:
    """The trials that a file holds; the last line may have been cut off when the run was stopped."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return [Trial(**json.loads(line)) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def judged(tasks: Sequence[Task], effort: Effort, file: Path, jobs: int) -> Iterator[Trial]:
    """The trials of all tasks, as each process ends."""
    spawn = multiprocessing.get_context("spawn")
    waiting = list(tasks)
    running: dict[int, tuple[SpawnProcess, Task]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            task = waiting.pop(0)
            process = spawn.Process(target=perform, args=(task, effort, file))
            process.start()
            running[process.sentinel] = process, task
        ended = wait(list(running))
        for sentinel in [one for one in running if one in ended]:
            process, task = running.pop(sentinel)
            process.join()
            done = [one for one in read(file) if one.family == task.family and one.number in task.numbers]
            yield from done
            left = remaining_of(task, done)
            if left and process.exitcode:
                yield _crashed(Task(task.family, left), effort, process.exitcode)
                waiting += [Task(task.family, left[1:])] if left[1:] else []


def remaining_of(task: Task, done: Sequence[Trial]) -> tuple[int, ...]:
    """The numbers of a task that its process left, the one that ended it first."""
    over = {one.number for one in done}
    return tuple(number for number in task.numbers if number not in over)


def perform(task: Task, effort: Effort, file: Path) -> None:
    """The trials of a task, each appended to the file as it ends."""
    transformers.logging.set_verbosity_error()
    for one in trials(families()[task.family], task.numbers, effort):
        with file.open("a", encoding="utf-8") as lines:
            lines.write(f"{json.dumps(asdict(one))}\n")


def _crashed(task: Task, effort: Effort, code: int | None) -> Trial:
    return Trial(
        family=task.family,
        number=task.numbers[0],
        seed=effort.seed,
        kind="crash",
        mutation=f"its process ended with exit code {code}",
        truth=CRASHED,
        inputs=0,
    )
