"""How much memory this machine has, or the container that the process is in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# Of a container with cgroups 2 and 1: https://docs.kernel.org/admin-guide/cgroup-v2.html
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

PART = 0.8
"""The part of it that processes may use: the rest is for pytest itself, and for the system."""


def share(processes: int) -> int:
    """The bytes that each of so many processes may use."""
    return int(PART * min(_sizes()) / processes)


def _sizes() -> Iterator[int]:
    yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in LIMITS:
        with suppress(OSError, ValueError):  # "max" is no limit
            yield int(path.read_text(encoding="ascii"))
