"""Gives the words of the summary the colors of the terminal, if it has any."""

from __future__ import annotations

from typing import Any

from pytest_tsexport.reports.table import Paint

MARKUP = {
    "right": {"green": True},
    "wrong": {"red": True, "bold": True},
    "known to be wrong": {"yellow": True},
    "not judged": {"yellow": True, "bold": True},
}
"""By the state that a word tells."""


def painter(writer: Any) -> Paint:
    """What colors a text on pytest's terminal writer; without colors, the text stays as it is."""

    def paint(text: str, state: str) -> str:
        painted: str = writer.markup(text, **MARKUP[state])
        return painted

    return paint
