"""Proves that a file holds the compiled program: a damaged one is refused, and it needs its operator to load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.simulator import device
from tests.backends.simulator.programs import LEFT, compiled, loaded, refusal, saved

DAMAGED = "the neff is damaged: its digest is not the one in the metaneff"


def damaged(program: Any) -> Any:
    """The same file with one changed byte of its code."""
    other = loaded(saved(program))
    other.neff[len(other.neff) // 2] ^= 1
    return other


def test_a_damaged_neff_is_refused() -> None:
    program = compiled(nn.Linear(3, 3), LEFT)
    device._loaded.cache_clear()
    assert DAMAGED in refusal(damaged(program), LEFT)
    assert not refusal(program, LEFT)


def test_a_damaged_neff_is_refused_after_the_intact_one_ran() -> None:
    program = compiled(nn.Linear(3, 3), LEFT)
    assert not refusal(program, LEFT)
    assert DAMAGED in refusal(damaged(program), LEFT)


def test_two_programs_are_not_confused() -> None:
    programs = [compiled(lambda x, by=by: x * by, LEFT) for by in range(6)]
    for _ in range(2):
        for by, program in enumerate(programs):
            assert torch.equal(program(LEFT), LEFT * by)


def test_the_file_holds_bytes_and_one_operator() -> None:
    program = loaded(saved(compiled(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), LEFT)))
    kinds = [node.kind() for node in program.inlined_graph.nodes()]
    assert [kind for kind in kinds if not kind.startswith("prim::")] == ["neuron_sim::forward_v2"]
    assert {name: value.dtype for name, value in program.named_buffers()} == {
        "metaneff": torch.uint8,
        "neff": torch.uint8,
    }


def elsewhere(path: Path, prologue: str) -> subprocess.CompletedProcess[str]:
    code = f"{prologue}\nimport torch\nprint(torch.jit.load({str(path)!r})(torch.ones(2, 3)).tolist())"
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
def test_a_fresh_process_does_not_know_the_operator_before_its_import(tmp_path: Path) -> None:
    path = tmp_path / "it.pt"
    path.write_bytes(saved(compiled(lambda x: x * 2, LEFT)))
    without = elsewhere(path, "")
    assert without.returncode == 1
    assert "Unknown builtin op: neuron_sim::forward_v2" in without.stderr
    with_it = elsewhere(path, "import pytest_tsexport.backends.simulator.device")
    assert (with_it.stdout, with_it.returncode) == (f"{[[2.0] * 3] * 2}\n", 0), with_it.stderr
