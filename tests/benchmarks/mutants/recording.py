"""Records once which test runs which line, and answers which tests cover a mutant."""

from __future__ import annotations

import ast
import hashlib
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coverage import CoverageData

from tests.benchmarks.mutants.copies import Copy, Phase
from tests.benchmarks.mutants.mutations import Mutant
from tests.benchmarks.mutants.places import place_of, readers

PACKAGE = "pytest_tsexport"
LIMIT = 3 * 60 * 60
CONFIG = """\
[run]
source = {package}
data_file = {data}
relative_files = true
disable_warnings = module-not-imported,module-not-measured,no-data-collected
"""


@dataclass(frozen=True, slots=True)
class Recording:
    """What the tests did without any mutant.

    `seconds` has the tests that pass, each with the time of all its phases; `lines` has the tests of each line of each
    module, `trees` each module parsed.
    """

    seconds: Mapping[str, float]
    lines: Mapping[str, Mapping[int, frozenset[str]]]
    trees: Mapping[str, ast.Module] = field(repr=False)

    def covering(self, mutant: Mutant) -> frozenset[str]:
        """The tests that run the mutated code.

        Each test sees what the import runs, so coverage has no answer there: what counts is who reads the value, and
        if nobody does, who runs any function of the module.
        """
        place = place_of(self.trees[mutant.module], mutant.line)
        if place.lines:
            exact = [mutant.line] if mutant.line in place.lines else []
            return self._tests(mutant.module, exact) or self._tests(mutant.module, place.lines)
        reading = [
            self._tests(module, readers(self.trees[module], place.names)) for module in self.lines if place.names
        ]
        whole = self._tests(mutant.module, self.lines.get(mutant.module, ()))
        return frozenset().union(*reading) or whole

    def _tests(self, module: str, lines: Iterable[int]) -> frozenset[str]:
        known = self.lines.get(module, {})
        return frozenset().union(*(known.get(line, frozenset()) for line in lines))


def chosen(recording: Recording, mutant: Mutant, bound: float) -> list[str]:
    """The covering tests that are run: those of the module's own test file first, then those of its package.

    Within each group the fastest come first, until their recorded time is `bound` seconds; one at least. What is
    chosen runs file by file, because tests of one file share fixtures.
    """
    ranked = sorted(
        recording.covering(mutant), key=lambda test: (_distance(test, mutant.module), recording.seconds[test], test)
    )
    taken: list[str] = []
    total = 0.0
    for test in ranked:
        total += recording.seconds[test]
        if taken and total > bound:
            break
        taken.append(test)
    files = list(dict.fromkeys(test.partition("::")[0] for test in taken))
    return sorted(taken, key=lambda test: (files.index(test.partition("::")[0]), recording.seconds[test], test))


def record(copy: Copy, tests: Sequence[str], folder: Path, jobs: int) -> Recording:
    """Runs the tests of `make test` under coverage, or reads what an earlier run on the same files left in `folder`."""
    data, key, phases = folder / "coverage", folder / "key", folder / "outcomes"
    wanted = _digest(copy.tree, tests)
    if not key.exists() or key.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        config = folder / "coveragerc"
        config.write_text(CONFIG.format(package=PACKAGE, data=data), encoding="utf-8")
        options = [
            "--cov",
            f"--cov-config={config}",
            "--cov-context=test",
            "--cov-report=",
            "-n",
            str(jobs),
            "-m",
            "not wide",
        ]
        run = copy.pytest(options, tests, LIMIT, compiled=True)
        if run.code not in {0, 1} or not run.phases:
            raise RuntimeError(f"the tests did not run (exit code {run.code}):\n{run.output[-4000:]}")
        shutil.copy(copy.folder / "outcomes", phases)
        key.write_text(wanted, encoding="utf-8")
    return read(copy.tree, data, phases)


def read(tree: Path, data: Path, phases: Path) -> Recording:
    """The recording in these files, about the sources in `tree`."""
    seconds = passed(Phase.of_file(phases))
    covered = CoverageData(str(data))
    covered.read()
    lines = {}
    for module in sorted(covered.measured_files()):
        contexts = covered.contexts_by_lineno(module)
        lines[module] = {
            line: frozenset(test for context in names if (test := context.rpartition("|")[0]) in seconds)
            for line, names in contexts.items()
        }
    return Recording(seconds, lines, {name: _parsed(tree / name) for name in _modules(tree)})


def passed(phases: Iterable[Phase]) -> dict[str, float]:
    """The seconds of each test that passes, or fails as it is expected to. The others cannot judge a mutant."""
    tests: defaultdict[str, list[Phase]] = defaultdict(list)
    for phase in phases:
        tests[phase.test].append(phase)
    return {
        test: sum(one.seconds for one in ended)
        for test, ended in tests.items()
        if all(one.outcome != "failed" for one in ended)
        and any(one.when == "call" and one.outcome in {"passed", "xfailed"} for one in ended)
    }


def _distance(test: str, module: str) -> int:
    """0 for the tests of the module, 1 for those of its package, 2 for others: tests mirror the package."""
    package, _, name = module.removeprefix(f"{PACKAGE}/").removesuffix(".py").rpartition("/")
    file = test.partition("::")[0]
    if file.startswith(f"tests/{package}/test_{name}"):
        return 0
    return 1 if file.startswith(f"tests/{package}/") else 2


def _modules(tree: Path) -> list[str]:
    return sorted(path.relative_to(tree).as_posix() for path in (tree / PACKAGE).rglob("*.py"))


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _digest(tree: Path, tests: Sequence[str]) -> str:
    """Of the files that these tests may depend on, and of the tests that were asked for."""
    digest = hashlib.sha256(repr(sorted(tests)).encode())
    own = tree / "tests" / "benchmarks" / "mutants"
    folders = (path for folder in (PACKAGE, "tests") for path in (tree / folder).rglob("*"))
    for path in sorted((*folders, *tree.glob("*.py"), *tree.glob("*.toml"))):
        if path.suffix in {".py", ".toml", ".json"} and own not in path.parents:
            digest.update(path.relative_to(tree).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
