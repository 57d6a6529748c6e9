"""Verdicts reach JUnit, the hook and the summary, and the controller from a worker."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from pytest_tsexport.verdict import Outcome, Verdict
from tests.plugin.conftest import Project, Run
from tests.plugin.workers import also_in_workers

BOTH = """
@pytest.mark.torchscript(inputs=ROWS, max_examples=30, checks=["trace", "tied_weights", "shapes"])
def test_x():
    return BakesBatch()
"""


@also_in_workers
def test_each_verdict_reaches_its_property_and_the_hook(
    project: Project, run: Run, pytester: pytest.Pytester, plugin_args: tuple[str, ...]
) -> None:
    project(
        BOTH,
        conftest_py="""
def pytest_ts_report(verdicts):
    for verdict in verdicts:
        print("REPORTED", type(verdict).__name__, verdict.subject, verdict.name, verdict.outcome.value)
""",
    )
    result = run("-s", "--junitxml=junit.xml", "-o", "junit_family=xunit1", *plugin_args)
    result.assert_outcomes(passed=1, skipped=1, failed=1)
    assert sorted(line[line.index("REPORTED") :] for line in result.outlines if "REPORTED" in line) == [
        "REPORTED Verdict test_export.py::test_x jit-shapes failed",
        "REPORTED Verdict test_export.py::test_x jit-tied_weights not applicable",
        "REPORTED Verdict test_export.py::test_x jit-trace passed",
    ]
    found = {}
    for case in ET.parse(pytester.path / "junit.xml").iter("testcase"):
        (value,) = (p.attrib["value"] for p in case.iter("property") if p.attrib["name"] == "tsexport")
        found[case.attrib["name"]] = json.loads(value)["outcome"]
    assert found == {
        "test_x[jit-trace]": "passed",
        "test_x[jit-tied_weights]": "not applicable",
        "test_x[jit-shapes]": "failed",
    }


@pytest.mark.slow
def test_a_rerun_replaces_the_verdict(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(
        BOTH,
        conftest_py="""
def pytest_ts_report(verdicts):
    print("REPORTED", len(verdicts))

def pytest_runtest_logreport(report):
    if report.when == "call":
        print("PROPERTIES", len(report.user_properties), len(report.tsexport))
""",
    )
    result = run("--reruns=2", "-s", "-k", "shapes")
    assert result.stdout.str().count("PROPERTIES 1 1") == 3
    result.stdout.fnmatch_lines(["*REPORTED 1"])


HEADER = "torchscript export: torch *, transformers *; backend jit"


@pytest.mark.parametrize(
    ("body", "args", "shown"),
    [
        (BOTH, (), True),
        (BOTH, ("--ts-backend=jit",), True),
        ("def test_x():\n    pass\n", (), False),
        ("def test_x():\n    pass\n", ("-v",), True),
        ("def test_x():\n    pass\n", ("--ts-seed=1",), True),
    ],
)
def test_the_versions_are_shown_once_if_they_matter(
    project: Project, run: Run, body: str, args: tuple[str, ...], *, shown: bool
) -> None:
    project(body)
    result = run(*args)
    assert result.stdout.str().count("torchscript export: ") == int(shown)
    if shown:
        result.stdout.fnmatch_lines([HEADER])


def test_the_file_of_a_baseline_shows_that_a_project_uses_the_plugin(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    project("def test_x():\n    pass\n")
    pytester.path.joinpath("ts-baseline.json").write_text("{}")
    run().stdout.fnmatch_lines([HEADER])


def test_a_run_without_a_marked_test_says_nothing(project: Project, run: Run) -> None:
    project("def test_x():\n    pass\n")
    assert "torchscript" not in run().stdout.str()


@pytest.mark.slow
def test_a_known_failure_is_reported_as_known(project: Project, run: Run) -> None:
    project(BOTH.replace("])", "], xfail={'shapes': 'one batch'})"))
    result = run()
    result.assert_outcomes(passed=1, skipped=1, xfailed=1)
    result.stdout.fnmatch_lines(["1 export: 1 known to be wrong; *"])


@pytest.mark.slow
def test_a_report_is_made_of_builtin_types(project: Project, pytester: pytest.Pytester) -> None:
    project(BOTH)
    reports = pytester.inline_run("-p", "no:randomly").getreports("pytest_runtest_logreport")
    found = [getattr(report, "tsexport", None) for report in reports]
    verdicts = [Verdict.from_dict(fields) for item in found if item for fields in item]
    assert [verdict.outcome for verdict in verdicts] == [Outcome.PASSED, Outcome.NOT_APPLICABLE, Outcome.FAILED]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_files_can_be_kept(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(BOTH)
    run("--ts-export-dir=kept", "-k", "trace").assert_outcomes(passed=1)
    assert len(list(pytester.path.joinpath("kept").rglob("*"))) >= 1
