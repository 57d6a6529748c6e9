"""A process and all that it started: how much memory they use, and how they are ended together."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
KIB = 1024
OWN_MEMORY = ("RssAnon", "RssShmem")
"""What counts as used: not the pages of files, as of torch's libraries, which the system can drop at any time."""
SHARED_OUT = ("Pss_Anon", "Pss_Shmem")
"""The same, with each page divided by the number of processes that share it, as a fork and its parent do."""


class _Process(NamedTuple):
    """The parent and the group of a process."""

    parent: int
    group: int


def members(pid: int) -> frozenset[int]:
    """The process, all of its group (`os.setsid` has made one), and whatever any of these has started."""
    table = dict(_table())
    found = {one for one, process in table.items() if pid in (one, process.group)}
    size = 0
    while len(found) > size:
        size = len(found)
        found |= {one for one, process in table.items() if process.parent in found}
    return frozenset(found)


def uses_more(pids: frozenset[int], limit: int) -> bool:
    """Whether these processes use more bytes than the limit, without the pages of files."""
    if sum(map(_memory, pids)) <= limit:
        return False
    # What they share was counted for each. To count it once takes milliseconds, so it is done at the limit only.
    return len(pids) == 1 or sum(map(_shared_out, pids)) > limit


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
            pid, *process = map(int, line.split())
            yield pid, _Process(*process)
        return
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                # The name of a program, in brackets, may hold spaces and brackets.
                _state, parent, group = _text(folder / "stat").rpartition(")")[2].split()[:3]
                yield int(folder.name), _Process(int(parent), int(group))


def _memory(pid: int) -> int:
    if not PROC.is_dir():
        return sum(int(line) * KIB for line in _ps("-o", "rss=", "-p", str(pid)))
    return _sum(PROC / str(pid) / "status", OWN_MEMORY)


def _shared_out(pid: int) -> int:
    """https://docs.kernel.org/filesystems/proc.html has these since Linux 5.4."""
    rollup = PROC / str(pid) / "smaps_rollup"
    return _sum(rollup, SHARED_OUT) if rollup.exists() else _memory(pid)


def _sum(path: Path, names: tuple[str, ...]) -> int:
    """The bytes that the lines of these names count; 0 if the process has ended."""
    with suppress(OSError):
        fields = dict(line.split(":", maxsplit=1) for line in _text(path).splitlines() if ":" in line)
        return sum(int(fields[name].split()[0]) * KIB for name in names if name in fields)
    return 0


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _ps(*args: str) -> list[str]:
    """What `ps` prints where there is no `/proc`, as on macOS."""
    done = subprocess.run(["ps", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()
