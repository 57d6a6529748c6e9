"""`--ts-known-failures`: an entry makes its one item a strict xfail, and no other one."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Project, Run

WRONG = """
@pytest.mark.torchscript(inputs=ROWS, max_examples=30, checks=["parity", "shapes"])
@pytest.mark.parametrize("model", [BakesBatch, Doubles])
def test_x(model):
    return model()
"""
ENTRY = """
[[known]]
subject = "test_export.py::test_x[{subject}]"
backend = "jit"
check = "{check}"
reason = "the batch is baked in"
{more}
"""


@pytest.fixture
def wrong(project: Project, pytester: pytest.Pytester) -> None:
    project(WRONG)
    listed = ENTRY.format(subject="BakesBatch", check="shapes", more="")
    pytester.path.joinpath("known.toml").write_text(listed)


@pytest.mark.usefixtures("wrong")
def test_a_known_failure_is_expected(run: Run, plugin_args: tuple[str, ...]) -> None:
    result = run("--ts-known-failures=known.toml", "-rx", *plugin_args)
    result.assert_outcomes(passed=3, xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL test_export.py::test_x?BakesBatch-jit-shapes? - the batch is baked in*"])
    result.stdout.fnmatch_lines(["2 exports: 1 right, 1 known to be wrong; *"])
    run(*plugin_args).assert_outcomes(passed=3, failed=1)


@pytest.mark.usefixtures("wrong")
def test_the_ini_names_the_file_too(run: Run) -> None:
    run("-o", "ts_known_failures=known.toml").assert_outcomes(passed=3, xfailed=1)


def test_a_check_that_passes_though_it_is_known_to_fail_fails(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    project(WRONG)
    listed = ENTRY.format(subject="Doubles", check="parity", more='link = "https://example.com/1"')
    pytester.path.joinpath("known.toml").write_text(listed)
    result = run("--ts-known-failures=known.toml")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["?XPASS(strict)? the batch is baked in (https://example.com/1)"])


def test_an_expired_entry_expects_nothing(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(WRONG)
    listed = ENTRY.format(subject="BakesBatch", check="shapes", more="expires = 2026-01-31")
    pytester.path.joinpath("known.toml").write_text(listed)
    run("--ts-known-failures=known.toml").assert_outcomes(passed=3, failed=1)


def test_inputs_that_cannot_be_derived_may_be_known(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project("@pytest.mark.torchscript\ndef test_x():\n    return Doubles()\n")
    entry = (
        '[[known]]\nsubject = "test_export.py::test_x"\nbackend = "jit"\ncheck = "trace"\nreason = "no rule for x"\n'
    )
    pytester.path.joinpath("known.toml").write_text(entry)
    run("--ts-known-failures=known.toml").assert_outcomes(xfailed=1, skipped=5)
    run().assert_outcomes(failed=1, skipped=5)


def test_a_bad_file_is_exit_code_4(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project("def test_x():\n    pass\n")
    pytester.path.joinpath("known.toml").write_text("[known]\n")
    result = run("--ts-known-failures=known.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: known.toml cannot be read as known failures: it has one [[]known]; give *"])
