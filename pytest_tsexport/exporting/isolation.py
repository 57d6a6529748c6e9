"""export -> what came of it, in a process of its own: compilers crash and hang, and that must end nothing else.

The process is forked: a model is a Python object of the user's, of a class that no other process could import. Only its
end is the parent's affair; the file it wrote, and what it tells in builtin types, are all that comes back.
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
"""Seconds between two looks at a process."""


def run_isolated(run: Callable[[], T], seconds: float) -> T:
    """What `run` returns in a process of its own; it must be made of what can be pickled.

    Raises `ExportError`, one sentence, where that process dies, ends otherwise, or has not ended after `seconds`.
    """
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(run, theirs), daemon=False)
    with warnings.catch_warnings():
        # Python 3.12 warns of forks beside threads; torch's own threads are not used in the child.
        warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
        process.start()
    theirs.close()
    try:
        result: T = _result(process, mine, seconds)
        return result
    finally:
        _end(process)
        mine.close()


def _child(run: Callable[[], T], told: Connection) -> None:
    faulthandler.disable()  # how it died is told in a sentence
    os.setsid()  # the compiler's own processes end with it
    torch.set_num_threads(1)  # OpenMP's threads did not come along
    torch.set_num_threads = _ignored  # type: ignore[assignment]  # libgomp hangs in a fork of a process that has used it
    result = pickle.dumps(run())
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # a compiler may have closed it
            stream.flush()
    told.send_bytes(result)
    told.close()


def _ignored(_threads: int) -> None:
    """What `torch.set_num_threads` does here."""


def _result(process: BaseProcess, told: Connection, seconds: float) -> Any:
    until = time.monotonic() + seconds
    # The pipe and the sentinel stay open while a child of the compiler's lives: so its end is asked for.
    while not told.poll(0) and process.exitcode is None and time.monotonic() < until:
        wait([process.sentinel, told], timeout=min(max(until - time.monotonic(), 0.0), INTERVAL))
    with suppress(EOFError, OSError):
        if told.poll(0):
            return pickle.loads(told.recv_bytes())  # written by this program, a moment ago
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
    """Stop the process, and all that it started."""
    assert process.pid is not None
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()
