"""The path of a file that a user gives, and why it is none."""

from __future__ import annotations

import stat
from pathlib import Path

from pytest_tsexport.config.shown import cut_at_end

KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a fifo"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
"""What a path may be that is no file."""

LONGEST = 300
"""Characters of a path that are shown."""


def why_no_file(path: Path) -> str | None:
    """Why a path is no file that can be read, as the end of a sentence; None if it is one."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "does not exist"
    except (OSError, ValueError) as error:  # a name that is too long, or holds a null byte
        return f"cannot be read ({getattr(error, 'strerror', None) or error})"
    if not stat.S_ISREG(mode):
        return f"is {next((what for is_one, what in KINDS if is_one(mode)), 'no regular file')}"
    return None


def shortened(path: Path) -> str:
    """The path as it was given; its beginning, if it is longer than a sentence may be."""
    return cut_at_end(str(path), LONGEST)
