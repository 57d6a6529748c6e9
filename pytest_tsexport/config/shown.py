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
    return _cut(text)


def raised_by(error: BaseException) -> str:
    """`ValueError: no such file (conftest.py:3)`."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}{': ' if text else ''}{_cut(text)}{where}"


def with_article(value: object) -> str:
    """`an int`, `a dict`: what kind of value it is."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _cut(text: str) -> str:
    return text if len(text) <= MOST else f"{text[:MOST]}…"
