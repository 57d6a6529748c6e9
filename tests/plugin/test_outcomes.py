"""The outcome of an item follows its verdict: it passes only if something was looked at and found right."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Project, Run
from tests.plugin.workers import also_in_workers

WRONG = """
@pytest.mark.torchscript(inputs=ROWS, max_examples=30, checks={checks}{more})
def test_x():
    return BakesBatch()
"""
NO_TRACE = "@pytest.mark.torchscript(inputs=ROWS)\ndef test_x():\n    return CannotTrace()\n"
NEEDY = """
class Needy:
    name = "needy"
    contract = "safe"

    def why_unavailable(self):
        return "the needy compiler is not installed"

    def trace(self, subject):
        raise NotImplementedError

def pytest_ts_backends():
    return {"needy": Needy()}
"""


@pytest.mark.slow
def test_a_wrong_export_fails_with_the_text_of_the_report(project: Project, run: Run) -> None:
    project(WRONG.format(checks="['parity', 'shapes']", more=""))
    result = run("--ts-seed=3")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["jit-shapes: *", "  counterexample *", '  rerun * pytest "test_export.py::test_x?jit-shapes?" --ts-seed=3']
    )
    assert "pytest_tsexport/" not in result.stdout.str()


@pytest.mark.slow
def test_rerun_repeats_what_was_typed(project: Project, run: Run) -> None:
    project(WRONG.format(checks="['shapes']", more=""))
    result = run("--ts-seed=3", "--ts-max-examples=25", "--ts-backend=jit")
    rerun = '  rerun * pytest "test_export.py::test_x?jit-shapes?" --ts-backend=jit --ts-max-examples=25 --ts-seed=3'
    result.stdout.fnmatch_lines([rerun])


@pytest.mark.slow
def test_rerun_starts_where_pytest_was_started(
    project: Project, run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(WRONG.format(checks="['shapes']", more=""), pytest_ini="[pytest]\npythonpath = .\n")
    monkeypatch.chdir(pytester.mkdir("below"))
    result = run("--ts-seed=3", "../test_export.py")
    result.stdout.fnmatch_lines(['  rerun * pytest "../test_export.py::test_x?jit-shapes?" --ts-seed=3'])


def test_not_applicable_is_a_skip_that_folds_over_subjects(project: Project, run: Run) -> None:
    project(
        "@pytest.mark.parametrize('n', [1, 2, 3])\n"
        "@pytest.mark.torchscript(inputs=ROWS, checks=['tied_weights'])\n"
        "def test_x(n):\n    return Doubles()\n"
    )
    result = run("-rs")
    result.assert_outcomes(skipped=3)
    result.stdout.fnmatch_lines(["SKIPPED [[]3[]] tsexport: *"])


def test_what_cannot_be_traced_fails_once_and_says_why(project: Project, run: Run) -> None:
    project(NO_TRACE)
    result = run("-rs")
    result.assert_outcomes(failed=1, skipped=5)
    result.stdout.fnmatch_lines(["jit-trace: *", "SKIPPED [[]5[]] tsexport: not run*"])
    assert "no trace of this one" in result.stdout.str()


@pytest.mark.parametrize(
    "args",
    [
        ("--ts-checks=-trace",),
        ("-k", "parity"),
        ("--deselect=test_export.py::test_x[jit-trace]",),
    ],
)
def test_not_run_fails_if_the_item_that_says_why_is_not_selected(
    project: Project, run: Run, args: tuple[str, ...]
) -> None:
    project(NO_TRACE)
    result = run(*args)
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] >= 1
    assert not {"passed", "skipped"} & set(outcomes)
    result.stdout.fnmatch_lines(["jit-* was not run: *; select the trace check too, which says why"])


def test_an_unavailable_backend_fails_unless_it_may_be_skipped(project: Project, run: Run) -> None:
    project("@pytest.mark.torchscript(inputs=ROWS)\ndef test_x():\n    return Doubles()\n", conftest_py=NEEDY)
    result = run("--ts-backend=needy")
    result.assert_outcomes(failed=6)
    result.stdout.fnmatch_lines(["needy-parity was not run, because needy is unavailable: the needy compiler *"])
    result = run("--ts-backend=needy", "--ts-on-unavailable=skip", "-rs")
    result.assert_outcomes(skipped=6)
    result.stdout.fnmatch_lines(["SKIPPED [[]6[]] tsexport: needy is unavailable: the needy compiler is not installed"])


@pytest.mark.slow
def test_xfail_reaches_that_one_item(project: Project, run: Run) -> None:
    project(WRONG.format(checks="['parity', 'shapes']", more=", xfail={'shapes': 'one batch is all we ship'}"))
    result = run("-rx")
    result.assert_outcomes(passed=1, xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL *one batch is all we ship*"])
    assert result.ret == 0


def test_xfail_is_strict(project: Project, run: Run) -> None:
    project(WRONG.format(checks="['parity']", more=", xfail={'parity': 'not any more'}"))
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*XPASS(strict)* not any more"])


@pytest.mark.slow
def test_xfail_of_one_parameter(project: Project, run: Run) -> None:
    project("""
KNOWN = pytest.mark.torchscript(xfail={"shapes": "known"})

@pytest.mark.torchscript(inputs=ROWS, max_examples=20, checks=["shapes"])
@pytest.mark.parametrize("cls", [Doubles, pytest.param(BakesBatch, marks=KNOWN)])
def test_x(cls):
    return cls()
""")
    run().assert_outcomes(passed=1, xfailed=1)


def test_xfail_expects_a_verdict_and_no_other_error(project: Project, run: Run) -> None:
    project(
        "@pytest.mark.torchscript(inputs=ROWS, checks=['shapes'], xfail={'shapes': 'known'})\n"
        "def test_raises():\n    raise OSError('no such checkpoint')\n    return 1\n\n"
        "@pytest.mark.torchscript(inputs=ROWS, checks=['shapes'], backends=['needy'], xfail={'shapes': 'known'})\n"
        "def test_unavailable():\n    return Doubles()\n",
        conftest_py=NEEDY,
    )
    run().assert_outcomes(failed=2)


@also_in_workers
def test_every_outcome_comes_out_of_a_worker(project: Project, run: Run, plugin_args: tuple[str, ...]) -> None:
    known = ", xfail={'shapes': 'one batch is all we ship'}"
    project(
        WRONG.format(checks="['parity', 'shapes']", more="")
        + WRONG.format(checks="['tied_weights', 'shapes']", more=known).replace("test_x", "test_known")
        + NO_TRACE.replace("test_x", "test_explained")
        + NO_TRACE.replace("ROWS", "ROWS, checks=['parity']").replace("test_x", "test_unexplained")
    )
    result = run("-rsx", "--ts-seed=3", *plugin_args)
    result.assert_outcomes(passed=1, failed=3, skipped=6, xfailed=1)
    result.stdout.fnmatch_lines(['  rerun * pytest "test_export.py::test_x?jit-shapes?" --ts-seed=3'])
    result.stdout.fnmatch_lines(["jit-parity was not run: *; select the trace check too, which says why"])
    result.stdout.fnmatch_lines(["SKIPPED [[]5[]] tsexport: not run*"])
    result.stdout.fnmatch_lines(["XFAIL *one batch is all we ship*"])
    assert "pytest_tsexport/" not in result.stdout.str()


NOT_MADE = """
from pathlib import Path
from pytest_tsexport.errors import InputsError, UnavailableError

@pytest.mark.torchscript(max_examples=20)
def test_x():
    with Path("called.log").open("a") as log:
        log.write("called\\n")
    raise {error}
"""


@pytest.mark.parametrize("isolate", [(), pytest.param(("--ts-isolate",), marks=pytest.mark.slow)], ids=["here", "own"])
def test_a_model_that_needs_an_absent_package_is_unavailable(
    project: Project, run: Run, pytester: pytest.Pytester, isolate: tuple[str, ...]
) -> None:
    project(NOT_MADE.format(error="UnavailableError('it needs timm, which is not installed')"))
    result = run(*isolate)
    result.assert_outcomes(failed=6)
    why = "the model is unavailable: it needs timm, which is not installed"
    result.stdout.fnmatch_lines([f"jit-parity was not run, because {why}", "1 export: 1 not judged; *"])
    assert pytester.path.joinpath("called.log").read_text() == "called\n"
    result = run("--ts-on-unavailable=skip", "-rs", *isolate)
    result.assert_outcomes(skipped=6)
    result.stdout.fnmatch_lines([f"SKIPPED [[]6[]] tsexport: {why}"])


@pytest.mark.parametrize("isolate", [(), pytest.param(("--ts-isolate",), marks=pytest.mark.slow)], ids=["here", "own"])
def test_a_model_that_cannot_be_made_fails_once_and_has_a_row(
    project: Project, run: Run, isolate: tuple[str, ...]
) -> None:
    project(NOT_MADE.format(error="InputsError('the config has no width')"))
    result = run("-rs", *isolate)
    result.assert_outcomes(failed=1, skipped=5)
    result.stdout.fnmatch_lines(
        [
            "test_x: the config has no width",
            "test_export.py::test_x (jit)",
            "not run *: the config has no width",
            "1 export: 1 not judged; *",
            "SKIPPED [[]5[]] tsexport: not run: the config has no width",
        ]
    )
    result = run("--ts-checks=parity", *isolate)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["jit-parity was not run: the config has no width; *"])


@pytest.mark.slow
def test_the_short_summary_begins_with_the_cause(project: Project, run: Run) -> None:
    project("""
@pytest.mark.torchscript(inputs=ROWS, max_examples=20, shapes="dynamic", checks=["trace", "shapes"])
def test_wrong():
    return BakesBatch()

@pytest.mark.torchscript(inputs=ROWS, checks=["trace"])
def test_none():
    return 3

@pytest.mark.torchscript(inputs=ROWS, checks=["parity"])
def test_crashes():
    raise SystemExit(3)
""")
    result = run()
    result.stdout.fnmatch_lines(
        [
            "FAILED test_export.py::test_wrong?jit-shapes? - silently wrong *",
            "FAILED test_export.py::test_none?jit-trace? - an int is no model; *",
        ]
    )
