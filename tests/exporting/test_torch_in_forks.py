"""Proves that it is noticed whether torch's threads survive a fork, and that one thread is kept where they do not."""

from __future__ import annotations

import subprocess
import sys
from multiprocessing.connection import Connection

import pytest
import torch

from pytest_tsexport.exporting import torch_in_forks
from pytest_tsexport.exporting.forked_process import ForkedProcess, Limits, Silent
from pytest_tsexport.exporting.torch_in_forks import keep_one_thread, load_before_fork

ASKS = """
import torch
from pytest_tsexport.exporting import torch_in_forks
torch.set_num_threads(2)
torch_in_forks.PATIENCE = {patience}
for _ in range({times}):
    torch.ones(1 << 18).exp()
print(torch_in_forks.threads_survive_a_fork())
"""


def survives(*, patience: float, times: int) -> str:
    """What a fresh process finds, which has used torch's threads that often."""
    code = ASKS.format(patience=patience, times=times)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.slow
def test_threads_survive_if_they_were_not_used() -> None:
    assert survives(patience=60, times=0) == "True"


@pytest.mark.slow
def test_threads_that_were_used_do_not_survive() -> None:
    assert survives(patience=1, times=1) == "False"


def test_one_thread_is_kept_whoever_asks_for_more() -> None:
    def work(connection: Connection) -> None:
        keep_one_thread()
        torch.set_num_threads(4)
        torch.ones(torch_in_forks.ENOUGH).exp()
        connection.send(torch.get_num_threads())

    torch.ones(torch_in_forks.ENOUGH).exp()
    process = ForkedProcess(work)
    try:
        assert process.receive(Limits(60)) == 1
    finally:
        process.end()


def test_a_process_that_gives_no_answer_has_lost_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hangs:
        def __init__(self, _work: object) -> None:
            self.has_ended = False
            made.append(self)

        def receive(self, _limits: Limits) -> object:
            raise Silent

        def end(self) -> None:
            self.has_ended = True

    made: list[Hangs] = []
    monkeypatch.setattr(torch_in_forks, "ForkedProcess", Hangs)
    assert not torch_in_forks.threads_survive_a_fork()
    assert made[0].has_ended


def test_what_torch_needs_to_trace_is_loaded() -> None:
    load_before_fork()
    assert "torch._dynamo" in sys.modules
