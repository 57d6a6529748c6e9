"""A value of a user, or what a hook of theirs raised, as a few words of one sentence."""

from __future__ import annotations

import traceback
from pathlib import Path

MOST = 100
"""Characters of a value that are shown: a tensor has many lines."""


def shown(value: object) -> str:
    """The value as Python writes it, on one line and cut at its end if it is long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # the user's own `__repr__`
        text = f"a {type(value).__name__}"
    return cut_at_end(text, MOST)


def message_of(error: BaseException) -> str:
    """What an exception says, or that it cannot say it."""
    try:
        return str(error)
    except Exception:  # the user's own `__str__`
        return f"{type(error).__name__}, whose message cannot be shown"


def first_line(error: BaseException) -> str:
    """The first line of what an exception says; its name if it says nothing."""
    return next(iter(message_of(error).strip().splitlines()), type(error).__name__)


def on_one_line(text: str, most: int) -> str:
    """The text without line breaks and control characters, cut at its end if it is longer than `most` characters."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return cut_at_end(line, most)


def raised_by(error: BaseException) -> str:
    """`ValueError: no such file (conftest.py:3)`."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    text = on_one_line(message_of(error), MOST)
    return f"{type(error).__name__}{': ' if text else ''}{text}{where}"


def with_article(value: object) -> str:
    """`an int`, `a dict`: what kind of value it is."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def cut_at_end(text: str, most: int) -> str:
    """The text, or its first `most` characters and an ellipsis."""
    return text if len(text) <= most else f"{text[:most]}…"
