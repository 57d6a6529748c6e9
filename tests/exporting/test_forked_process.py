"""Proves that messages of a forked process arrive, and that its end, its silence and its memory are noticed."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from pytest_tsexport.exporting.forked_process import (
    Died,
    ForkedProcess,
    Limits,
    Silent,
    TookMemory,
    flush_output,
)
from pytest_tsexport.exporting.process_tree import uses_more
from tests.exporting.processes import ends, is_alive

LONG = Limits(60)
SHORT = Limits(0.3)
MIB = 2**20


@contextmanager
def forked(work: Callable[[Connection], None]) -> Iterator[ForkedProcess]:
    process = ForkedProcess(work)
    try:
        yield process
    finally:
        process.end()


def answers(connection: Connection) -> None:
    while (request := connection.recv()) is not None:
        connection.send((os.getpid(), request))


def sleeps(_: Connection) -> None:
    time.sleep(600)


def test_requests_are_answered_by_another_process() -> None:
    with forked(answers) as process:
        for request in ("a", {"b": 2}):
            process.send(request)
            assert process.receive(LONG) == (process.pid, request)
    assert process.pid != os.getpid()


def test_a_process_that_has_no_more_to_say_has_ended() -> None:
    with forked(lambda connection: connection.send(1)) as process:
        assert process.receive(LONG) == 1
        with pytest.raises(Died) as died:
            process.receive(LONG)
    assert (died.value.signal, died.value.status) == (None, 0)


def test_a_message_that_was_sent_before_the_end_arrives() -> None:
    def work(connection: Connection) -> None:
        connection.send("last")
        os._exit(3)

    with forked(work) as process:
        assert ends(process.pid, seconds=10)
        assert process.receive(LONG) == "last"


@pytest.mark.parametrize(
    ("number", "name"),
    [(signal.SIGKILL, "signal 9 (SIGKILL)"), (signal.SIGSEGV, "signal 11 (SIGSEGV)"), (40, "signal 40")],
)
def test_the_signal_that_killed_it_is_named(number: int, name: str) -> None:
    with forked(lambda _: os.kill(os.getpid(), number)) as process, pytest.raises(Died) as died:
        process.receive(LONG)
    assert (died.value.signal, died.value.signal_name, died.value.status) == (number, name, 0)


def test_its_exit_status_is_known() -> None:
    with forked(lambda _: os._exit(7)) as process, pytest.raises(Died) as died:
        process.receive(LONG)
    assert (died.value.signal, died.value.status) == (None, 7)


def test_a_request_to_a_dead_process_is_no_fault() -> None:
    with forked(lambda _: os._exit(7)) as process:
        assert ends(process.pid, seconds=10)
        process.send("anything")
        with pytest.raises(Died):
            process.receive(LONG)


def test_a_silent_process_runs_until_it_is_ended() -> None:
    with forked(sleeps) as process:
        began = time.monotonic()
        with pytest.raises(Silent):
            process.receive(SHORT)
        assert SHORT.silence <= time.monotonic() - began < 30
        assert is_alive(process.pid)
    assert not is_alive(process.pid)


def test_each_message_has_its_own_time() -> None:
    def work(connection: Connection) -> None:
        for number in range(4):
            time.sleep(0.5)
            connection.send(number)

    with forked(work) as process:
        assert [process.receive(Limits(1.9)) for _ in range(4)] == [0, 1, 2, 3]


@pytest.mark.slow
def test_memory_is_limited() -> None:
    def work(connection: Connection) -> None:
        connection.send("began")
        kept = []
        while True:
            kept.append(b"x" * (16 * MIB))

    def waits(connection: Connection) -> None:
        time.sleep(0.5)
        connection.send("done")

    own = frozenset({os.getpid()})
    before = next(limit for limit in range(0, 2**36, 16 * MIB) if not uses_more(own, limit))
    limit = Limits(60, memory=before + 256 * MIB)
    with forked(waits) as process:
        assert process.receive(limit) == "done"
    with forked(work) as process:
        assert process.receive(limit) == "began"
        with pytest.raises(TookMemory):
            process.receive(limit)
        assert is_alive(process.pid)


def test_it_has_a_group_of_its_own_and_no_handler_of_crashes() -> None:
    with forked(lambda connection: connection.send((os.getpgrp(), faulthandler.is_enabled()))) as process:
        assert process.receive(LONG) == (process.pid, False)


def test_what_it_started_ends_with_it() -> None:
    def work(connection: Connection) -> None:
        pid = os.fork()
        if pid:
            connection.send(pid)
        time.sleep(600)

    with forked(work) as process:
        pid = process.receive(LONG)
        assert is_alive(pid)
    assert ends(pid, seconds=10)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_it_ends_if_its_parent_is_killed() -> None:
    def work(connection: Connection) -> None:
        inner = ForkedProcess(sleeps)
        time.sleep(0.3)  # it asks the system for this when it begins
        connection.send(inner.pid)
        os.kill(os.getpid(), signal.SIGKILL)

    with forked(work) as process:
        pid = process.receive(LONG)
        assert ends(pid, seconds=10)  # before the whole tree is killed


def test_output_that_cannot_be_flushed_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open("w", encoding="ascii") as closed:
        pass
    monkeypatch.setattr(sys, "stdout", closed)
    monkeypatch.setattr(sys, "stderr", None)
    flush_output()


def test_output_is_written_before_the_process_ends(capfd: pytest.CaptureFixture[str]) -> None:
    def work(connection: Connection) -> None:
        sys.stdout.write("from there\n")

    with forked(work) as process, pytest.raises(Died):
        process.receive(LONG)
    assert "from there\n" in capfd.readouterr().out


def breaks(_: Connection) -> None:
    raise KeyError("gone")


def test_a_process_that_breaks_down_says_so_in_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    process = ForkedProcess(breaks)
    try:
        with pytest.raises(Died) as died:
            process.receive(LONG)
    finally:
        process.end()
    assert died.value.status == 1
    said = capfd.readouterr().err
    assert said.startswith("the process cannot answer any more: KeyError: 'gone' (test_forked_process.py:")
    assert said.count("\n") == 1
