"""Runs a function in an isolated process: a compiler that crashes or hangs must not end the test run.

It gives back what the function returns, pickled, and whatever files the function wrote.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

from pytest_tsexport.errors import ExportError
from pytest_tsexport.exporting.forked_process import Died, ForkedProcess, Limits, Silent, flush_output
from pytest_tsexport.exporting.torch_in_forks import keep_one_thread

T = TypeVar("T")


def run_isolated(run: Callable[[], T], seconds: float) -> T:
    """What `run` returns in an isolated process; it must be possible to pickle it.

    Raises `ExportError`, one sentence, if that process dies, exits without a result, or does not end within `seconds`.
    """

    def work(result: Connection) -> None:
        keep_one_thread()
        made = pickle.dumps(run())
        flush_output()
        result.send_bytes(made)

    process = ForkedProcess(work)
    try:
        result: T = process.receive(Limits(seconds))
        return result
    except Silent:
        raise ExportError(f"the compiler did not end within {seconds:g} s (--ts-timeout), and was stopped") from None
    except Died as died:
        raise ExportError(f"the compiler died {_how(died)}, and its process with it") from None
    finally:
        process.end()


def _how(died: Died) -> str:
    return f"with exit status {died.status}" if died.signal is None else f"of {died.signal_name}"
