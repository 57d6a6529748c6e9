"""specimens -> tables: what is found, missed and wrongly accused, in how many cases and seconds, by whom.

`python -m tests.benchmarks.detection --seeds 20` judges every specimen of `pytest_tsexport.testing` with the default
number of cases at each seed, and puts it to the peers of `tests.benchmarks.peers`. It exits with 1 where the plugin
missed a wrong one or accused a right one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.benchmarks import tables
from tests.benchmarks.peers import PEERS, why_missing
from tests.benchmarks.runs import PLUGIN, Run, Task, all_runs, specimens


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and say by the exit code whether the plugin came out right."""
    given = _parser().parse_args(arguments)
    unknown = [title for title in given.only if title not in specimens()]
    if unknown:
        sys.stderr.write(f"no specimen is called {', '.join(unknown)}\n")
        return 2
    peers = tuple(name for name in PEERS if given.peers and why_missing(name) is None)
    tasks = [
        Task(title, seed, peers, given.max_examples)
        for title in given.only or specimens()
        for seed in range(given.seeds)
    ]
    runs: list[Run] = []
    for run in all_runs(tasks, given.jobs):
        runs.append(run)
        if run.by == PLUGIN and (run.missed or run.accused):
            _say(tables.fault(run))
    for line in tables.all_tables(runs):
        _say(line)
    for name in PEERS if given.peers else ():
        if name not in peers:
            _say(str(why_missing(name)))
    return int(any(run.missed or run.accused for run in runs if run.by == PLUGIN))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="How well faults are found, over the specimens of the kit.")
    parser.add_argument("--seeds", type=int, default=3, help="seeds a specimen (3)")
    parser.add_argument("--max-examples", type=int, default=None, help="cases a check (those of hypothesis: 100)")
    parser.add_argument("--only", nargs="*", default=(), help="titles of specimens")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True, help="ask other tools, too")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    return parser


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
