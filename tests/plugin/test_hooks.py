"""The hooks that a conftest implements: inputs for its own folder, and backends for the whole run."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import HEAD, Project, Run

BODY = "@pytest.mark.torchscript(checks=['trace'])\ndef test_x():\n    return TiedHead()\n"
INPUTS = """
import torch

def pytest_ts_inputs(model):
    print("ASKED", type(model).__name__, {size})
    return {{"ids": torch.ones(1, {size}, dtype=torch.int64)}}
"""
BACKENDS = """
from pytest_tsexport.backends import jit

class Mine(jit.Jit):
    name = "mine"

def pytest_ts_backends():
    return {"mine": VALUE}
"""


@pytest.mark.slow
def test_inputs_come_from_the_conftest_of_the_folder(project: Project, run: Run, pytester: pytest.Pytester) -> None:
    project("")
    for name, size in (("near", 3), ("far", 5)):
        folder = pytester.mkdir(name)
        folder.joinpath(f"test_{name}.py").write_text(HEAD + BODY)
        folder.joinpath("conftest.py").write_text(INPUTS.format(size=size))
    result = run("-s", "-o", "pythonpath=.")
    result.assert_outcomes(passed=2)
    asked = sorted(line[line.index("ASKED") :] for line in result.outlines if "ASKED" in line)
    assert asked == ["ASKED TiedHead 3", "ASKED TiedHead 5"]


@pytest.mark.slow
def test_inputs_of_the_marker_come_first(project: Project, run: Run) -> None:
    project(BODY.replace("checks=", "inputs=IDS, checks="), conftest_py=INPUTS.format(size=3))
    result = run("-s")
    result.assert_outcomes(passed=1)
    assert "ASKED" not in result.stdout.str()


@pytest.mark.parametrize("value", ["Mine()", "'conftest:Mine'"])
def test_a_backend_is_an_object_or_the_name_of_a_class(project: Project, run: Run, value: str) -> None:
    project(BODY.replace("checks=", "inputs=IDS, checks="), conftest_py=BACKENDS.replace("VALUE", value))
    result = run("--ts-backend=mine", "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*test_x?mine-trace? PASSED*"])


def test_a_hook_that_does_not_return_a_mapping_is_one_sentence(project: Project, run: Run) -> None:
    project("", conftest_py="def pytest_ts_backends():\n    return ['mine']\n")
    result = run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: pytest_ts_backends returned *mine*; return a mapping of names to 'module:Class' or to a backend"]
    )
