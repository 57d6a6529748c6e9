"""Proves that the end of a process is told in one sentence, with the line it was at and with what to do."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import torch

from pytest_tsexport.diagnosis.process_end import FIXES, explained
from pytest_tsexport.exporting.forked_process import Died, Limits, ProcessEnded, Silent, TookMemory
from pytest_tsexport.subjects import reference
from pytest_tsexport.verdict import Outcome

LIMITS = Limits(61.5, memory=2**32)
DOING = "judged shapes"


@pytest.mark.parametrize(
    ("ended", "what", "kind"),
    [
        (Died(-signal.SIGSEGV), "the process was killed by signal 11 (SIGSEGV) while it judged shapes", "signal"),
        (Died(-signal.SIGABRT), "the process was killed by signal 6 (SIGABRT) while it judged shapes", "signal"),
        (Died(-signal.SIGKILL), "the process was killed by signal 9 (SIGKILL) while it judged shapes", "killed"),
        (Died(0), "the process ended with exit status 0 while it judged shapes", "exit"),
        (Died(7), "the process ended with exit status 7 while it judged shapes", "exit"),
        (TookMemory(), "the process used more than 4 GiB while it judged shapes, and was killed", "memory"),
        (Silent(), "the process gave no sign of life for 61.5 s while it judged shapes, and was killed", "silent"),
    ],
    ids=["segfault", "abort", "killed", "exit-0", "exit-7", "memory", "silent"],
)
def test_each_end_has_its_sentence_and_its_fix(ended: ProcessEnded, what: str, kind: str) -> None:
    crash, outcome = explained(ended, DOING, "", LIMITS)
    assert crash.what == what
    assert crash.rows == (("fix", FIXES[kind]),)
    assert outcome is (Outcome.TOO_SLOW if kind == "silent" else Outcome.CRASHED)


def stack(*files: tuple[str, int, str]) -> str:
    """As Python's `faulthandler` writes it."""
    steps = [f'  File "{file}", line {line} in {function}' for file, line, function in files]
    return "\n".join(
        ["Fatal Python error: Segmentation fault", "", "Current thread 0x1 (most recent call first):", *steps]
    )


MODEL = str(Path(__file__).with_name("modeling.py"))


def rows_of(text: str) -> dict[str, str]:
    crash, _ = explained(Died(-11), DOING, text, LIMITS)
    rows = dict(crash.rows)
    assert rows.pop("fix") == FIXES["signal"]
    return {name: str(value) for name, value in rows.items()}


def test_it_was_at_the_innermost_line_outside_libraries() -> None:
    in_torch = (torch.__file__, 12, "_call_impl")
    ours = (reference.__file__, 117, "call")
    text = stack(in_torch, (MODEL, 4, "attend"), in_torch, (MODEL, 9, "forward"), in_torch, ours)
    assert rows_of(text) == {"was at": "modeling.py:4, in attend", "called from": "modeling.py:9, in forward"}


def test_a_name_may_hold_spaces_and_quotes() -> None:
    path = str(Path(__file__).with_name('my "new" model.py'))
    assert rows_of(stack((path, 3, "<lambda>"))) == {"was at": 'my "new" model.py:3, in <lambda>'}


@pytest.mark.parametrize("text", ["", "Segmentation fault", "  File without a line"])
def test_without_a_stack_no_line_is_named(text: str) -> None:
    assert rows_of(text) == {}
