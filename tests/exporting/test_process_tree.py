"""Proves which processes belong to one, how their memory is counted, and that all of them end with it."""

from __future__ import annotations

import mmap
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_tsexport.exporting import process_tree
from pytest_tsexport.exporting.process_tree import members, uses_more
from tests.exporting.processes import is_alive

MIB = 2**20

TREE = """
sleep 600 & echo $!
(sleep 600 & echo $!)
setsid sleep 600 & echo $!
wait
"""
"""A child; a child whose parent has ended; and a child that has left the group."""

Tree = tuple[int, frozenset[int]]


@pytest.fixture(params=["/proc", "ps"])
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Where processes are looked up: as on Linux, and as on macOS."""
    kind: str = request.param
    if kind == "ps":
        monkeypatch.setattr(process_tree, "PROC", tmp_path / "absent")
    return kind


@pytest.fixture
def tree() -> Iterator[Tree]:
    """A process with a group of its own, and the ids of all that it started."""
    root = subprocess.Popen(["sh", "-c", TREE], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert root.stdout is not None
    started = frozenset(int(root.stdout.readline()) for _ in range(3))
    yield root.pid, started
    process_tree.kill(root.pid)
    root.wait()
    root.stdout.close()


def is_soon(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 10
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    return condition()


def test_all_that_a_process_started_belongs_to_it(tree: Tree, source: str) -> None:
    root, started = tree
    assert is_soon(lambda: members(root) == {root, *started})


def test_the_name_of_a_program_may_hold_brackets(tmp_path: Path) -> None:
    program = tmp_path / "a (b) 1 2"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "600"], start_new_session=True) as process:
        try:
            assert process.pid in members(os.getpid())
        finally:
            process.kill()


def test_all_of_them_are_killed(tree: Tree, source: str) -> None:
    root, started = tree
    assert is_soon(lambda: len(members(root)) == 4)
    process_tree.kill(root)
    assert is_soon(lambda: not any(map(is_alive, {root, *started})))


def test_a_process_that_has_ended_is_no_fault(source: str) -> None:
    process = subprocess.Popen(["true"], start_new_session=True)
    process.wait()
    process_tree.kill(process.pid)
    assert not uses_more(frozenset({process.pid}), 0)


def test_memory_that_a_process_has_taken_counts(source: str) -> None:
    own = frozenset({os.getpid()})
    assert uses_more(own, MIB)
    assert not uses_more(own, 2**50)


def forked(size: int) -> int:
    """A fork of this process, which has taken that much memory before."""
    kept = bytearray(os.urandom(MIB)) * (size // MIB)
    pid = os.fork()
    if pid == 0:
        time.sleep(600)
        os._exit(len(kept))
    return pid


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_what_processes_share_is_counted_once() -> None:
    size = 256 * MIB
    before = next(limit for limit in range(0, 2**36, 8 * MIB) if not uses_more(frozenset({os.getpid()}), limit))
    pid = forked(size)
    try:
        both = frozenset({os.getpid(), pid})
        assert uses_more(both, size // 2)
        assert not uses_more(both, before + size + size // 2)
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


@pytest.mark.slow
def test_pages_of_a_file_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(128 * MIB))
    own = frozenset({os.getpid()})
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages:
        least = next(limit for limit in range(0, 2**36, 8 * MIB) if not uses_more(own, limit))
        assert sum(pages[:: mmap.PAGESIZE]) == 0  # each page is read
        assert not uses_more(own, least + 64 * MIB)
