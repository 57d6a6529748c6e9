"""Proves that `round_trip` runs the file in a fresh process with torch alone, and compares bits."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.reports.terminal import failure_text
from pytest_tsexport.testing import exporters, files, judge, right_outputs
from pytest_tsexport.testing import wrong_devices as devices
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Inputs, rows
from pytest_tsexport.verdict import Outcome, Verdict


def verdict(model: torch.nn.Module, inputs: Inputs | None = None, **keywords: Any) -> Verdict:
    return judge(model, inputs or rows()(), checks="round_trip", **keywords)["round_trip"]


@pytest.mark.slow
def test_nested_outputs_are_the_same_in_the_other_process() -> None:
    found = verdict(right_outputs.NestedOutputs())
    assert (found.outcome, found.headline) == (Outcome.PASSED, "runs with torch alone, bit for bit the same")
    assert found.judged == found.planned == 3


@pytest.mark.slow
def test_an_operator_of_this_process_alone_is_found() -> None:
    found = verdict(devices.NeedsPython())
    assert (found.outcome, found.headline) == (
        Outcome.FAILED,
        "does not run the same in a process without Transformers, in an empty folder",
    )
    assert "tsexport_specimens::halve" in dict(found.rows)["elsewhere"]


@pytest.mark.slow
def test_a_file_that_answers_by_chance_is_not_bit_equal() -> None:
    class Noise(made.Plain):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) + torch.rand(())

    found = verdict(Noise())
    assert (found.outcome, found.headline) == (
        Outcome.FAILED,
        "the file answers itself differently on equal calls",
    )
    assert "operator" not in dict(found.rows)["fix"]


def test_a_file_that_raises_in_this_process_too_fails() -> None:
    class Longer(made.Plain):
        """Traced for rows of 9, and asked with rows of 7."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x @ torch.ones(9, 9)

    def export(model: torch.nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> None:
        exporters.plain(Longer(), {"x": torch.zeros(2, 9)}, path)

    found = verdict(made.Plain(), export=export)
    assert (found.outcome, found.headline) == (
        Outcome.FAILED,
        "already raises in this process, so there is nothing to round-trip",
    )


class ReadsFile(nn.Module):
    """`torch.from_file` is an operator of torch, and the path is a constant of the trace."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.from_file(self.path, shared=False, size=7, dtype=torch.float32)


@pytest.fixture
def started_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that pytest was started from, with a table in it."""
    (tmp_path / "inner").mkdir()
    for folder in (tmp_path, tmp_path / "inner"):
        (folder / "numbers.bin").write_bytes(struct.pack("7f", *range(1, 8)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("path", ["numbers.bin", "./inner/numbers.bin"])
def test_a_file_that_reads_another_by_a_relative_path_is_found(started_in: Path, path: str) -> None:
    found = verdict(ReadsFile(path))
    assert found.outcome is Outcome.FAILED
    assert failure_text(found) == (
        "jit-round_trip: does not run the same in a process without Transformers, in an empty folder\n"
        "  traced at        x (batch=2)\n"
        "  file             ReadsFile-jit.pt\n"
        f"  elsewhere        RuntimeError: unable to open file <{path}> in read-only mode: No such file or directory "
        "(2)\n"
        "  fix              export what torch alone can run: no custom operator, no Python function, no file beside it"
    )


@pytest.mark.slow
def test_a_file_that_reads_another_by_an_absolute_path_runs_and_is_noted(started_in: Path) -> None:
    found = verdict(ReadsFile(str(started_in / "numbers.bin")))
    assert found.outcome is Outcome.PASSED
    note = "it reads another file (torch.from_file): it runs only where that file lies at the same path"
    assert found.notes == (note,)


@pytest.mark.slow
def test_a_table_that_became_a_buffer_runs(started_in: Path) -> None:
    class Holds(nn.Module):
        table: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("table", torch.from_file("numbers.bin", shared=False, size=7, dtype=torch.float32))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.table

    found = verdict(Holds())
    assert (found.outcome, found.notes) == (Outcome.PASSED, ())


@pytest.mark.slow
def test_modules_beside_the_tests_change_nothing(started_in: Path) -> None:
    for name in ("tokenize", "json", "torch", "sitecustomize"):
        (started_in / f"{name}.py").write_text("raise SystemExit('it was imported')")
    assert verdict(made.Plain()).outcome is Outcome.PASSED


@pytest.mark.slow
def test_a_finished_file_may_have_a_relative_path(started_in: Path) -> None:
    model = made.Plain()
    files.fresh(model, rows()(), started_in / "inner" / "it.pt")
    assert verdict(model, artifact="inner/it.pt").outcome is Outcome.PASSED
