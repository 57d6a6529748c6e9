"""Holds the subject that is being judged in a process of its own, and ends that process in every case."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from pytest_tsexport.config.budget import ROUND_TRIP_SECONDS
from pytest_tsexport.diagnosis import process_end
from pytest_tsexport.errors import CrashError
from pytest_tsexport.exporting import machine_memory
from pytest_tsexport.exporting.forked_process import Died, ForkedProcess, Limits, ProcessEnded, Silent
from pytest_tsexport.exporting.torch_in_forks import load_before_fork, threads_survive_a_fork
from pytest_tsexport.plugin.collection.expansion import POLICY
from pytest_tsexport.plugin.collection.item_ids import ItemId
from pytest_tsexport.plugin.execution.export_cache import ExportCache, crashed
from pytest_tsexport.plugin.execution.lazy_pipeline import LazyPipeline, processes
from pytest_tsexport.plugin.execution.subject_process import (
    OWN,
    STACK,
    STACK_FILE,
    Answer,
    Start,
    SubjectProcess,
    judging,
    pass_on,
    verdict_of,
)
from pytest_tsexport.plugin.settings import Settings
from pytest_tsexport.verdict import Outcome, Verdict

GRACE = 5.0
"""Seconds beyond `--ts-timeout`, in which a check that obeys it can end by itself."""
GRACE_PART = 0.1
"""The part of `--ts-timeout` that is added to them: large models take longer for one case."""
LAST_WORD = 0.5
"""Seconds for a process that is about to be killed to write where it is."""


class IsolatedSubject:
    """The one subject that is being judged, and the process that it is in."""

    def __init__(self, here: ExportCache, pipeline: LazyPipeline, settings: Settings) -> None:
        self._here = here
        self._pipeline = pipeline
        isolation = settings.options.isolate
        self._memory = (isolation and isolation.memory) or machine_memory.share(processes())
        self._current: ItemId | None = None
        self._process: ForkedProcess | None = None
        self._folder = Path()
        self._doing = ""
        self._crash: tuple[CrashError, Outcome] | None = None
        self._has_crashed = False
        self._threads = True

    def holds(self, subject: str) -> bool:
        """Whether an earlier item has run the function of this subject."""
        return self._current is not None and self._current.subject == subject

    def release(self, following: ItemId | None = None) -> None:
        """End the process, unless the following item needs it. After a crash another backend gets a new one."""
        if self._current is None or following is None or not self._serves(self._current, following):
            self._end()

    def _serves(self, current: ItemId, following: ItemId) -> bool:
        is_spent = self._crash is not None or self._has_crashed
        return following.subject == current.subject and (following.group == current.group or not is_spent)

    def verdict(self, item: pytest.Function, parts: ItemId, returned: list[object]) -> Verdict | None:
        """The verdict of the item's check; None for a bare marker. `returned` holds the call that is still to do."""
        if not self.holds(parts.subject):
            self._begin(item, parts, returned)
        self._current = parts
        if self._crash is not None:
            return crashed(parts, *self._crash)
        assert self._process is not None
        limits = self._limits(item, parts)
        try:
            self._process.send(item.nodeid)
            answer = self._answer(self._process, limits)
        except ProcessEnded as ended:
            return self._ended(parts, ended, limits)
        except BaseException:  # Ctrl-C, or the time limit of another plugin
            self._end()
            raise
        if not answer.holds:
            self._end()
        pass_on(answer)
        verdict = verdict_of(answer)
        self._has_crashed |= verdict is not None and verdict.outcome is Outcome.CRASHED
        return verdict

    def _begin(self, item: pytest.Function, parts: ItemId, calls: list[object]) -> None:
        self._end()
        load_before_fork()
        self._threads = self._threads and threads_survive_a_fork()
        self._folder = Path(tempfile.mkdtemp(prefix="tsexport-"))
        start = Start(item, calls, self._folder, self._threads)

        def work(connection: Connection) -> None:
            process = SubjectProcess(self._here, start, connection)
            self._pipeline.watch(process)
            process.work()

        self._process = ForkedProcess(work)
        self._current = parts

    def _limits(self, item: pytest.Function, parts: ItemId) -> Limits:
        timeout = item.stash[POLICY].timeout
        known = ROUND_TRIP_SECONDS if parts.check == "round_trip" else 0.0
        return Limits(max(timeout, known) + GRACE + GRACE_PART * timeout, self._memory)

    def _answer(self, process: ForkedProcess, limits: Limits) -> Answer:
        """The answer to a request; each sign of life before it gives the process its time again."""
        while True:
            message = process.receive(limits)
            if isinstance(message, Answer):
                return message
            self._doing = message.doing or self._doing
            if message.progress:
                self._pipeline.progress(message.progress)

    def _ended(self, parts: ItemId, ended: ProcessEnded, limits: Limits) -> Verdict:
        """The verdict of the item whose process has ended.

        An export that ended it, and whatever hangs, is not tried again; after a crash in one check the others are.
        """
        crash = process_end.explained(ended, self._doing, self._stack(ended), limits)
        in_check = self._doing == judging(parts.check)
        self._end()
        if isinstance(ended, Silent) or not in_check:
            self._current, self._crash = parts, crash
        return crashed(parts, *crash)

    def _stack(self, ended: ProcessEnded) -> str:
        """Where the process was, up to the line of this package that began the work."""
        assert self._process is not None
        path = self._folder / STACK_FILE
        if not isinstance(ended, Died):
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, STACK)
            until = time.monotonic() + LAST_WORD
            while time.monotonic() < until and OWN not in _text(path):
                time.sleep(LAST_WORD / 10)
        return _text(path).partition(OWN)[0]

    def _end(self) -> None:
        process, self._process = self._process, None
        self._current = self._crash = None
        self._doing, self._has_crashed = "", False
        if process is not None:
            process.end()
            shutil.rmtree(self._folder, ignore_errors=True)


def _text(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""
