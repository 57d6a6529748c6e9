"""The value of `--ts-isolate`: whether each subject has a process of its own, and how much memory it may use."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from pytest_tsexport.config.validators import Given
from pytest_tsexport.errors import PolicyError

UNITS = {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


@dataclass(frozen=True, slots=True)
class Isolation:
    """`memory` is in bytes; None is a share of the machine's memory."""

    is_on: bool = True
    memory: int | None = None


LEAST = 128 * UNITS["mib"]
"""Bytes: an interpreter with torch needs more."""

BEYOND = 2.0**63
"""Bytes: a system counts memory in 64 bits."""


def given_isolation(given: Given) -> Isolation:
    """The validator of the option. Raises `PolicyError`, one sentence."""
    found = parsed(str(given.value))
    if found is None:
        if _is_path(given):
            raise given.refusal("that is a path; write --ts-isolate=auto before a path")
        raise given.refusal("give the memory of a process, as 4GiB or 500MiB, or auto, or off; write it after a =")
    if found.memory is not None and found.memory < LEAST:
        raise given.refusal(f"no process with torch fits into that; give {in_words(LEAST)} or more")
    if found.is_on and not hasattr(os, "fork"):
        raise PolicyError(f"{given.where} is {given.value!r}, and this system cannot fork processes; give off")
    return found


def _is_path(given: Given) -> bool:
    """Whether the value names a file or a test in it, as when the option takes the next word of the command line."""
    name = str(given.value).partition("::")[0]
    try:
        return bool(name) and (given.folder / name).exists()
    except OSError:  # too long for a name
        return False


def parsed(text: str) -> Isolation | None:
    """The value that the text means: `auto`, `off`, or a size with its unit. None if it means nothing."""
    if text in ("auto", "off"):
        return Isolation(is_on=text == "auto")
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)", text.strip())
    size = float(match[1]) * UNITS.get(match[2].lower(), 0) if match else 0
    return Isolation(memory=int(size)) if 1 <= size < BEYOND else None


def in_words(memory: int) -> str:
    """`4 GiB`, `512 MiB`."""
    unit = "GiB" if memory >= UNITS["gib"] else "MiB"
    return f"{memory / UNITS[unit.lower()]:.3g} {unit}" if memory < 1000 * UNITS["gib"] else f"{memory} bytes"
