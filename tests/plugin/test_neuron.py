"""`--ts-backend=neuron` and `neuron-sim` under pytest: one load, and one sentence if there is no SDK."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.plugin.conftest import Project, Run

SUBJECT = "@pytest.mark.torchscript(inputs=IDS, max_examples=20)\ndef test_x():\n    return TiedHead()\n"
UNRELATED = "\n\ndef test_unrelated():\n    assert True\n"
APPLICABLE = 5
"""The checks of `TiedHead` on neuron-sim: its file holds no weights by name."""

IN_PLACE = "import os, signal\n"


@pytest.fixture
def independent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package `torch_neuronx` written by somebody else, where processes look for modules."""
    folder = Path(__file__).parents[1] / "sdks" / "independent"
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.mark.slow
def test_jit_and_the_simulation_are_judged_side_by_side_from_one_load(
    project: Project, run: Run, built: Callable[[], int], plugin_args: tuple[str, ...]
) -> None:
    project(SUBJECT)
    result = run("--ts-backend=jit,neuron-sim", *plugin_args)
    result.assert_outcomes(passed=6 + APPLICABLE, skipped=1)
    assert built() == 1
    result.stdout.fnmatch_lines(
        ["test_export.py::test_x (jit)", "test_export.py::test_x (neuron-sim, a simulation)", "2 exports, 1 of them *"]
    )


@pytest.mark.slow
def test_every_report_says_that_it_is_a_simulation(
    project: Project, run: Run, pytester: pytest.Pytester, plugin_args: tuple[str, ...]
) -> None:
    project(SUBJECT.replace("max_examples=20", "max_examples=20, shapes='dynamic', checks=['shapes']"))
    result = run("--ts-backend=neuron-sim", "--junit-xml=report.xml", *plugin_args)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "torchscript export: *; backend neuron-sim (a simulation)",
            "neuron-sim-shapes (a simulation): raises outside the traced size, where the contract is dynamic",
            "simulation      neuron-sim is a simulation on the CPU: *",
            "1 export, 1 of them simulated: 1 wrong; *",
        ]
    )
    (value,) = (one.get("value") for one in ET.parse(pytester.path / "report.xml").iter("property"))
    assert json.loads(value or "")["simulation"].startswith("neuron-sim is a simulation on the CPU")


def test_without_an_sdk_each_item_fails_in_a_sentence_and_others_run_on(
    project: Project, run: Run, plugin_args: tuple[str, ...]
) -> None:
    project(SUBJECT + UNRELATED, pytest_ini="[pytest]\nts_backend = neuron\n")
    result = run(*plugin_args)
    result.assert_outcomes(failed=6, passed=1)
    result.stdout.fnmatch_lines(
        [
            "neuron-parity was not run, because neuron is unavailable: no Neuron SDK is here (torch_neuronx, "
            "torch_neuron and torch.neuron cannot be imported); install *, or rehearse on the CPU with "
            "--ts-backend=neuron-sim"
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_an_unavailable_backend_is_skipped_on_request(project: Project, run: Run) -> None:
    project(SUBJECT + UNRELATED)
    result = run("--ts-backend=neuron", "--ts-on-unavailable=skip", "-rs")
    result.assert_outcomes(skipped=6, passed=1)
    result.stdout.fnmatch_lines(["SKIPPED [[]6] tsexport: neuron is unavailable: no Neuron SDK is here *"])


@pytest.mark.slow
@pytest.mark.usefixtures("independent")
def test_an_independent_sdk_works_unchanged(project: Project, pytester: pytest.Pytester) -> None:
    project(SUBJECT)
    result = pytester.runpytest_subprocess("-W", "error", "--ts-backend=neuron", "-p", "no:randomly")
    result.assert_outcomes(passed=APPLICABLE, skipped=1)
    notes = ["*trace: torch_neuronx 2.9.0.2.15.32035, --auto-cast none", "*for inf2: this machine has no device*"]
    result.stdout.fnmatch_lines(notes)


@pytest.mark.slow
@pytest.mark.usefixtures("independent")
def test_arguments_of_the_command_line_reach_the_compiler_and_are_repeated(
    project: Project, pytester: pytest.Pytester
) -> None:
    project(SUBJECT)
    arguments = "--auto-cast matmult --no-such-flag"
    result = pytester.runpytest_subprocess("--ts-backend=neuron", f"--ts-neuron-args={arguments}", "-p", "no:randomly")
    result.assert_outcomes(failed=1, skipped=5)
    result.stdout.fnmatch_lines(
        [
            "neuron-trace: the model cannot be exported",
            "*torch says*RuntimeError: neuronx-cc failed with 70*",
            f"*rerun*--ts-backend=neuron --ts-neuron-args='{arguments}' --ts-seed=*",
        ]
    )


@pytest.mark.slow
@pytest.mark.usefixtures("independent")
def test_a_compiler_that_dies_fails_its_subject_and_nothing_else(project: Project, pytester: pytest.Pytester) -> None:
    dies = "@pytest.mark.torchscript(inputs=IDS, export=lambda *_: os.kill(os.getpid(), signal.SIGSEGV))\n"
    project(IN_PLACE + dies + "def test_dies():\n    return TiedHead()\n\n" + SUBJECT + UNRELATED)
    result = pytester.runpytest_subprocess("--ts-backend=neuron", "-p", "no:randomly")
    result.assert_outcomes(failed=1, passed=APPLICABLE + 1, skipped=6)
    result.stdout.fnmatch_lines(["neuron-trace: the compiler died of signal 11 (SIGSEGV), and its process with it"])


@pytest.mark.slow
@pytest.mark.usefixtures("independent")
def test_a_compiler_that_hangs_is_stopped(project: Project, pytester: pytest.Pytester) -> None:
    hangs = "@pytest.mark.torchscript(inputs=IDS, export=lambda *_: time.sleep(600))\n"
    project("import time\n" + hangs + "def test_hangs():\n    return TiedHead()\n")
    result = pytester.runpytest_subprocess("--ts-backend=neuron", "--ts-timeout=2", "-p", "no:randomly", timeout=120)
    result.assert_outcomes(failed=1, skipped=5)
    result.stdout.fnmatch_lines(["neuron-trace: the compiler did not end within 2 s (--ts-timeout), and was stopped"])
