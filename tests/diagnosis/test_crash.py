"""Proves that what ends a check is told with its line and with what to do, and that an interrupt stays one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.diagnosis.crash import FIXES, crash, crashes_told
from pytest_tsexport.errors import CrashError, InputsError
from pytest_tsexport.exporting.context import Callbacks
from pytest_tsexport.tensors.tree import flatten

HERE = Path(__file__).name


def raised_by(call: Callable[[], Any]) -> BaseException:
    try:
        call()
    except BaseException as raised:
        return raised
    raise AssertionError("it raised nothing")


class Ends(nn.Module):
    def __init__(self, end: Callable[[], object]) -> None:
        super().__init__()
        self.end = end

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.end()
        return x


def ends(end: Callable[[], object]) -> BaseException:
    return raised_by(lambda: nn.Sequential(Ends(end))(torch.ones(1)))


class Stop(BaseException):
    pass


def stop() -> None:
    raise Stop


@pytest.mark.parametrize(
    ("end", "what"),
    [
        (lambda: sys.exit(3), "SystemExit: 3"),
        (sys.exit, "SystemExit, without a message"),
        (lambda: pytest.skip("no GPU here"), "Skipped: no GPU here"),
        (lambda: pytest.fail("Timeout (>9.0s) from pytest-timeout."), "Failed: Timeout (>9.0s) from pytest-timeout"),
        (stop, "Stop, without a message"),
    ],
)
def test_what_ends_a_program_or_a_test_is_named_with_its_line(end: Callable[[], object], what: str) -> None:
    found = crash(ends(end))
    assert found.what == what
    rows = dict(found.rows)
    assert rows["raised at"].startswith(f"{HERE}:")
    assert rows["fix"] == FIXES["ends"]
    assert str(found) == f"the export crashed: {what}, raised at {rows['raised at']}"


def test_the_line_is_the_innermost_one_outside_torch_and_its_callers_follow() -> None:
    def adds() -> None:
        torch.ones(2) + torch.ones(3)

    rows = dict(crash(ends(adds)).rows)
    assert rows["raised at"].endswith(", in adds")
    first, second, third = rows["called from"].split("; ")
    assert (first[-10:], second[-13:], third[-14:]) == ("in forward", ", in <lambda>", ", in raised_by")
    assert "torch" not in rows["called from"]
    assert rows["fix"] == FIXES["raises"]


def test_a_line_of_python_itself_is_passed_over() -> None:
    def reads() -> None:
        json.loads("{")

    rows = dict(crash(ends(reads)).rows)
    assert rows["raised at"].endswith(", in reads")
    assert rows["fix"] == FIXES["raises"]


def test_a_line_of_ours_is_a_fault_of_ours() -> None:
    class Odd(dict[Any, Any]):
        def items(self) -> Any:
            return 3

    rows = dict(crash(raised_by(lambda: flatten(Odd(a=1)))).rows)
    assert rows["raised at"].startswith("tree.py:")
    assert rows["fix"] == FIXES["ours"]


def test_without_a_traceback_there_is_no_line() -> None:
    found = crash(MemoryError())
    assert found.rows == (("fix", FIXES["ours"]),)
    assert str(found) == "the export crashed: MemoryError, without a message"


class Exit(Exception):
    """As the exception of `pytest.exit`."""


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, GeneratorExit, Exit, InputsError])
def test_an_interrupt_and_an_error_of_ours_stay_what_they_are(interrupt: type[BaseException]) -> None:
    with pytest.raises(interrupt), crashes_told(Callbacks(interrupts=(Exit,))):
        raise interrupt


@pytest.mark.parametrize("raised", [SystemExit, Stop, Exit, ZeroDivisionError])
def test_anything_else_is_a_crash(raised: type[BaseException]) -> None:
    with pytest.raises(CrashError) as found, crashes_told(Callbacks()):
        raise raised
    assert isinstance(found.value.__cause__, raised)
