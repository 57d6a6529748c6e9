"""Shows the progress of a long item: one line, rewritten in place on a terminal, or added to a log now and then."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

IN_PLACE = 0.5
"""Seconds between two lines on a terminal."""
IN_LOG = 30.0
"""Seconds between two lines in a log."""

# What a terminal does with its cursor: https://vt100.net/docs/vt510-rm/chapter4.html
SAVE, RESTORE, CLEAR = "\x1b7", "\x1b8", "\x1b[K"


class Progress:
    """What a long item is doing. Silent without a terminal reporter, as in the workers of pytest-xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._name = ""
        self._shown = False
        self._due = 0.0

    def begin(self, name: str) -> None:
        """A new item, by its name. Its first line is due after one interval, since most items are quick."""
        self._name = name
        self._shown = False
        self._due = time.monotonic() + self._interval()

    def update(self, line: str) -> None:
        """Show `line` if one is due; may be called at any rate."""
        now = time.monotonic()
        reporter = self._reporter()
        if reporter is None or now < self._due:
            return
        self._due = now + self._interval()
        with self._uncaptured():
            if reporter.isatty:
                self._show(reporter, line)
            else:
                reporter.write_line(f"  {self._name}: {line}")
                reporter.flush()

    def end(self) -> None:
        """Remove the line from a terminal; in a log it stays."""
        if self._shown:
            with self._uncaptured():
                self._reporter().write_raw(CLEAR, flush=True)
        self._shown = False

    def _show(self, reporter: Any, line: str) -> None:
        """After what pytest wrote last, with the cursor put back, so that pytest can go on writing there."""
        writer = self._config.get_terminal_writer()
        room = writer.fullwidth - writer.width_of_current_line % writer.fullwidth - 1
        reporter.write_raw(f"{SAVE} {line}"[: len(SAVE) + room] + CLEAR + RESTORE, flush=True)
        self._shown = True

    def _reporter(self) -> Any:
        return self._config.pluginmanager.get_plugin("terminalreporter")

    def _interval(self) -> float:
        reporter = self._reporter()
        return IN_PLACE if reporter is not None and reporter.isatty else IN_LOG

    def _uncaptured(self) -> AbstractContextManager[None]:
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        if capture is None:
            return nullcontext()
        shown: AbstractContextManager[None] = capture.global_and_fixture_disabled()
        return shown
