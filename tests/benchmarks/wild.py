"""families of Transformers -> table: which wrong ones are missed and which right ones accused, at which seeds.

`python -m tests.benchmarks.wild --seeds 20` judges every family of `tests.quality.wild` with the default number of
cases, in float32 or in the dtype of `--dtype`, and exits with 1 where one is missed or accused.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import transformers

from tests.quality.wild import Wild, failed, right, verdicts, wrong


@dataclass(frozen=True, slots=True)
class Run:
    """One family at one seed."""

    one: Wild
    seed: int
    failed: frozenset[str]
    seconds: float

    @property
    def fault(self) -> str | None:
        """What came out wrong."""
        if not set(self.one.fails) <= self.failed:
            return f"missed: failed {sorted(self.failed)}, not {sorted(self.one.fails)}"
        accused = self.failed - {*self.one.fails, *self.one.also}
        return f"wrongly accused by {sorted(accused)}" if accused else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and say by the exit code whether it came out right."""
    parser = argparse.ArgumentParser(description="How well faults of real families are found.")
    parser.add_argument("--seeds", type=int, default=3, help="seeds a family (3)")
    parser.add_argument("--dtype", default="float32", help="dtype of the weights (float32)")
    parser.add_argument("--max-examples", type=int, default=None, help="cases a check (those of hypothesis: 100)")
    parser.add_argument("--only", nargs="*", default=(), help="titles")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    hard = {} if given.max_examples is None else {"max_examples": given.max_examples}
    faults = 0
    for one in (*wrong(), *right()):
        if given.only and one.title not in given.only:
            continue
        runs = [_run(one, seed, getattr(torch, given.dtype), hard) for seed in range(given.seeds)]
        faults += sum(run.fault is not None for run in runs)
        for line in _lines(one, runs):
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    return int(faults > 0)


def _run(one: Wild, seed: int, dtype: torch.dtype, hard: dict[str, int]) -> Run:
    started = time.monotonic()
    found = verdicts(one, seed=seed, dtype=dtype, **hard)
    return Run(one, seed, frozenset(failed(found)), time.monotonic() - started)


def _lines(one: Wild, runs: Sequence[Run]) -> Iterator[str]:
    came = sum(run.fault is None for run in runs)
    seconds = sum(run.seconds for run in runs) / len(runs)
    yield f"{one.title:<26}{'/'.join(one.fails) or 'right':<8}{came} of {len(runs)}, {seconds:.1f} s a run"
    for run in runs:
        if run.fault is not None:
            yield f"  seed {run.seed} {run.fault}"


if __name__ == "__main__":
    sys.exit(main())
