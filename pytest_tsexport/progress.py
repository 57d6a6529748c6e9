"""progress -> terminal: one line, rewritten in place on a terminal and written now and then into a log."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

IN_PLACE = 0.5
"""Seconds between two lines on a terminal."""
IN_LOG = 30.0
"""Seconds between two lines in a log."""


class Progress:
    """What a long item is doing. Silent where there is no terminal reporter: in xdist's workers, and without it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._name = ""
        self._shown = False
        self._due = 0.0

    def begin(self, name: str) -> None:
        """A new item, by its name; its first line is due after one interval, since most are quick."""
        self._name = name
        self._shown = False
        self._due = time.monotonic() + self._interval()

    def tell(self, line: str) -> None:
        """Show `line` where one is due; called as often as one likes."""
        now = time.monotonic()
        reporter = self._reporter()
        if reporter is None or now < self._due:
            return
        self._due = now + self._interval()
        text = f"  {self._name}: {line}"
        with self._uncaptured():
            if self._shown and reporter.isatty:
                reporter.rewrite(text[: self._width()], erase=True)
            else:
                reporter.write_ensure_prefix(text[: self._width()] if reporter.isatty else text)
            reporter.flush()
        self._shown = True

    def end(self) -> None:
        """Take the line away from a terminal; in a log it stays."""
        reporter = self._reporter()
        if self._shown and reporter is not None and reporter.isatty:
            with self._uncaptured():
                reporter.rewrite("", erase=True)
                # pytest begins its next line with a line break: from one line further up, it lands here.
                reporter.write("\r\x1b[1A", flush=True)
        self._shown = False

    def _reporter(self) -> Any:
        return self._config.pluginmanager.get_plugin("terminalreporter")

    def _interval(self) -> float:
        reporter = self._reporter()
        return IN_PLACE if reporter is not None and reporter.isatty else IN_LOG

    def _width(self) -> int:
        return self._config.get_terminal_writer().fullwidth - 1

    def _uncaptured(self) -> AbstractContextManager[None]:
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        if capture is None:
            return nullcontext()
        shown: AbstractContextManager[None] = capture.global_and_fixture_disabled()
        return shown
