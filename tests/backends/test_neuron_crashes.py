"""Proves that a compiler that dies or hangs fails the trace of its subject, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_tsexport.config import options
from pytest_tsexport.testing import judge
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import rows
from pytest_tsexport.verdict import Outcome, Verdict
from tests.backends.conftest import Installed, accused


def judged() -> dict[str, Verdict]:
    return judge(made.Plain(), rows()(), backend="neuron", max_examples=20, checks="-round_trip")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("crashes", "the compiler died of signal 11 (SIGSEGV), and its process with it"),
        ("exits", "the compiler died with exit status 70, and its process with it"),
        ("hangs", "the compiler did not end within 2 s (--ts-timeout), and was stopped"),
    ],
)
def test_a_compiler_that_dies_fails_the_trace_of_its_subject_only(
    sdk: Installed, fault: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "DEFAULT_TIMEOUT", 2.0)
    sdk("neuronx", fault)
    found = judged()
    assert (found["trace"].outcome, found["trace"].headline) == (Outcome.FAILED, sentence)
    assert {one.outcome for check, one in found.items() if check != "trace"} == {Outcome.NOT_RUN}
    assert [pid for call in sdk.calls for pid in call.get("processes", ()) if is_alive(pid)] == []
    sdk("neuronx")
    assert accused(judged()) == {}


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended may be left as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def test_is_alive_finds_a_running_process() -> None:
    assert is_alive(os.getpid())


CRASHING = """
import os
import signal
import pytest
import torch

HERE = os.getpid()

class Crashes(torch.nn.Module):
    def forward(self, x):
        if os.getpid() != HERE:
            os.kill(os.getpid(), signal.SIGSEGV)
        return x * 2

@pytest.mark.torchscript(checks=["trace", "parity"], max_examples=20)
@pytest.mark.parametrize("kind", [Crashes, torch.nn.Tanh])
def test_it(kind):
    return (kind(), {"x" if kind is Crashes else "input": torch.randn(2, 7)})

def test_of_something_else():
    assert True
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_a_crash_does_not_end_the_run_or_other_subjects(
    sdk: Installed, pytester: pytest.Pytester, workers: int
) -> None:
    """With workers in a subprocess: workers get `sys.path` as it was when xdist was imported."""
    sdk("neuronx")
    pytester.makepyfile(CRASHING)
    args = ("-p", "no:randomly", "-W", "error", "--ts-backend=neuron")
    result = pytester.runpytest_subprocess(*args, "-n2") if workers else pytester.runpytest(*args)
    result.assert_outcomes(passed=3, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*the compiler died of signal 11 (SIGSEGV), and its process with it*"])
