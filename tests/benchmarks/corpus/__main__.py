"""Mutated files: are wrong exports found that nobody wrote by hand, and equivalent ones left alone?

`make corpus` (or `python -m tests.benchmarks.corpus`) makes a right file of each family, changes one thing in each of
many copies, finds out by torch alone what each copy is, and has the package judge it with the default effort. Each
trial is written to a file as it ends, so that a run can be stopped, and continued with `--continue`. It exits with 1 if
fewer than 95 % of the wrong files are found, or if an equivalent one is accused.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks.corpus import report
from tests.benchmarks.corpus.families import families
from tests.benchmarks.corpus.processes import judged, kept, remaining
from tests.benchmarks.corpus.reported.judged import reported_trials
from tests.benchmarks.corpus.trials import Effort, Trial, prepare

ROOT = Path(__file__).parents[3]
KEPT = ROOT / "build" / "corpus.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, judge, print, and say by the exit code whether it came out right."""
    given = _parser().parse_args(arguments)
    unknown = sorted(set(given.only) - set(families()))
    if unknown:
        sys.stderr.write(f"no family is called {', '.join(unknown)}; use some of {', '.join(families())}\n")
        return 2
    started = time.monotonic()
    given.file.parent.mkdir(parents=True, exist_ok=True)
    done = kept(given.file, given.seed if given.go_on else None)
    tasks = remaining(tuple(given.only) or tuple(families()), given.count, done)
    effort = Effort(seed=given.seed, inputs=given.inputs, max_examples=given.max_examples)
    for one in judged(tasks, effort, given.file, given.jobs):
        done.append(one)
        _say(" ".join([*(["MISSED"] if one.missed else []), *(["ACCUSED"] if one.accused else []), _line(one)]))
    reports = list(_reports(effort)) if given.reports else []
    for line in (*report.summary(done), *(["", *report.of_reports(reports)] if reports else [])):
        _say(line)
    _say(f"{time.monotonic() - started:.0f} s")
    return max(report.exit_code(done), int(any(one.missed or one.accused for one in reports)))


def _reports(effort: Effort) -> Iterator[Trial]:
    prepare()
    yield from reported_trials(effort)


def _line(one: Trial) -> str:
    outcomes = ", ".join(f"{check} {outcome}" for check, outcome in one.outcomes.items())
    seconds = f"{one.truth_seconds:.1f} + {one.seconds:.1f} s"
    return f"{one.family} {one.number} {one.truth}, {outcomes} ({seconds}): {one.mutation}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Are mutated files found, and equivalent ones left alone?")
    parser.add_argument("--seed", type=int, default=0, help="what draws the mutations and the cases (0)")
    parser.add_argument("--count", type=int, default=640, help="mutated files, over all families (640)")
    parser.add_argument("--inputs", type=int, default=2000, help="inputs by which the truth is found (2000)")
    parser.add_argument("--max-examples", type=int, default=None, help="cases a check (those of hypothesis: 100)")
    parser.add_argument("--only", nargs="*", default=(), help="names of families")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--file", type=Path, default=KEPT, help="where the trials are written (build/corpus.jsonl)")
    parser.add_argument(
        "--reports", action=argparse.BooleanOptionalAction, default=True, help="judge the public reports, too"
    )
    parser.add_argument("--continue", dest="go_on", action="store_true", help="keep what the file has, do the rest")
    return parser


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
