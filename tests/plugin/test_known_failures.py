"""`--ts-known-failures`: an entry expects its one item to fail, and a run says which entries do not hold."""

from __future__ import annotations

from collections.abc import Callable

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


@pytest.mark.slow
@pytest.mark.usefixtures("wrong")
def test_a_known_failure_is_expected(run: Run, plugin_args: tuple[str, ...]) -> None:
    result = run("--ts-known-failures=known.toml", "-rx", *plugin_args)
    result.assert_outcomes(passed=3, xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL test_export.py::test_x?BakesBatch-jit-shapes? - the batch is baked in*"])
    result.stdout.fnmatch_lines(["2 exports: 1 right, 1 known to be wrong; *"])
    run(*plugin_args).assert_outcomes(passed=3, failed=1)


@pytest.mark.slow
@pytest.mark.usefixtures("wrong")
def test_the_ini_names_the_file_too(run: Run) -> None:
    run("-o", "ts_known_failures=known.toml").assert_outcomes(passed=3, xfailed=1)


@pytest.fixture
def listed(project: Project, pytester: pytest.Pytester) -> Callable[..., None]:
    """Writes the tests, and a table with one entry of `test_x`."""

    def write(subject: str = "Doubles", check: str = "parity", more: str = "") -> None:
        project(WRONG)
        pytester.path.joinpath("known.toml").write_text(ENTRY.format(subject=subject, check=check, more=more))

    return write


Listed = Callable[..., None]


def section(result: pytest.RunResult) -> list[str]:
    """What stands under "known failures", after the table."""
    lines = result.outlines
    heads = [number for number, line in enumerate(lines) if line.startswith("=") and " known failures " in line]
    if not heads:
        return []
    after = lines[heads[0] + 1 :]
    assert any(" torchscript export " in line for line in lines[: heads[0]])
    end = next(number for number, line in enumerate(after) if line.startswith("="))
    return [line for line in after[:end] if line]


@pytest.mark.slow
def test_what_got_better_is_reported_and_fails_nothing(listed: Listed, run: Run, plugin_args: tuple[str, ...]) -> None:
    listed(more='link = "https://example.com/1"')
    result = run("--ts-known-failures=known.toml", "-rX", "--deselect=test_export.py::test_x[BakesBatch-jit-shapes]",
                 *plugin_args)  # fmt: skip
    result.assert_outcomes(passed=2, xpassed=1)
    assert result.ret == pytest.ExitCode.OK
    assert section(result) == [
        "known.toml, entry 1: stale: test_export.py::test_x[Doubles] now passes jit-parity; remove the entry"
    ]
    reason = "the batch is baked in (https://example.com/1) [[]known.toml, entry 1]"
    result.stdout.fnmatch_lines([f"XPASS test_export.py::test_x?Doubles-jit-parity? - {reason}*"])


@pytest.mark.slow
def test_with_xfail_strict_what_got_better_fails_and_names_file_and_entry(listed: Listed, run: Run) -> None:
    listed()
    result = run("--ts-known-failures=known.toml", "-o", "xfail_strict=true", "-k", "Doubles")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["?XPASS(strict)? the batch is baked in ?known.toml, entry 1?"])


@pytest.mark.slow
def test_a_table_that_a_package_ships_may_be_strict(listed: Listed, run: Run, pytester: pytest.Pytester) -> None:
    listed()
    pytester.path.joinpath("conftest.py").write_text(
        """
from pathlib import Path
from pytest_tsexport.config.known_failures import read_known_failures
from pytest_tsexport.plugin.collection.expansion import id_of
from pytest_tsexport.plugin.execution.outcomes import expect_entry

def pytest_itemcollected(item):
    parts = id_of(item)
    expect_entry(item, read_known_failures(Path("known.toml"), typed="theirs").of(*parts[1:4]), strict=True)
"""
    )
    result = run("-k", "Doubles")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["?XPASS(strict)? the batch is baked in ?theirs, entry 1?"])


@pytest.mark.slow
def test_what_got_worse_fails(listed: Listed, run: Run) -> None:
    listed(subject="BakesBatch", check="parity")
    result = run("--ts-known-failures=known.toml")
    result.assert_outcomes(passed=2, xpassed=1, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(
    "args",
    [("-k", "Doubles and shapes"), ("--ts-checks=shapes", "-k", "Doubles"), ("--ts-backend=neuron",)],
    ids=["deselected", "not asked", "on another backend"],
)
def test_what_was_not_reached_is_not_better(listed: Listed, run: Run, args: tuple[str, ...]) -> None:
    listed()
    assert section(run("--ts-known-failures=known.toml", *args)) == []


def test_what_could_not_be_judged_is_not_better(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project(
        """
@pytest.mark.torchscript(inputs=ROWS, checks=["trace"])
@pytest.mark.parametrize("model", ["Doubles"])
def test_x(model):
    raise SystemExit(3)
"""
    )
    pytester.path.joinpath("known.toml").write_text(ENTRY.format(subject="Doubles", check="trace", more=""))
    result = run("--ts-known-failures=known.toml")
    assert section(result) == []
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.slow
def test_an_expired_entry_expects_nothing_and_is_told(listed: Listed, run: Run, plugin_args: tuple[str, ...]) -> None:
    listed(subject="BakesBatch", check="shapes", more="expires = 2026-01-31")
    result = run("--ts-known-failures=known.toml", *plugin_args)
    result.assert_outcomes(passed=3, failed=1)
    assert section(result) == [
        "known.toml, entry 1: expired on 2026-01-31, and test_export.py::test_x[BakesBatch] still fails jit-shapes: "
        "the batch is baked in"
    ]


GONE = "known.toml, entry 1: no test has the subject test_export.py::test_x[Renamed]; correct or remove it"


@pytest.mark.slow
def test_an_entry_of_a_test_that_is_gone_is_told(listed: Listed, run: Run, plugin_args: tuple[str, ...]) -> None:
    listed(subject="Renamed")
    assert section(run("--ts-known-failures=known.toml", "--ts-checks=parity", *plugin_args)) == [GONE]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["test_export.py"], [GONE]),
        (["-k", "Doubles"], [GONE]),
        (["test_export.py::test_x"], []),
        (["test_other.py"], []),
    ],
    ids=["its file", "a part of what was collected", "one test", "another file"],
)
def test_a_test_that_was_not_collected_is_not_gone(
    listed: Listed, run: Run, pytester: pytest.Pytester, args: list[str], told: list[str]
) -> None:
    listed(subject="Renamed")
    pytester.path.joinpath("test_other.py").write_text("def test_other():\n    pass\n")
    assert section(run("--ts-known-failures=known.toml", "--ts-checks=trace", *args)) == told


def test_a_file_that_cannot_be_collected_is_not_gone(listed: Listed, run: Run, pytester: pytest.Pytester) -> None:
    listed(subject="Renamed")
    pytester.path.joinpath("test_broken.py").write_text("import no_such_module\n")
    args = ("--continue-on-collection-errors", "--ts-checks=trace")
    assert section(run("--ts-known-failures=known.toml", *args)) == []


def test_a_test_whose_file_is_gone_is_told_by_a_run_of_everything(
    project: Project, run: Run, pytester: pytest.Pytester, plugin_args: tuple[str, ...]
) -> None:
    project("def test_other():\n    pass\n", head="")
    for file in ("test_gone.py", "ts-model"):
        entry = f'[[known]]\nsubject = "{file}::test_x"\nbackend = "jit"\nreason = "baked in"\n'
        with pytester.path.joinpath("known.toml").open("a") as table:
            table.write(entry)
    told = ["known.toml, entry 1: no test has the subject test_gone.py::test_x; correct or remove it"]
    result = run("--ts-known-failures=known.toml", *plugin_args)
    assert [line for line in result.outlines if line.startswith("known.toml")] == told
    result = run("--ts-known-failures=known.toml", "test_export.py", *plugin_args)
    assert not [line for line in result.outlines if line.startswith("known.toml")]


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
