"""A process and all that it started: how much memory they use, and how they are ended together."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
KIB = 1024
OWN_MEMORY = ("RssAnon:", "RssShmem:")
"""What counts as used: not the pages of files, as of torch's libraries, which the system can drop at any time."""


class _Process(NamedTuple):
    """The parent and the group of a process."""

    parent: int
    group: int


def members(pid: int) -> frozenset[int]:
    """The process, all of its group (`os.setsid` has made one), and whatever any of these has started."""
    table = dict(_table())
    found = {one for one, process in table.items() if one == pid or process.group == pid}
    size = 0
    while len(found) > size:
        size = len(found)
        found |= {one for one, process in table.items() if process.parent in found}
    return frozenset(found)


def memory(pids: frozenset[int]) -> int:
    """Bytes that these processes use, without the pages of files. One that has ended uses none."""
    return sum(map(_memory, pids))


def kill(pid: int) -> None:
    """Kill the process and its members. Those that they start meanwhile belong to the group, which is killed last."""
    for member in members(pid):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(member, signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _table() -> Iterator[tuple[int, _Process]]:
    """Every process, by its id."""
    if not PROC.is_dir():
        for line in _ps("-axo", "pid=,ppid=,pgid="):
            pid, parent, group = map(int, line.split())
            yield pid, _Process(parent, group)
        return
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                # The name of a program may hold spaces and brackets: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
                _state, parent, group = _text(folder / "stat").rpartition(")")[2].split()[:3]
                yield int(folder.name), _Process(int(parent), int(group))


def _memory(pid: int) -> int:
    if not PROC.is_dir():
        return sum(int(line) * KIB for line in _ps("-o", "rss=", "-p", str(pid)))
    with suppress(OSError):
        sizes = _fields(_text(PROC / str(pid) / "status"))
        return sum(int(sizes[name].split()[0]) * KIB for name in OWN_MEMORY if name in sizes)
    return 0


def _fields(status: str) -> Mapping[str, str]:
    """The lines of `/proc/PID/status`, by the word that each begins with."""
    lines = (line.partition("\t") for line in status.splitlines())
    return {name: value for name, _, value in lines}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _ps(*args: str) -> list[str]:
    """What `ps` prints where there is no `/proc`, as on macOS."""
    done = subprocess.run(["ps", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()
