"""Warnings of torch's tracer are one note where other sizes were looked at, and warnings where they were not."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Project, Run

MODELS = """
class Branches(torch.nn.Module):
    def forward(self, x):
        if x.dim() > 5 or bool((x.isnan()).any()):
            return x * 0
        return x * 2

class Wrong(Branches):
    def forward(self, x):
        return super().forward(x) * int(x.shape[0])

@pytest.mark.torchscript(inputs=ROWS, max_examples=5, checks=["trace", "shapes"])
def test_right():
    return Branches()
"""
WRONG = """
@pytest.mark.torchscript(inputs=ROWS, max_examples=5, checks=["trace", "shapes"], shapes="dynamic")
def test_wrong():
    return Wrong()
"""
SHOWN = ("-W", "default")


@pytest.mark.slow
def test_those_of_an_export_that_is_right_at_other_sizes_are_one_note(
    project: Project, run: Run, plugin_args: tuple[str, ...]
) -> None:
    project(MODELS)
    result = run(*SHOWN, *plugin_args)
    result.assert_outcomes(passed=2)
    assert "warnings summary" not in result.stdout.str()
    result.stdout.fnmatch_lines(["tracer * 1 warning of torch's tracer not shown, since shapes passed (test_right)"])


@pytest.mark.slow
def test_those_of_a_wrong_one_are_shown(project: Project, run: Run) -> None:
    project(MODELS + WRONG)
    result = run(*SHOWN)
    result.assert_outcomes(passed=3, failed=1, warnings=2)
    result.stdout.fnmatch_lines(["*warnings summary*", "test_export.py::test_wrong?jit-trace?", "*TracerWarning: *"])
    result.stdout.fnmatch_lines(["tracer * 1 warning of torch's tracer not shown, since shapes passed (test_right)"])
    assert "test_right[jit-trace]\n" not in result.stdout.str().partition("warnings summary")[2]


@pytest.mark.parametrize("args", [("--ts-checks=trace",), ("-k", "trace")])
def test_those_of_an_export_that_was_not_judged_at_other_sizes_are_shown(
    project: Project, run: Run, args: tuple[str, ...]
) -> None:
    project(MODELS)
    result = run(*SHOWN, *args)
    result.assert_outcomes(passed=1, warnings=1)
    assert "since shapes passed" not in result.stdout.str()


@pytest.mark.slow
def test_other_warnings_of_the_same_item_stay(project: Project, run: Run) -> None:
    project(
        "import warnings\n"
        + MODELS.replace("        return x * 2", "        warnings.warn('of the model')\n        return x * 2")
    )
    result = run(*SHOWN)
    result.stdout.fnmatch_lines(["*UserWarning: of the model"])
    assert "TracerWarning" not in result.stdout.str()
