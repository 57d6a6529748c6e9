"""Mutation testing: are there tests that notice when the package is changed?

`make mutants` (or `python -m tests.benchmarks.mutants`) draws mutants of five packages, applies each in a copy of the
tree, and runs the tests that cover it. It exits with 1 if fewer than 90 % are killed, or if a survivor has no reason
in `tests/benchmarks/mutants/equivalent.py`.

Which test runs which line is recorded first, in a run of the tests under coverage, and kept in `.mutants` until a file
changes. Cosmic-ray has the operators; those it is used with, and why, stand in `mutations.py`, what is skipped in
`places.py`.
"""

from __future__ import annotations

import argparse
import compileall
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks.mutants import report
from tests.benchmarks.mutants.copies import Copy, copy_of, copy_tree
from tests.benchmarks.mutants.equivalent import EQUIVALENT
from tests.benchmarks.mutants.mutations import Mutant, mutants_of, mutated
from tests.benchmarks.mutants.recording import PACKAGE, Recording, record
from tests.benchmarks.mutants.sampling import sample
from tests.benchmarks.mutants.trials import Trial, controlled, trials

ROOT = Path(__file__).parents[3]
KEPT = ROOT / ".mutants"
PACKAGES = ("checks", "comparison", "cases", "tensors", "config")
TESTS = (*PACKAGES, "subjects", "diagnosis", "exporting", "test_pipeline.py")
"""Whose coverage is recorded. Most of the others start pytest, or judge a whole specimen, and take seconds each."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, record, run, print; 1 if the tests did not notice enough."""
    given = _parser().parse_args(arguments)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        first = copy_tree(ROOT, Path(folder) / "0")
        candidates, skipped = candidates_of(first.tree)
        drawn = sample(candidates, given.count, given.seed, lambda one: changes(first.tree, one))
        _say(f"{len(drawn)} of {len(candidates)} mutants are drawn with seed {given.seed}; {_skipped(skipped)}")
        wanted = [one for one in drawn if any(text in f"{one.module}:{one.line}" for text in given.only or [""])]
        recording = record(first, given.tests, KEPT, given.jobs)
        _say(f"{len(recording.seconds)} tests recorded in {time.monotonic() - started:.0f} s")
        done = list(_judged(wanted, recording, _copies(first, given.jobs, Path(folder)), given.bound))
    for line in report.summary(done, EQUIVALENT):
        _say(line)
    _say(f"{time.monotonic() - started:.0f} s")
    return report.exit_code(done, EQUIVALENT)


def candidates_of(root: Path) -> tuple[list[Mutant], Counter[str]]:
    """The mutants of the packages, and how many are skipped for which reason."""
    paths = [path for package in PACKAGES for path in sorted((root / PACKAGE / package).rglob("*.py"))]
    found = [
        pair
        for path in paths
        for pair in mutants_of(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
    ]
    skipped = Counter(reason for _, reason in found if reason is not None)
    return [mutant for mutant, reason in found if reason is None], skipped


def changes(root: Path, mutant: Mutant) -> bool:
    """Whether the mutant is another program."""
    return mutated((root / mutant.module).read_text(encoding="utf-8"), mutant) is not None


def _judged(mutants: Sequence[Mutant], recording: Recording, copies: Sequence[Copy], bound: float) -> Iterator[Trial]:
    """Each mutant, printed as it is done; then those whose killers pass without them."""
    done: list[Trial] = []
    for number, trial in enumerate(trials(mutants, recording, copies, bound), start=1):
        _say(report.line_of(number, trial))
        done.append(trial)
    limit = 600 + 3 * sum(recording.seconds[one.by] for one in done if one.by in recording.seconds)
    yield from controlled(done, copies[0], limit)


def _copies(first: Copy, jobs: int, folder: Path) -> list[Copy]:
    """As many copies as jobs. The package is compiled once; the tests are compiled by the recording."""
    compileall.compile_dir(first.tree / PACKAGE, quiet=1)
    return [first, *(copy_of(first, folder / str(number)) for number in range(1, jobs))]


def _skipped(skipped: Counter[str]) -> str:
    return "skipped: " + ", ".join(f"{count} {reason}" for reason, count in sorted(skipped.items()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Do the tests notice when the package is changed?")
    parser.add_argument("--seed", type=int, default=0, help="what draws the sample (0)")
    parser.add_argument("--count", type=int, default=100, help="mutants (100)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--bound", type=float, default=60, help="recorded seconds of tests run for a mutant (60)")
    parser.add_argument("--only", nargs="*", help="parts of module:line; the others of the sample are not run")
    parser.add_argument(
        "--tests", nargs="*", default=[f"tests/{name}" for name in TESTS], help="what is recorded, as pytest takes it"
    )
    return parser


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
