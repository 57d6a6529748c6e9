"""Progress is one line that is rewritten on a terminal, and a line now and then in a log."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tsexport.plugin.execution import progress
from tests.plugin.conftest import Project, Run


class Clock:
    """Time as a test sets it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Terminal:
    """As much of pytest's terminal reporter as progress touches."""

    def __init__(self, *, isatty: bool, written: int = 0) -> None:
        self.isatty = isatty
        self.shown: list[str] = []
        # Where `config.get_terminal_writer()` finds it.
        self._tw = SimpleNamespace(fullwidth=40, width_of_current_line=written)

    def write_raw(self, text: str, *, flush: bool) -> None:
        assert flush
        self.shown.append(text)

    def write_line(self, line: str) -> None:
        self.shown.append(line)

    def flush(self) -> None:
        pass


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def shown_lines(pytester: pytest.Pytester, terminal: Terminal | None, clock: Clock, *, seconds: float) -> list[str]:
    """What is shown of a check that reports each of its cases, which take a tenth of a second each."""
    config: Any = pytester.parseconfig()
    config.pluginmanager.unregister(name="terminalreporter")
    if terminal is not None:
        config.pluginmanager.register(terminal, "terminalreporter")
    shown = progress.Progress(config)
    shown.begin("test_x[jit-shapes]")
    for case in range(1, round(seconds * 10) + 1):
        clock.now = case / 10
        shown.update(f"{case} of 1000 cases")
    shown.end()
    return [] if terminal is None else terminal.shown


def test_on_a_terminal_one_line_is_rewritten_twice_a_second(pytester: pytest.Pytester, clock: Clock) -> None:
    shown = shown_lines(pytester, Terminal(isatty=True, written=10), clock, seconds=2.05)
    assert shown == [*(f"\x1b7 {case} of 1000 cases\x1b[K\x1b8" for case in (5, 10, 15, 20)), "\x1b[K"]


@pytest.mark.parametrize(("written", "seen"), [(30, " 5 of 100"), (39, ""), (65, " 5 of 1000 cas")])
def test_on_a_terminal_a_line_is_cut_where_it_would_break(
    pytester: pytest.Pytester, clock: Clock, written: int, seen: str
) -> None:
    shown = shown_lines(pytester, Terminal(isatty=True, written=written), clock, seconds=0.6)
    assert shown == [f"\x1b7{seen}\x1b[K\x1b8", "\x1b[K"]


def test_in_a_log_a_line_is_written_every_thirty_seconds(pytester: pytest.Pytester, clock: Clock) -> None:
    shown = shown_lines(pytester, Terminal(isatty=False), clock, seconds=65)
    assert [line.split()[1] for line in shown] == ["300", "600"]


@pytest.mark.parametrize("isatty", [True, False])
def test_quick_work_shows_nothing(pytester: pytest.Pytester, clock: Clock, *, isatty: bool) -> None:
    assert shown_lines(pytester, Terminal(isatty=isatty), clock, seconds=0.4) == []


def test_without_a_terminal_reporter_nothing_is_shown(pytester: pytest.Pytester, clock: Clock) -> None:
    assert shown_lines(pytester, None, clock, seconds=2) == []


def test_the_line_is_not_captured_with_what_the_test_prints(
    project: Project, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "IN_LOG", 0.0)
    project("""
@pytest.mark.torchscript(inputs=ROWS, checks=["shapes"], max_examples=20)
def test_x(capsys):
    return Doubles()
""")
    result = run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["  test_x?jit-shapes?: *"])
