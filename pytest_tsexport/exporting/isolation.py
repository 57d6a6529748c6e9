"""Runs a function in an isolated process: a compiler that crashes or hangs must not end the test run.

The process is forked, because the model may be of a class that another process cannot import. It gives back what the
function returns, pickled, and whatever files the function wrote.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import pickle
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

import torch

from pytest_tsexport.errors import ExportError

T = TypeVar("T")

INTERVAL = 0.5
"""Seconds between two checks of the process."""


def run_isolated(run: Callable[[], T], seconds: float) -> T:
    """What `run` returns in an isolated process; it must be possible to pickle it.

    Raises `ExportError`, one sentence, if that process dies, exits without a result, or does not end within `seconds`.
    """
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(run, theirs), daemon=False)
    with warnings.catch_warnings():
        # Python 3.12 warns of a fork in a process with threads; the child does not use torch's threads.
        warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
        process.start()
    theirs.close()
    try:
        result: T = _result(process, mine, seconds)
        return result
    finally:
        _end(process)
        mine.close()


def _child(run: Callable[[], T], result_pipe: Connection) -> None:
    faulthandler.disable()  # the parent reports a crash in one sentence
    os.setsid()  # a group that also holds the compiler's own processes, so that they can be ended together
    torch.set_num_threads(1)  # a fork does not copy OpenMP's threads
    torch.set_num_threads = _ignored  # type: ignore[assignment]  # libgomp hangs in a fork of a process that has used it
    result = pickle.dumps(run())
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # a compiler may have closed it, or set it to None
            stream.flush()
    result_pipe.send_bytes(result)
    result_pipe.close()


def _ignored(_threads: int) -> None:
    """Replaces `torch.set_num_threads` in the isolated process."""


def _result(process: BaseProcess, pipe: Connection, seconds: float) -> Any:
    until = time.monotonic() + seconds
    # A child process of the compiler keeps the pipe and the sentinel open, so the exit code is polled.
    while not pipe.poll(0) and process.exitcode is None and time.monotonic() < until:
        wait([process.sentinel, pipe], timeout=min(max(until - time.monotonic(), 0.0), INTERVAL))
    with suppress(EOFError, OSError):
        if pipe.poll(0):
            return pickle.loads(pipe.recv_bytes())  # safe: this program has just written it
    process.join(1.0)
    if process.exitcode is None:
        raise ExportError(f"the compiler did not end within {seconds:g} s (--ts-timeout), and was stopped")
    raise ExportError(f"the compiler died {_how(process.exitcode)}, and its process with it")


def _how(exitcode: int) -> str:
    if exitcode >= 0:
        return f"with exit status {exitcode}"
    with suppress(ValueError):
        return f"of signal {-exitcode} ({signal.Signals(-exitcode).name})"
    return f"of signal {-exitcode}"


def _end(process: BaseProcess) -> None:
    """Stop the process and every process that it started."""
    assert process.pid is not None
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()
