"""A check that ends in anything but a verdict fails its item, stands in the table, and makes no export right."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from tests.plugin.conftest import Project, Run

ENDS = """
import sys

class Ends(torch.nn.Module):
    def forward(self, x):
        if x.shape[0] > 6 {when}:
            {end}
        return x * 2

@pytest.mark.torchscript(inputs=ROWS, max_examples=20, checks=["parity", "shapes"]{more})
def test_x():
    return Ends()
"""


def ends(end: str, *, when: str = "", more: str = "") -> str:
    return ENDS.format(end=end, when=when, more=more)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "what"),
    [
        ("sys.exit(3)", "SystemExit: 3"),
        ("pytest.skip('no GPU')", "Skipped: no GPU"),
        ("pytest.xfail('known')", "XFailed: known"),
        ("pytest.fail('a time limit')", "Failed: a time limit"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_crashed_check_fails_and_is_not_judged(project: Project, run: Run, end: str, what: str) -> None:
    project(ends(end))
    result = run("--ts-seed=3", "-W", "ignore")
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            f"jit-shapes: crashed: {what}; not judged",
            "  raised at        test_export.py:10, in forward",
            "  fix              what ends a program or a test *",
            '  rerun            pytest "test_export.py::test_x?jit-shapes?" --ts-seed=3',
            "  shapes  CRASHED  *",
            f"crashed         shapes: {what}; not judged",
            "1 export: 1 not judged; *",
        ]
    )
    assert "pytest_tsexport/" not in result.stdout.str()


@pytest.mark.slow
def test_a_crash_comes_out_of_every_kind_of_run(
    project: Project, run: Run, pytester: pytest.Pytester, plugin_args: tuple[str, ...]
) -> None:
    project(ends("pytest.skip('no GPU')"))
    result = run("--junitxml=junit.xml", "-o", "junit_family=xunit1", "-W", "ignore", *plugin_args)
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["  shapes  CRASHED  *", "1 export: 1 not judged; *"])
    properties = ET.parse(pytester.path / "junit.xml").iter("property")
    outcomes = {value["check"]: value["outcome"] for value in (json.loads(one.attrib["value"]) for one in properties)}
    assert outcomes == {"parity": "passed", "shapes": "crashed"}


def test_a_crash_is_not_the_failure_that_the_marker_expects(project: Project, run: Run) -> None:
    project(ends("sys.exit(3)", more=", xfail={'shapes': 'one batch is all we ship'}"))
    result = run("-W", "ignore")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["1 export: 1 not judged; *"])


@pytest.mark.slow
def test_a_run_with_a_crash_is_not_green_even_if_each_item_may_fail(project: Project, run: Run) -> None:
    body = ends("sys.exit(3)")
    project(body.replace("@pytest.mark.torchscript", "@pytest.mark.xfail(strict=False)\n@pytest.mark.torchscript"))
    result = run("-W", "ignore")
    result.assert_outcomes(xpassed=1, xfailed=1)
    assert result.ret == 1


@pytest.mark.slow
def test_an_interrupt_is_no_crash(project: Project, pytester: pytest.Pytester) -> None:
    project(ends("raise KeyboardInterrupt"))
    result = pytester.inline_run("-p", "no:randomly", "-W", "ignore", no_reraise_ctrlc=True)
    assert result.ret == pytest.ExitCode.INTERRUPTED


TRACING = "and False or torch.jit.is_tracing()"


@pytest.mark.parametrize("end", ["sys.exit(3)", "pytest.skip('no GPU')"])
def test_what_ends_the_export_is_a_crash_of_trace_and_the_rest_is_not_run(project: Project, run: Run, end: str) -> None:
    project(ends(end, when=TRACING).replace('checks=["parity", "shapes"]', 'checks=["trace", "shapes"]'))
    result = run("-W", "ignore", "-rs")
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(["jit-trace: crashed: *", "1 export: 1 not judged; *"])


def test_what_ends_the_export_is_no_skip_where_trace_is_not_selected(project: Project, run: Run) -> None:
    project(ends("pytest.skip('no GPU')", when=TRACING))
    run("-W", "ignore").assert_outcomes(failed=2)


def test_a_model_that_ends_every_call_is_built_and_called_once(project: Project, run: Run) -> None:
    """A model that hangs would else run into the time limit once for each check."""
    project(ends("print('CALLED'); pytest.skip('no GPU')", when="or True") + "    print('BUILT')\n")
    result = run("-W", "ignore", "-s")
    result.assert_outcomes(failed=2)
    assert result.stdout.str().count("CALLED") == 1
    result.stdout.fnmatch_lines(
        ["jit-parity: crashed: Skipped: no GPU; not judged", "jit-shapes: crashed: Skipped: no GPU; not judged"]
    )
    result.stdout.fnmatch_lines(["  parity  CRASHED *", "  shapes  CRASHED *", "1 export: 1 not judged; *"])


def test_a_time_limit_of_the_test_is_a_crash_and_the_other_checks_are_judged(project: Project, run: Run) -> None:
    project("import time\n" + ends("time.sleep(60)"))
    result = run("-W", "ignore", "--timeout=3", "--timeout-method=signal")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["jit-shapes: crashed: Failed: Timeout (>3.0s) from pytest-timeout; not judged"])
    result.stdout.fnmatch_lines(["  parity  passed *", "  shapes  CRASHED *"])


def test_a_skip_of_the_hook_is_the_users_own(project: Project, run: Run) -> None:
    project(
        "@pytest.mark.torchscript(checks=['parity', 'shapes'])\ndef test_x():\n    return Doubles()\n",
        conftest_py="import pytest\n\ndef pytest_ts_inputs(model):\n    pytest.skip('no data here')\n",
    )
    result = run("-rs")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED [[]2[]] tsexport: no data here"])


BY_HAND = """
import sys

class Ends(torch.nn.Module):
    def forward(self, x):
        if x.shape[0] > 6 or {always}:
            pytest.skip('no GPU')
        return x * 2

def test_x(ts_export):
    ts_export(Ends(), ROWS, max_examples=20).validate(["parity", "shapes"])
"""


@pytest.mark.parametrize("always", [False, True])
def test_a_hand_written_test_is_not_skipped_by_its_model(project: Project, run: Run, *, always: bool) -> None:
    project(BY_HAND.format(always=always))
    result = run("-W", "ignore")
    result.assert_outcomes(failed=1)
    sentence = (
        "*CrashError: the export crashed: Skipped: no GPU*" if always else "*jit-shapes: crashed: Skipped: no GPU*"
    )
    result.stdout.fnmatch_lines([sentence])


SLOW = "@pytest.mark.torchscript(inputs=ROWS, checks=['parity', 'shapes'], xfail={'shapes': 'known'})\n"


def test_too_slow_fails_in_a_sentence_and_is_not_judged(
    project: Project, run: Run, plugin_args: tuple[str, ...]
) -> None:
    project(SLOW + "def test_x():\n    return Doubles()\n")
    result = run("--ts-seed=3", "--ts-timeout=1e-9", *plugin_args)
    result.assert_outcomes(failed=2)
    assert result.ret == 1
    rerun = 'pytest "test_export.py::test_x?jit-parity?" --ts-timeout=1e-9 --ts-seed=3'
    result.stdout.fnmatch_lines(
        [
            "jit-parity: too slow: 0 of 22 essential cases in 1e-09 s (--ts-timeout); not judged",
            "  traced at        x (batch=2, dim1=3)",
            "  fix              raise --ts-timeout, *",
            f"  rerun            {rerun}",
        ]
    )
    result.stdout.fnmatch_lines(
        [
            "  parity  TOO SLOW  0 of 100  *",
            "too slow        parity: 0 of 22 essential cases in 1e-09 s (--ts-timeout); not*",
            "1 export: 1 not judged; *",
        ]
    )
    assert "wrong" not in result.stdout.str()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("when", ["", "first", "tracing"])
def test_pytest_exit_in_a_model_ends_the_run_and_is_no_answer(project: Project, run: Run, when: str) -> None:
    condition = {"": "x.shape[0] == 3", "first": "True", "tracing": "torch.jit.is_tracing()"}[when]
    project(
        "import pytest, torch\n"
        "class Ends(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        f"        if {condition}:\n"
        "            pytest.exit('enough', returncode=7)\n"
        "        return x * 2\n"
        "@pytest.mark.torchscript(inputs={'x': torch.randn(2, 7)}, max_examples=20, checks=['parity', 'shapes'])\n"
        "def test_x():\n"
        "    return Ends()\n"
    )
    result = run("-W", "ignore")
    assert result.ret == 7
    result.stdout.fnmatch_lines(["*Exit: enough*"])
