"""Proves that `os._exit` in code of a model raises, and that elsewhere it ends the process as ever."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn

import pytest

from pytest_tsexport.exporting.exits import exits_raised
from pytest_tsexport.exporting.forked_process import Died, ForkedProcess, Limits

EXIT = os._exit


@pytest.mark.parametrize("status", [0, 7])
def test_the_call_raises_with_its_status(status: int) -> None:
    with pytest.raises(SystemExit, match=rf"^os\._exit\({status}\)$"), exits_raised():
        os._exit(status)


def test_the_function_is_put_back() -> None:
    with exits_raised():
        assert os._exit is not EXIT
    assert os._exit is EXIT
    with pytest.raises(ZeroDivisionError), exits_raised():
        raise ZeroDivisionError
    assert os._exit is EXIT


def test_the_line_of_the_function_is_hidden() -> None:
    with pytest.raises(SystemExit) as raised, exits_raised():
        os._exit(0)
    assert raised.traceback[-1].frame.f_locals["__tracebackhide__"]


def test_another_thread_may_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []

    def ends(status: int) -> NoReturn:
        ended.append(status)
        sys.exit()  # the thread

    monkeypatch.setattr(os, "_exit", ends)

    def work() -> None:
        with suppress(SystemExit):
            os._exit(3)

    with exits_raised():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert ended == [3]


def test_a_fork_ends_as_ever() -> None:
    with exits_raised():
        process = ForkedProcess(lambda _: os._exit(5))
    try:
        with pytest.raises(Died) as died:
            process.receive(Limits(60))
    finally:
        process.end()
    assert died.value.status == 5
