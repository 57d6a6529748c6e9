"""Long work is told: in one line that is rewritten on a terminal, in a line now and then in a log."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tsexport import progress
from tests.plugin.conftest import Project, Run


class Clock:
    """Time as a test sets it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Terminal:
    """As much of pytest's terminal reporter as progress touches."""

    def __init__(self, *, isatty: bool) -> None:
        self.isatty = isatty
        self.shown: list[str] = []
        self._tw = SimpleNamespace(fullwidth=40)  # where `config.get_terminal_writer()` finds it

    def rewrite(self, line: str, *, erase: bool) -> None:
        assert erase
        self.shown.append(f"<{line}")

    def write(self, text: str, *, flush: bool) -> None:
        assert flush
        self.shown.append(repr(text))

    def write_ensure_prefix(self, line: str) -> None:
        self.shown.append(line)

    def flush(self) -> None:
        pass


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def told(pytester: pytest.Pytester, terminal: Terminal | None, clock: Clock, *, seconds: float) -> list[str]:
    """What is shown of a check that tells of each of its cases, a tenth of a second each."""
    config: Any = pytester.parseconfig()
    config.pluginmanager.unregister(name="terminalreporter")
    if terminal is not None:
        config.pluginmanager.register(terminal, "terminalreporter")
    shown = progress.Progress(config)
    shown.begin("test_x[jit-shapes]")
    for case in range(1, round(seconds * 10) + 1):
        clock.now = case / 10
        shown.tell(f"{case} of 1000 cases")
    shown.end()
    return [] if terminal is None else terminal.shown


LINE = "  test_x[jit-shapes]: {case} of 1000 cases"


def test_on_a_terminal_one_line_is_rewritten_twice_a_second(pytester: pytest.Pytester, clock: Clock) -> None:
    shown = told(pytester, Terminal(isatty=True), clock, seconds=2.05)
    lines = [LINE.format(case=case)[:39] for case in (5, 10, 15, 20)]
    assert shown == [lines[0], *(f"<{line}" for line in lines[1:]), "<", repr("\r\x1b[1A")]


def test_in_a_log_a_line_is_written_every_thirty_seconds(pytester: pytest.Pytester, clock: Clock) -> None:
    shown = told(pytester, Terminal(isatty=False), clock, seconds=65)
    assert [line.split()[1] for line in shown] == ["300", "600"]


@pytest.mark.parametrize("isatty", [True, False])
def test_quick_work_says_nothing(pytester: pytest.Pytester, clock: Clock, *, isatty: bool) -> None:
    assert told(pytester, Terminal(isatty=isatty), clock, seconds=0.4) == []


def test_without_a_terminal_reporter_nothing_is_told(pytester: pytest.Pytester, clock: Clock) -> None:
    assert told(pytester, None, clock, seconds=2) == []


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
