"""Each fault of the atlas is shown by its own script, with torch and Transformers alone."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
import transformers

from docs.atlas.faults.show import FAULTS, main, script_of
from tests.meta.sources import imported

SAMPLE = ("rwkv",)
"""The quickest."""


@pytest.mark.slow
@pytest.mark.skipif(int(transformers.__version__.split(".")[0]) < 5, reason="the faults are those of Transformers 5")
@pytest.mark.parametrize(
    "name", [one if one in SAMPLE else pytest.param(one, marks=pytest.mark.wide) for one in FAULTS]
)
def test_the_script_shows_the_fault(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script_of(name)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{name} at {FAULTS[name].asked_at}: ")


@pytest.mark.parametrize("name", FAULTS)
def test_a_script_needs_torch_and_transformers_alone(name: str) -> None:
    assert set(imported(ast.parse(script_of(name)))) == {"torch", "transformers"}


@pytest.mark.slow
def test_a_script_fails_where_the_fault_is_gone() -> None:
    repaired = script_of("rwkv").replace("(2, 8)", "(2, 7)")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", repaired], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "off by up to 0" in done.stdout


def test_the_families_are_named_in_order_and_an_unknown_one_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(FAULTS) == sorted(FAULTS)
    assert main([]) == 0
    assert main(["bert"]) == 2
    assert "'bert' is no family here; give one of" in capsys.readouterr().out


def test_a_script_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--script", "rwkv"]) == 0
    assert capsys.readouterr().out == script_of("rwkv")
