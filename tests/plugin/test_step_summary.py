"""In a GitHub workflow the report is on the page of the run, and each wrong export on the line of its test."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tsexport.plugin.session.step_summary import MOST
from tests.plugin.conftest import Project, Run

WRONG = """
@pytest.mark.torchscript(inputs=ROWS, max_examples=20, checks=["trace", "shapes"], shapes="dynamic")
def test_x():
    return BakesBatch()
"""
ANNOTATION = "::error file=*,line=5,title=test_x (jit)%3A wrong::shapes: silently wrong *"


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    return tmp_path / "summary.md"


@pytest.mark.slow
def test_the_report_is_added_to_the_page_and_the_line_is_annotated(
    project: Project, run: Run, summary: Path, plugin_args: tuple[str, ...]
) -> None:
    project(WRONG)
    summary.write_text("of another program\n")
    result = run(*plugin_args)
    result.stdout.fnmatch_lines([ANNOTATION])
    text = summary.read_text()
    assert text.startswith("of another program\n### TorchScript export: 1 wrong\n")
    assert "smallest of" in text


@pytest.mark.slow
def test_the_file_is_named_as_the_checkout_knows_it(
    project: Project, run: Run, summary: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(pytester.path.parent))
    project(WRONG)
    run().stdout.fnmatch_lines([ANNOTATION.replace("*", f"{pytester.path.name}/test_export.py", 1)])


@pytest.mark.slow
def test_a_run_that_is_no_step_of_a_workflow_prints_no_command(project: Project, run: Run) -> None:
    project(WRONG)
    assert "::error" not in run().stdout.str()


def test_a_run_without_a_marked_test_adds_nothing(project: Project, run: Run, summary: Path) -> None:
    project("def test_x():\n    pass\n", head="import pytest\n")
    run("--ts-budget=5").assert_outcomes(passed=1)
    assert not summary.exists()


@pytest.mark.slow
def test_a_full_page_gets_no_more(project: Project, run: Run, summary: Path) -> None:
    project(WRONG)
    summary.write_text("x" * (MOST - 100))
    run().stdout.fnmatch_lines([ANNOTATION])
    assert summary.stat().st_size == MOST - 100


@pytest.mark.slow
def test_a_page_that_cannot_be_written_changes_no_verdict(project: Project, run: Run, summary: Path) -> None:
    project(WRONG)
    summary.mkdir()
    result = run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*summary.md was not written (GITHUB_STEP_SUMMARY): Is a directory", ANNOTATION])


@pytest.mark.slow
def test_a_model_of_the_command_line_has_no_line(
    project: Project, run: Run, summary: Path, pytester: pytest.Pytester
) -> None:
    project("", specimens_py=pytester.path.joinpath("specimens.py").read_text())
    made = "import specimens\nmade = lambda: (specimens.BakesBatch(), specimens.ROWS)\n"
    pytester.path.joinpath("models.py").write_text(made)
    pytester.syspathinsert()
    result = run("--ts-model=models:made", "--ts-max-examples=20", "--ts-checks=parity,shapes")
    assert "file=" not in result.stdout.str()
    assert summary.exists()
