"""A forked process that gives messages, and is watched meanwhile: it may crash, hang, or take all memory.

It is forked, because what it works with (a model, a test function with its fixtures) exists in this process only.
"""

from __future__ import annotations

import ctypes
import faulthandler
import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from pytest_tsexport.config.shown import raised_by
from pytest_tsexport.exporting import process_tree

INTERVAL = 0.05
"""Seconds between two looks at the process. It may take a few hundred MB of memory meanwhile."""
REFRESH = 1.0
"""Seconds between two searches for processes that it started."""
PR_SET_PDEATHSIG = 1
"""https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html"""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the process may give no message, in seconds, and how much memory it may use, in bytes."""

    silence: float
    memory: int | None = None


class ProcessEnded(Exception):
    """The process gave no message: it died."""


class Died(ProcessEnded):
    """It ended by itself; `signal` is the number of the signal that killed it, if it was one, `status` its status."""

    def __init__(self, exitcode: int) -> None:
        super().__init__(exitcode)
        self.signal = -exitcode if exitcode < 0 else None
        self.status = max(exitcode, 0)

    @property
    def signal_name(self) -> str:
        """`signal 11 (SIGSEGV)`."""
        number = self.signal or 0
        with suppress(ValueError):
            return f"signal {number} ({signal.Signals(number).name})"
        return f"signal {number}"


class Silent(ProcessEnded):
    """It gave no message in time. It still runs."""


class TookMemory(ProcessEnded):
    """It uses more memory than it may. It still runs."""


class ForkedProcess:
    """One process. `work` gets the connection on which it may receive requests and send its messages."""

    def __init__(self, work: Callable[[Connection], None]) -> None:
        context = multiprocessing.get_context("fork")
        self._mine, theirs = context.Pipe()
        self._process = context.Process(target=_begin, args=(work, theirs, self._mine), daemon=False)
        with warnings.catch_warnings():
            # Python 3.12 warns of a fork in a process with threads.
            warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)
            self._process.start()
        theirs.close()
        self._members: frozenset[int] = frozenset()
        self._refreshed = 0.0

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def send(self, request: object) -> None:
        """Give the process a request. One that has died does not get it; `receive` says so."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._mine.send(request)

    def receive(self, limits: Limits) -> Any:
        """The next message. Raises `Died`, `Silent` or `TookMemory`; in the last two cases the process still runs."""
        until = time.monotonic() + limits.silence
        # What the process started keeps the pipe and the sentinel open, so the exit code is polled.
        while not self._mine.poll(0) and self._process.exitcode is None:
            if time.monotonic() >= until:
                raise Silent
            if limits.memory is not None and self._uses_more(limits.memory):
                raise TookMemory
            wait([self._process.sentinel, self._mine], timeout=min(max(until - time.monotonic(), 0.0), INTERVAL))
        with suppress(EOFError, OSError):
            if self._mine.poll(0):
                return self._mine.recv()  # safe: this program has just written it
        self._process.join(1.0)
        if self._process.exitcode is None:
            raise Silent
        raise Died(self._process.exitcode)

    def end(self) -> None:
        """Stop the process, if it still runs, and every process that it started."""
        process_tree.kill(self.pid)
        self._process.kill()
        self._process.join()
        self._mine.close()

    def _uses_more(self, limit: int) -> bool:
        now = time.monotonic()
        if now - self._refreshed > REFRESH:
            self._members, self._refreshed = process_tree.members(self.pid), now
        return process_tree.uses_more(self._members, limit)


def _begin(work: Callable[[Connection], None], theirs: Connection, parents: Connection) -> None:
    faulthandler.disable()  # the parent reports a crash in one sentence
    os.setsid()  # a group that also holds what the process starts, so that all can be ended together
    parents.close()
    _end_with(os.getppid())
    try:
        work(theirs)
    except Exception as error:  # what works here may have broken the connection, or this very package
        sys.exit(f"the process cannot answer any more: {raised_by(error)}")
    flush_output()
    theirs.close()


def flush_output() -> None:
    """Write what was printed. The process does this before each message: after it, the parent may end it."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # it may have been closed, or set to None
            stream.flush()


def _end_with(parent: int) -> None:
    """Let the system kill this process when its parent dies, as with `kill -9`; elsewhere it ends with its work."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
