"""Cuts names that are too wide for their column in the middle, so that they can still be told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

SHARES = (0.5, 0.35, 0.65, 0.2, 0.8, 0.0)
"""The parts of a width that the beginning of a name may get, in the order in which they are tried."""


def cut(text: str, width: int) -> str:
    """`text`, or its beginning and its end if it is wider than `width`.

    >>> cut("test_model[a-family-of-bert]", 17)
    'test_model[…bert]'
    """
    return cut_all([text], width)[0]


def cut_all(names: Sequence[str], width: int) -> list[str]:
    """The names, none wider than `width`. If two could not be told apart, those that are too wide stay whole."""
    for heads in _heads(names, width):
        cuts = [_cut(name, width, head) for name, head in zip(names, heads, strict=True)]
        if len(set(cuts)) == len(set(names)):
            return cuts
    return list(names)


def _heads(names: Sequence[str], width: int) -> Iterator[list[int]]:
    """How much of the beginning of each name is kept. First up to its parameters, if they get a part of the width."""
    yield [_before_parameters(name, width) for name in names]
    for share in SHARES:
        yield [int((width - 1) * share)] * len(names)


def _before_parameters(name: str, width: int) -> int:
    head = name.find("[") + 1
    return head if 0 < head <= (width - 1) * 3 // 4 else (width - 1) // 2


def _cut(name: str, width: int, head: int) -> str:
    tail = width - 1 - head
    return name if len(name) <= width else f"{name[:head]}…{name[len(name) - tail :]}"
