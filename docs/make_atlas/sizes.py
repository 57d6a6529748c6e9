"""axis -> words: `sequence right at 1-64, wrong from 65`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MOST = 3
"""Ranges of one kind that are named: a fault at every second size has too many."""


def in_words(axis: Mapping[str, Any]) -> str:
    """Where the export is right along one axis, where it raises, and where it is wrong."""
    visited = sorted({axis["traced"], *axis["right"], *axis["raises"], *axis["wrong"]})
    right = ranges(sorted({axis["traced"], *axis["right"]}), visited)
    parts = [f"{axis['name']} right at {right}"]
    if axis["raises"]:
        everywhere = not axis["right"] and not axis["wrong"]
        parts.append("raises at any other" if everywhere else f"raises at {ranges(axis['raises'], visited)}")
    if axis["wrong_from"] is not None:
        before = [size for size in axis["wrong"] if size < axis["wrong_from"]]
        parts += [f"wrong at {ranges(before, visited)}"] if before else []
        parts.append(f"wrong from {axis['wrong_from']}")
    elif axis["wrong"]:
        parts.append(f"wrong at {ranges(axis['wrong'], visited)}")
    return ", ".join(parts)


def ranges(sizes: Sequence[int], visited: Sequence[int]) -> str:
    """The sizes as ranges of neighbours among the visited ones: `1-8, 33`; a range may have gaps: `1-8 … 33`."""
    found: list[list[int]] = []
    for size in sizes:
        neighbours = found and visited.index(size) == visited.index(found[-1][-1]) + 1
        found[-1].append(size) if neighbours else found.append([size])
    texts = [_range(part) for part in found[:MOST]]
    return ", ".join(texts) + (" …" if len(found) > MOST else "")


def _range(sizes: Sequence[int]) -> str:
    whole = next(size for size in sizes if size + 1 not in sizes)
    text = str(whole) if whole == sizes[0] else f"{sizes[0]}-{whole}"
    return text if whole == sizes[-1] else f"{text} … {sizes[-1]}"
