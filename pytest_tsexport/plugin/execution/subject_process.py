"""The process of a subject: it calls the marked function, answers one request after another, and says what it does.

It is forked while pytest runs the first item of the subject, so it has the items and their fixtures as pytest has them.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pytest_tsexport.diagnosis.crash import crash
from pytest_tsexport.errors import INTERRUPTS
from pytest_tsexport.exporting.forked_process import flush_output
from pytest_tsexport.exporting.torch_in_forks import keep_one_thread
from pytest_tsexport.plugin.collection.expansion import id_of
from pytest_tsexport.plugin.collection.item_ids import ItemId
from pytest_tsexport.plugin.execution import outcomes
from pytest_tsexport.plugin.execution.capture_return import returned_by
from pytest_tsexport.plugin.execution.export_cache import ExportCache, crashed
from pytest_tsexport.plugin.execution.log_records import log_again, logged
from pytest_tsexport.verdict import Verdict

STACK = signal.SIGUSR1
"""What the process answers by writing its stack to `STACK_FILE`, also while it is in native code."""
STACK_FILE = "stack.txt"
OWN = f'File "{__file__}"'
"""Where a stack leaves what the process works on, as `faulthandler` writes it."""
OFTEN = 0.2
"""Seconds between two messages about progress."""
NO_THREADS = "judged with one thread: torch's threads do not survive a fork, and this process had used them before it"

RAISED: Mapping[str, type[BaseException]] = {
    "check skipped": outcomes.CheckSkipped,
    "skipped": pytest.skip.Exception,
    "xfailed": pytest.xfail.Exception,
    "exit": pytest.exit.Exception,
}
"""What ends an item without a verdict and without a failure, by what the other process is told."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life: the line of progress, or what the process does from now on (`exported`, after "while it")."""

    progress: str = ""
    doing: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """How an item ended, with what pytest would have seen: warnings, log records, and what was printed.

    `ending` is `verdict`, `failed` or a key of `RAISED`. `verdict` is None for a bare marker. `text` says why there is
    none. `holds`: whether the process can answer for the other items of the subject; it cannot if the function
    raised.
    """

    ending: str
    text: str = ""
    holds: bool = False
    verdict: Mapping[str, Any] | None = None
    warnings: tuple[tuple[str, type[Warning], str, int], ...] = ()
    printed: tuple[str, ...] = ("", "")
    logged: tuple[Mapping[str, Any], ...] = ()


class Start(NamedTuple):
    """What the process starts with: the first item, the call of its function (or nothing), and a folder for it."""

    item: pytest.Function
    calls: list[Any]
    folder: Path
    has_threads: bool


class SubjectProcess:
    """Answers the requests of the process that forked it. A request is the node id of an item."""

    def __init__(self, subjects: ExportCache, start: Start, connection: Connection) -> None:
        self._subjects = subjects
        self._start = start
        self._connection = connection
        self._owner = os.getpid()
        self._due = 0.0
        self._doing = ""

    def work(self) -> None:
        """Answer until no request comes any more."""
        self._prepare()
        items = {item.nodeid: item for item in self._start.item.session.items}
        calls = self._start.calls
        with suppress(EOFError):
            while True:
                item = items[self._connection.recv()]
                assert isinstance(item, pytest.Function)
                self._send(self._answer(item, calls))
                calls = []

    def progress(self, line: str) -> None:
        """Tell how far the item is; may be called at any rate."""
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + OFTEN
            self._send(Sign(progress=line))

    def doing(self, what: str) -> str:
        """Tell what is done from now on; returns what was done before."""
        before, self._doing = self._doing, what
        self._send(Sign(doing=what))
        return before

    def _prepare(self) -> None:
        tempfile.tempdir = str(self._start.folder)  # the other process removes it, however this one ends
        stack = (self._start.folder / STACK_FILE).open("w", encoding="utf-8")
        faulthandler.enable(stack, all_threads=False)
        faulthandler.register(STACK, stack, all_threads=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        with suppress(OSError):  # where memory runs out, Linux kills this process first
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
        if not self._start.has_threads:
            keep_one_thread()

    def _answer(self, item: pytest.Function, calls: list[Any]) -> Answer:
        before = _printed()
        with warnings.catch_warnings(record=True) as caught, logged() as records:
            try:
                answer = self._ending(item, calls)
            except INTERRUPTS as raised:  # a model raised it: Ctrl-C does not reach this process
                answer = Answer("verdict", verdict=crashed(_parts(item), crash(raised)).to_dict())
        printed = tuple(now.removeprefix(then) for now, then in zip(_printed(), before, strict=True))
        warned = tuple((str(one.message), _known(one.category), one.filename, one.lineno) for one in caught)
        holds = self._subjects.holds(_parts(item).subject)
        return replace(answer, holds=holds, warnings=warned, printed=printed, logged=tuple(records))

    def _ending(self, item: pytest.Function, calls: list[Any]) -> Answer:
        try:
            return self._judged(item, calls)
        except INTERRUPTS:
            raise
        except tuple(RAISED.values()) as raised:
            kind = next(kind for kind, known in RAISED.items() if isinstance(raised, known))
            return Answer(kind, str(raised))
        except BaseException as raised:  # a test may raise anything, and pytest shows it
            is_sentence = isinstance(raised, pytest.fail.Exception) and not raised.pytrace
            return Answer("failed", str(raised) if is_sentence else _shown(item, raised))

    def _judged(self, item: pytest.Function, calls: list[Any]) -> Answer:
        self.doing(f"called {item.originalname}")
        parts = _parts(item)
        with self._subjects.changes.watched(parts.subject):
            returned = [returned_by(call) for call in calls]
        self.doing(judging(parts.check))
        self._subjects.release(parts)
        verdict = self._subjects.verdict(item, parts, returned)
        if verdict is not None and not self._start.has_threads:
            verdict = replace(verdict, notes=(*verdict.notes, NO_THREADS))
        return Answer("verdict", verdict=None if verdict is None else verdict.to_dict())

    def _send(self, message: Sign | Answer) -> None:
        if os.getpid() != self._owner:
            os._exit(0)  # the model has forked, and came back in both processes: this one is not asked
        flush_output()
        self._connection.send(message)


def judging(check: str) -> str:
    """What the process does while a check runs."""
    return f"judged {check}"


def verdict_of(answer: Answer) -> Verdict | None:
    """The verdict of an answer; or its item ends here as it ended in the other process."""
    if answer.ending == "verdict":
        return None if answer.verdict is None else Verdict.from_dict(answer.verdict)
    if answer.ending == "failed":
        outcomes.fail(answer.text)
    if answer.ending == "skipped":
        raise outcomes.FunctionSkipped(answer.text)
    raise RAISED[answer.ending](answer.text)


def pass_on(answer: Answer) -> None:
    """Print here what was printed there, warn of what was warned of there, and log what was logged there."""
    log_again(answer.logged)
    for stream, text in zip((sys.stdout, sys.stderr), answer.printed, strict=True):
        stream.write(text)
    with warnings.catch_warnings():
        warnings.simplefilter("always")  # the filters have been applied
        for message, category, filename, line in answer.warnings:
            warnings.warn_explicit(message, category, filename, line)


def _parts(item: pytest.Function) -> ItemId:
    parts = id_of(item)
    assert parts is not None
    return parts


def _printed() -> tuple[str, ...]:
    """What is printed, where pytest keeps it in memory (`--capture=sys`). What goes to a file arrives by itself."""
    values = (getattr(stream, "getvalue", None) for stream in (sys.stdout, sys.stderr))
    return tuple(str(value()) if callable(value) else "" for value in values)


def _shown(item: pytest.Function, raised: BaseException) -> str:
    """As pytest shows it, after the line for its short summary."""
    excinfo: pytest.ExceptionInfo[BaseException] = pytest.ExceptionInfo.from_exception(raised)
    return f"{excinfo.exconly()}\n\n{item.repr_failure(excinfo)}"


def _known(kind: type[Warning]) -> type[Warning]:
    """The nearest base class of a warning that the other process can import."""
    return next(one for one in kind.__mro__ if one.__module__ in sys.modules and "<locals>" not in one.__qualname__)
