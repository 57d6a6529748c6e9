"""A run looks first at the counterexamples of the last one, from pytest's cache and from a file that a team commits."""

from __future__ import annotations

import json

import pytest

from tests.plugin.conftest import Project, Run

WRONG = """
@pytest.mark.torchscript(inputs=ROWS, max_examples=30, checks=["shapes"])
def test_x():
    return BakesBatch()
"""

FIRST = """
import pytest
from pytest_tsexport.checks import shapes
looked = []
judge = shapes.compare_case
shapes.compare_case = lambda evidence, case: looked.append(str(case)) or judge(evidence, case)

def pytest_ts_report(verdicts):
    print("FIRST", [one for one in looked if one != "(batch=2, dim1=3)"][0])
"""

SUBJECT, NAME = "test_export.py::test_x", "jit-shapes"


def first(outlines: list[str]) -> str:
    (line,) = (line for line in outlines if "FIRST" in line)
    return line[line.index("FIRST") + 6 :]


@pytest.mark.slow
def test_a_rerun_starts_with_the_counterexample(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(WRONG, conftest_py=FIRST)
    cases = {SUBJECT: {NAME: [{"sizes": {"batch": 5, "dim1": 4}, "seed": 9, "values": "uniform", "mask": "ones"}]}}
    (pytester.path / "kept.json").write_text(json.dumps(cases))
    result = run("-s", "--ts-counterexamples=kept.json")
    result.assert_outcomes(failed=1)
    assert first(result.outlines) == "(batch=5, dim1=4)"


@pytest.mark.slow
def test_the_smallest_stays_in_the_cache_until_the_fault_is_fixed(
    project: Project, run: Run, pytester: pytest.Pytester, plugin_args: tuple[str, ...]
) -> None:
    project(WRONG)
    run(*plugin_args).assert_outcomes(failed=1)
    cache = pytester.path / ".pytest_cache/v/tsexport/counterexamples"
    (kept,) = json.loads(cache.read_text())[SUBJECT][NAME]
    assert kept == {"sizes": {"batch": 1, "dim1": 1}, "seed": kept["seed"], "values": "uniform", "mask": "ones"}
    project(WRONG.replace("BakesBatch", "Doubles"))
    run(*plugin_args).assert_outcomes(passed=1)
    assert json.loads(cache.read_text()) == {SUBJECT: {}}


@pytest.mark.slow
def test_a_file_keeps_every_counterexample_and_is_written_only_for_a_new_one(
    project: Project, run: Run, pytester: pytest.Pytester, plugin_args: tuple[str, ...]
) -> None:
    project(WRONG, pytest_ini="[pytest]\nts_counterexamples = folder/kept.json\n")
    run(*plugin_args).assert_outcomes(failed=1)
    path = pytester.path / "folder/kept.json"
    before = path.read_text()
    assert list(json.loads(before)[SUBJECT]) == [NAME]
    path.touch()
    stamp = path.stat().st_mtime_ns
    project(WRONG.replace("BakesBatch", "Doubles"), pytest_ini="[pytest]\nts_counterexamples = folder/kept.json\n")
    run(*plugin_args).assert_outcomes(passed=1)
    assert (path.read_text(), path.stat().st_mtime_ns) == (before, stamp)


def test_a_case_that_no_longer_fits_the_subject_is_ignored(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    stale = [{"sizes": {"rows": 5}, "seed": 9, "values": "uniform", "mask": "ones"}, {}, {"sizes": 3, "seed": "x"}]
    (pytester.path / "kept.json").write_text(json.dumps({SUBJECT: {NAME: stale}}))
    project(WRONG.replace("BakesBatch", "Doubles"))
    run("--ts-counterexamples=kept.json").assert_outcomes(passed=1)


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": {"b": [3]}}', '{"a": 3}'])
def test_a_file_without_counterexamples_is_one_sentence(
    project: Project, run: Run, pytester: pytest.Pytester, text: str
) -> None:
    (pytester.path / "kept.json").write_text(text)
    project(WRONG)
    result = run("--ts-counterexamples=kept.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = (line for line in result.errlines if "ERROR" in line)
    assert "kept.json holds no counterexamples" in line
    assert line.endswith("give a file that --ts-counterexamples wrote")


@pytest.mark.slow
def test_without_the_cache_of_pytest_nothing_is_kept_and_no_error_is_raised(project: Project, run: Run) -> None:
    project(WRONG)
    run("-p", "no:cacheprovider").assert_outcomes(failed=1)
