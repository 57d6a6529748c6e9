"""Proves that mutation testing draws, applies and judges mutants rightly: what it calls killed was killed by a test."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="cosmic-ray is in the dev extra only")
pytest.importorskip("coverage", reason="coverage is in the dev extra only")

from tests.benchmarks.mutants import recorder, report
from tests.benchmarks.mutants import recording as recording_module
from tests.benchmarks.mutants.__main__ import PACKAGES, ROOT, candidates_of
from tests.benchmarks.mutants.copies import Copy, Phase, PytestRun, copy_of, copy_tree
from tests.benchmarks.mutants.equivalent import EQUIVALENT, Equivalent
from tests.benchmarks.mutants.mutations import Mutant, mutants_of, mutated
from tests.benchmarks.mutants.places import place_of
from tests.benchmarks.mutants.recording import Recording, chosen, passed, record
from tests.benchmarks.mutants.sampling import sample
from tests.benchmarks.mutants.trials import (
    BEFORE_ANY,
    KILLED,
    SURVIVED,
    TIMED_OUT,
    UNCOVERED,
    UNRELIABLE,
    Trial,
    changed_lines,
    controlled,
    judged,
    trial,
    trials,
)

RULER = """\
from dataclasses import dataclass

LIMIT = 10


@dataclass(frozen=True)
class Ruler:
    length: int | None = None


def fits(size: int, *, spare: int = 0) -> bool:
    \"\"\"Whether it is at most 10.\"\"\"
    return size + spare <= LIMIT


def unknown(size: int) -> bool | None:
    return size == 3
"""
TESTS = """\
import subprocess
import sys
import time
from toy.checks.ruler import fits

def test_small():
    assert fits(3)

def test_edge():
    assert fits(10)

def test_child():
    subprocess.run([sys.executable, "-c", "from toy.checks.ruler import fits; assert fits(10)"], cwd="/", check=True)

def test_slow():
    time.sleep(60)

def test_wrong():
    assert fits(12)
"""
MODULE = "toy/checks/ruler.py"


def mutant(line: int = 3, operator: str = "core/NumberReplacer", module: str = MODULE, column: int = 0) -> Mutant:
    return Mutant(module, (line, column), (line, column + 1), operator, 0)


def one_of(operator: str, line: int) -> Mutant:
    """The mutant of the ruler that this operator makes on this line."""
    return next(
        one for one, why in mutants_of(MODULE, RULER) if (one.operator, one.line, why) == (operator, line, None)
    )


LOOSER = one_of("core/ReplaceComparisonOperator_LtE_Lt", 13)


@pytest.fixture(name="copy")
def _copy(tmp_path: Path) -> Copy:
    """A tree with one module, its tests, and the recorder."""
    copy = Copy(tmp_path)
    own = copy.tree / "tests" / "benchmarks" / "mutants"
    own.mkdir(parents=True)
    shutil.copy(recorder.__file__, own)
    (copy.tree / "toy" / "checks").mkdir(parents=True)
    (copy.tree / MODULE).write_text(RULER, encoding="utf-8")
    (copy.tree / "tests" / "test_ruler.py").write_text(TESTS, encoding="utf-8")
    return copy


def recording(*tests: str) -> Recording:
    """These tests of the ruler run its line 13."""
    named = frozenset(f"tests/test_ruler.py::{name}" for name in tests)
    return Recording(dict.fromkeys(sorted(named), 0.1), {MODULE: {13: named}}, {MODULE: ast.parse(RULER)})


def done(outcome: str, package: str = "checks", by: str = "") -> Trial:
    return Trial(
        mutant=mutant(module=f"pytest_tsexport/{package}/ruler.py"),
        before="LIMIT = 10",
        after="LIMIT = 11",
        outcome=outcome,
        by=by,
        tests=("tests/test_ruler.py::test_edge",),
        covering=4,
    )


pytestmark = pytest.mark.slow  # they copy the tree and start processes

SAID = Equivalent(module="checks/ruler.py", before="LIMIT = 10", after="LIMIT = 11", reason="equivalent because it is")


# ------------------------------------------------------------------------------------------------------------- drawing


def places(mutants: list[Mutant]) -> list[tuple[int, int]]:
    """Where the mutants of one large module are."""
    return sorted(one.start for one in mutants if one.module.endswith("/search.py"))


def test_a_sample_is_drawn_by_its_seed_and_spread_over_packages_modules_and_lines() -> None:
    candidates, skipped = candidates_of(ROOT)
    drawn, same, other = (sample(candidates, 50, seed, lambda _: True) for seed in (7, 7, 8))
    assert drawn == same
    assert places(drawn) != places(other)
    assert Counter(one.package for one in drawn) == dict.fromkeys(PACKAGES, 10)
    for package in PACKAGES:
        modules = Counter(one.module for one in drawn if one.package == package)
        assert len(modules) >= 4
        assert max(modules.values()) <= 3
    assert len({(one.module, one.line) for one in drawn}) == 50
    assert skipped["annotation"] > 0


def test_a_change_of_one_module_leaves_what_is_drawn_from_the_others() -> None:
    modules = [f"pytest_tsexport/checks/{name}.py" for name in ("one", "two")]
    mutants = [mutant(line=line, module=module) for module in modules for line in range(1, 50)]
    fewer = [one for one in mutants if one.module == modules[1] or one.line % 2]
    before, after = (
        [one.line for one in sample(some, 10, 0, lambda _: True) if one.module == modules[1]]
        for some in (mutants, fewer)
    )
    assert before == after


def test_a_mutant_that_is_not_usable_leaves_its_place_to_another() -> None:
    mutants = [mutant(line=1, operator=f"core/{name}") for name in ("AddNot", "NumberReplacer")]
    for seed in range(9):
        drawn = sample(mutants, 10, seed, lambda one: one.operator == "core/AddNot")
        assert [one.operator for one in drawn] == ["core/AddNot"]


def test_what_says_nothing_about_the_tests_is_skipped_with_its_reason() -> None:
    skipped = {(one.line, why) for one, why in mutants_of(MODULE, RULER) if why is not None}
    assert skipped == {
        (6, "@dataclass and its options"),
        (16, "annotation"),
        (11, "parameter marker"),
    }


def test_that_two_lengths_are_alike_is_an_assertion_and_that_they_may_differ_is_not() -> None:
    strict, loose = (f"def f(x):\n    return zip(x, x, strict={one})\n" for one in (True, False))
    assert [why for _, why in mutants_of(MODULE, strict)] == ["strict=True of zip"]
    assert [why for _, why in mutants_of(MODULE, loose)] == [None]


def test_words_are_alike_or_not_and_have_no_order() -> None:
    def kept(comparison: str) -> set[str]:
        found = mutants_of(MODULE, f"def f(x, y):\n    return {comparison}\n")
        return {one.operator.removeprefix("core/ReplaceComparisonOperator_") for one, why in found if why is None}

    assert kept('x == "left"') == kept('"left" == x') == {"Eq_NotEq"}
    assert kept('x != "left"') == {"NotEq_Eq"}
    assert kept('x == y == "left"') == {"Eq_NotEq", "Eq_Lt", "Eq_LtE", "Eq_Gt", "Eq_GtE"}
    assert kept("x == y") == {"Eq_NotEq", "Eq_Lt", "Eq_LtE", "Eq_Gt", "Eq_GtE"}


def test_a_mutant_is_another_program() -> None:
    assert mutated(RULER, LOOSER) == RULER.replace("spare <= LIMIT", "spare < LIMIT")
    assert mutated(RULER, replace(LOOSER, occurrence=99)) is None
    assert mutated("for one in []: pass", mutant(operator="core/ZeroIterationForLoop")) is None
    assert mutated("def f(*, a): pass", mutant(operator="core/ReplaceBinaryOperator_Mul_Div")) is None


# ------------------------------------------------------------------------------------------------------ covering tests


def test_where_a_line_is_run_is_its_statement_its_function_or_who_reads_it() -> None:
    tree = ast.parse(RULER)
    assert place_of(tree, 13).lines == {13}
    assert place_of(tree, 11).lines == {12, 13}
    assert place_of(tree, 3).names == {"LIMIT"}
    assert place_of(tree, 8).names == {"length"}


def test_a_line_of_a_condition_is_run_with_the_condition_and_not_with_its_body() -> None:
    tree = ast.parse("def f(x):\n    if (x and\n            x > 1):\n        return 2\n    return 3\n")
    assert [set(place_of(tree, line).lines) for line in (2, 3, 4)] == [{2, 3}, {2, 3}, {4}]


def test_a_constant_is_covered_by_the_tests_of_the_lines_that_read_it() -> None:
    known = recording("test_small", "test_edge")
    assert known.covering(mutant(line=3)) == known.lines[MODULE][13]
    assert known.covering(mutant(line=17)) == frozenset()
    # Nothing reads what a field is, so any test of the module may see it.
    assert known.covering(mutant(line=8)) == known.lines[MODULE][13]


def test_the_tests_of_the_module_come_first_then_the_fastest_up_to_the_bound() -> None:
    seconds = {
        "tests/cases/test_x.py::quick": 0.1,
        "tests/cases/test_x.py::slow": 50.0,
        "tests/checks/test_ruler.py::slow": 9.0,
        "tests/checks/test_ruler.py::quick": 1.0,
        "tests/checks/test_other.py::quick": 0.5,
    }
    module = "pytest_tsexport/checks/ruler.py"
    known = Recording(seconds, {module: {13: frozenset(seconds)}}, {module: ast.parse(RULER)})
    assert chosen(known, mutant(line=13, module=module), 11) == [
        "tests/checks/test_ruler.py::quick",
        "tests/checks/test_ruler.py::slow",
        "tests/checks/test_other.py::quick",
        "tests/cases/test_x.py::quick",
    ]
    assert chosen(known, mutant(line=13, module=module), 0) == ["tests/checks/test_ruler.py::quick"]


def test_a_recording_is_kept_until_a_file_changes(copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "PACKAGE", "toy")
    tests = [f"tests/test_ruler.py::test_{name}" for name in ("small", "edge", "wrong")]
    outcomes = copy.folder / "outcomes"
    for source, anew in ((TESTS, True), (TESTS, False), (TESTS + "\n", True)):
        (copy.tree / "tests" / "test_ruler.py").write_text(source, encoding="utf-8")
        outcomes.unlink(missing_ok=True)
        known = record(copy, tests, tmp_path / "kept", 1)
        assert outcomes.exists() == anew
        # The last one fails without a mutant, too.
        assert known.covering(LOOSER) == set(tests[:2])


def test_a_test_that_fails_or_is_skipped_without_a_mutant_judges_none() -> None:
    phases = [
        Phase("good", "setup", "passed", 1.0),
        Phase("good", "call", "passed", 2.0),
        Phase("expected", "call", "xfailed", 2.0),
        Phase("bad", "call", "failed", 2.0),
        Phase("leaves", "call", "passed", 2.0),
        Phase("leaves", "teardown", "failed", 2.0),
        Phase("skipped", "setup", "skipped", 2.0),
    ]
    assert passed(phases) == {"good": 3.0, "expected": 2.0}


# -------------------------------------------------------------------------------------------------------------- trials


def test_a_mutant_is_applied_in_the_copy_and_killed_by_the_test_that_sees_it(copy: Copy) -> None:
    # Were the mutant not applied, both tests would pass.
    result = trial(LOOSER, recording("test_small", "test_edge"), copy, 60)
    assert (result.outcome, result.by) == (KILLED, "tests/test_ruler.py::test_edge")
    assert (result.before, result.after) == ("return size + spare <= LIMIT", "return size + spare < LIMIT")
    assert (copy.tree / MODULE).read_text(encoding="utf-8") == RULER
    assert not list((copy.tree / MODULE).parent.glob("__pycache__/*"))
    assert controlled([result], copy, 60) == [result]


def test_a_mutant_that_no_test_sees_survives_and_so_does_one_that_no_test_runs(copy: Copy) -> None:
    seen = trial(LOOSER, recording("test_small"), copy, 60)
    assert (seen.outcome, seen.survived, len(seen.tests), seen.covering) == (SURVIVED, True, 1, 1)
    missed = trial(one_of("core/ReplaceComparisonOperator_Eq_NotEq", 17), recording("test_small"), copy, 60)
    assert (missed.outcome, missed.survived) == (UNCOVERED, True)


def test_a_compiled_file_of_the_same_second_and_size_does_not_hide_the_mutant(copy: Copy) -> None:
    path, tests = copy.tree / MODULE, ["tests/test_ruler.py::test_small"]
    assert copy.pytest([], tests, 60, compiled=True).code == 0
    assert list(path.parent.glob("__pycache__/ruler.*.pyc"))
    second = path.stat().st_mtime
    with copy.changed(MODULE, RULER.replace("<= LIMIT", ">= LIMIT")):
        os.utime(path, (second, second))
        assert copy.pytest([], tests, 60).failed == tuple(tests)


def test_what_a_test_starts_sees_the_mutant_and_copies_are_used_side_by_side(copy: Copy) -> None:
    copies = [copy, copy_of(copy, copy.folder / "second")]
    done = list(trials([LOOSER, LOOSER], recording("test_child"), copies, 60))
    assert [(one.outcome, one.by) for one in done] == [(KILLED, "tests/test_ruler.py::test_child")] * 2
    assert controlled(done, copy, 60) == done


def test_a_copy_has_what_git_tracks_or_would_add(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    for name, text in ((".gitignore", "*.pyc\n"), ("folder/kept.py", "1\n"), ("folder/left.pyc", "2\n")):
        (root / name).write_text(text, encoding="utf-8")
    copied = copy_tree(root, tmp_path / "copy").tree
    assert sorted(path.name for path in copied.rglob("*") if path.is_file()) == [".gitignore", "kept.py"]


def test_a_run_past_its_limit_is_ended_and_is_no_kill(copy: Copy) -> None:
    run = copy.pytest([], ["tests/test_ruler.py::test_slow"], 3)
    assert run.code is None
    assert judged(run) == (TIMED_OUT, "")


def test_a_mutant_that_breaks_the_import_is_killed_before_any_test() -> None:
    assert judged(PytestRun(4, (), "")) == (KILLED, BEFORE_ANY)
    assert judged(PytestRun(-11, (), "")) == (KILLED, "a crash of pytest (exit code -11)")
    with pytest.raises(RuntimeError, match="found none of the tests"):
        judged(PytestRun(5, (), ""))


def test_who_fails_without_the_mutant_too_has_killed_nothing(copy: Copy) -> None:
    right = done(KILLED, by="tests/test_ruler.py::test_edge")
    wrong = done(KILLED, by="tests/test_ruler.py::test_wrong")
    lost = replace(done(KILLED, by=BEFORE_ANY), tests=("tests/test_ruler.py::test_that_is_not_there",))
    assert [one.outcome for one in controlled([right, wrong, lost], copy, 60)] == [KILLED, UNRELIABLE, UNRELIABLE]


# -------------------------------------------------------------------------------------------------------------- report


def test_the_exit_code_wants_enough_killed_and_a_reason_for_each_survivor() -> None:
    killed = [done(KILLED)] * 9
    survivor = done(SURVIVED)
    assert report.exit_code([*killed, survivor], [SAID]) == 0
    assert report.exit_code([*killed, survivor], []) == 1
    assert report.exit_code([*killed, survivor], [replace(SAID, after="LIMIT = 9")]) == 1
    assert report.exit_code([*killed, replace(survivor, outcome=UNCOVERED)], []) == 1
    assert report.exit_code([*killed[1:], survivor], [SAID]) == 1
    assert report.exit_code([*killed, done(TIMED_OUT)], []) == 0
    assert report.exit_code([*killed[1:], done(TIMED_OUT)], []) == 1
    assert report.exit_code([*killed, done(UNRELIABLE)], []) == 1
    assert report.exit_code([], []) == 1


REPORT = """\

package      mutants  killed  survived  no covering test  timed out  not judged  share killed
cases              1       0         0                 1          0           0           0 %
checks             3       1         1                 0          1           0          33 %
all                4       1         1                 1          1           0          25 %

timed out
  checks/ruler.py:3  timed out, 1 of 4 covering tests chosen
    - LIMIT = 10
    + LIMIT = 11

survived
  checks/ruler.py:3  survived, 1 of 4 covering tests chosen
    - LIMIT = 10
    + LIMIT = 11
    equivalent because it is
  cases/ruler.py:3  no covering test, 1 of 4 covering tests chosen
    - LIMIT = 10
    + LIMIT = 11
    no reason is given: write the test that is missing, or say in tests/benchmarks/mutants/equivalent.py why not

1 of 4 mutants were killed (25 %); at least 90 % are wanted"""


def test_the_report_is_this() -> None:
    trials = [done(KILLED, by="a test"), done(SURVIVED), done(TIMED_OUT), done(UNCOVERED, "cases")]
    assert "\n".join(report.summary(trials, [SAID])) == REPORT
    assert report.line_of(7, trials[0]) == "  7  checks/ruler.py:3                  NumberReplacer: killed by a test"


def stale() -> Iterator[str]:
    """Lines that are said to be mutated without effect and are not in their module."""
    for one in EQUIVALENT:
        lines = {line.strip() for line in (ROOT / "pytest_tsexport" / one.module).read_text("utf-8").splitlines()}
        yield from (f"{one.module}: {line}" for line in one.before.splitlines() if line not in lines)


def test_each_equivalent_mutant_is_one_that_is_drawn() -> None:
    for module in {one.module for one in EQUIVALENT}:
        source = (ROOT / "pytest_tsexport" / module).read_text("utf-8")
        said = {(one.before, one.after) for one in EQUIVALENT if one.module == module}
        lines = {number for number, line in enumerate(source.splitlines(), 1) if line.strip() in dict(said)}
        near = [one for one, why in mutants_of(module, source) if why is None and one.line in lines]
        made = [changed_lines(source, text) for one in near if (text := mutated(source, one)) is not None]
        assert said <= set(made)


def test_each_equivalent_mutant_is_of_a_line_that_is_there_and_has_a_reason() -> None:
    assert not list(stale())
    assert all(one.reason.startswith("equivalent because ") for one in EQUIVALENT)
